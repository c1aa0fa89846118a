"""What an order uses of offers: held once, taken or released, never more than there is."""

from collections import Counter
from dataclasses import replace

import pytest

from members.directory import merging
from members.directory import operations as directory
from members.loyalty.models import Standing
from members.offers import codes, operations, queries, redeeming, why
from members.offers.codes import CodeDraft
from members.offers.models import DiscountShare, OfferRedemption, OfferVersion, PromotionCode
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.events.models import Event
from payments.orders import operations as orders
from tests.cast import NOW, origin_of, race
from tests.members.loyalty.scheme import join, start
from tests.members.offers.book import asked, count_of, hold, make, place
from tests.members.people import hand_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A29")]
TEN = {"off_ppm": 100_000}


@pytest.fixture
def tiers(book):
    """From 100.00 take 10.00, from 200.00 take 30.00."""
    steps = [(10_000, 1_000), (20_000, 3_000)]
    return make(book, "Spend more", "spend", {"tiers": [{"from_minor": a, "off_minor": b} for a, b in steps]})


def take(book, order):
    with tenancy.within(book.pk):
        return redeeming.take(order_id=order.pk, now=NOW, origin=origin_of(book))


def release(book, order):
    with tenancy.within(book.pk):
        redeeming.release(order_id=order.pk, now=NOW)


class TestHold:
    def test_writes_shares_costs_and_the_decision(self, book, tiers):
        order, lines = place(book, (8_800, 1), (2_800, 2), (1_200, 1))

        assert hold(book, order, lines) == 1_000

        with tenancy.within(book.pk):
            kept = OfferRedemption.objects.get()
            shares = dict(DiscountShare.objects.values_list("line_id", "amount_minor"))
            decision = Decision.objects.get(subject_id=order.pk)
            assert rules.replay(decision)
        assert [shares[line.pk] for line in lines] == [564, 359, 77]
        assert (kept.version, kept.status, kept.costs) == (1, "held", {"merchant": 1_000})
        assert (decision.verdict, decision.reasons[0]["values"]["discount_minor"]) == ("discounted", 1_000)
        assert decision.near_miss["missing_minor"] == 4_400
        assert count_of(book, tiers) == (1, 1_000, 0)

    def test_again_counts_once_and_follows_another_cart(self, book, tiers):
        order, lines = place(book, (20_000, 1))
        hold(book, order, lines)
        hold(book, order, lines)
        once = count_of(book, tiers)

        with tenancy.within(book.pk):
            cart = replace(asked(order, lines), lines=[replace(asked(order, lines).lines[0], unit_minor=11_000)])
            redeeming.hold(order_id=order.pk, asked=cart, expected={str(lines[0].pk): 1_000}, expires_at=NOW)
            kept = Counter(OfferRedemption.objects.values_list("status", flat=True))

        assert (once, count_of(book, tiers)) == ((1, 3_000, 0), (1, 1_000, 0))
        assert kept == {"held": 1, "released": 1}

    def test_refuses_a_price_that_the_payer_did_not_see(self, book, tiers):
        order, lines = place(book, (20_000, 1))

        with pytest.raises(redeeming.OfferGone), tenancy.within(book.pk):
            redeeming.hold(
                order_id=order.pk, asked=asked(order, lines), expected={str(lines[0].pk): 2_999}, expires_at=NOW
            )

        assert count_of(book, tiers) == (0, 0, 0)

    def test_of_fifty_who_want_the_last_three_exactly_three_get_one(self, book):
        coupon = make(book, "Ten", "percent", TEN, trigger="code", limits={"redemptions_max": 3})
        with tenancy.within(book.pk):
            codes.create(offer=coupon, draft=CodeDraft(code="LAST"), now=NOW, origin=origin_of(book))
        placed = [place(book, (1_000, 1)) for _ in range(50)]

        def ask(order, lines):
            # Everybody was shown the discount before anybody had it.
            with tenancy.within(book.pk):
                wanted = {str(lines[0].pk): 100}
                redeeming.hold(order_id=order.pk, asked=asked(order, lines, "last"), expected=wanted, expires_at=NOW)
            return "had"

        outcomes = race(*(lambda each=each: ask(*each) for each in placed))

        assert Counter(each if each == "had" else type(each) for each in outcomes) == {
            "had": 3,
            redeeming.OfferGone: 47,
        }
        assert count_of(book, coupon) == (3, 300, 0)
        with tenancy.within(book.pk):
            assert PromotionCode.objects.get().redeemed_count == 3
            assert OfferRedemption.objects.count() == DiscountShare.objects.count() == 3

    def test_counts_pieces_budgets_and_customers(self, book, customer):
        flash = make(book, "Flash", "flash", {"unit_minor": 500}, limits={"units_max": 3, "customer_max": 1})
        budgeted = make(book, "Budget", "amount", {"off_minor": 100}, limits={"budget_minor": 250})
        placed = [place(book, (900, 2), customer_id=customer.pk) for _ in range(3)]

        given = [hold(book, *each, customer_id=customer.pk) for each in placed]

        # 2 × 400 and 100; then the customer had the flash sale, and then the budget is spent.
        assert given == [900, 100, 0]
        assert (count_of(book, flash), count_of(book, budgeted)) == ((1, 800, 2), (2, 200, 0))

    def test_is_of_who_tries_last(self, book, tiers, customer):
        order, lines = place(book, (20_000, 1))
        hold(book, order, lines)

        hold(book, order, lines, customer_id=customer.pk)

        with tenancy.within(book.pk):
            kept = dict(OfferRedemption.objects.values_list("status", "customer_id"))
        assert kept == {"released": None, "held": customer.pk}
        assert count_of(book, tiers) == (1, 3_000, 0)

    def test_counts_a_person_once_whichever_of_their_records_pays(self, book, customer, make_customer):
        other = make_customer(book, name="Lin M")
        make(book, "Once", "amount", {"off_minor": 100}, limits={"customer_max": 1})
        make(book, "Welcome", "amount", {"off_minor": 10}, is_first_only=True)
        winner, loser = join(customer), join(other)
        order, lines = place(book, (1_000, 1), customer_id=customer.pk)
        first = hold(book, order, lines, customer_id=customer.pk)
        take(book, order)
        with tenancy.within(book.pk):
            orders.record_paid(order, amount_minor=1_000)
            merging.merge(loser_id=loser.pk, winner_id=winner.pk, hand=hand_of(book))

        given = []
        for is_member in (True, False):
            if not is_member:
                with tenancy.within(book.pk):
                    directory.leave(member_id=winner.pk, now=NOW, origin=origin_of(book))
            given.append(hold(book, *place(book, (1_000, 1)), customer_id=other.pk))

        assert (first, given) == (110, [0, 0])

    def test_a_change_makes_a_version_and_the_past_keeps_its_own(self, book, tiers):
        order, lines = place(book, (20_000, 1))
        hold(book, order, lines)
        take(book, order)
        draft = operations.draft_of(tiers)
        better = {"tiers": [{"from_minor": 20_000, "off_minor": 5_000}]}
        with tenancy.within(book.pk):
            operations.change(
                offer_id=tiers.pk,
                draft=replace(draft, terms=replace(draft.terms, effect=better)),
                now=NOW,
                origin=origin_of(book),
            )

        again = place(book, (20_000, 1))

        assert hold(book, *again) == 5_000
        with tenancy.within(book.pk):
            versions = {each.order_id: each.version for each in OfferRedemption.objects.all()}
            said = OfferVersion.objects.get(number=versions[order.pk]).terms["terms"]["effect"]["tiers"]
            old = Decision.objects.get(subject_id=order.pk)
            assert rules.replay(old)
        assert (versions[order.pk], versions[again[0].pk]) == (1, 2)
        assert said[1]["off_minor"] == 3_000


class TestEnd:
    def test_taking_uses_up_and_tells_once(self, book, tiers):
        order, lines = place(book, (20_000, 1))
        hold(book, order, lines)

        assert [len(take(book, order)), len(take(book, order))] == [1, 0]

        release(book, order)
        with tenancy.within(book.pk):
            told = list(Event.objects.filter(type="offer.redeemed").values_list("type", flat=True))
            assert queries.shares_of(order.pk)[0].amount_minor == 3_000
        assert (told, count_of(book, tiers)) == (["offer.redeemed"], (1, 3_000, 0))

    def test_releasing_gives_back_to_the_last_one(self, book):
        coupon = make(book, "Ten", "percent", TEN, trigger="code", limits={"redemptions_max": 1})
        with tenancy.within(book.pk):
            codes.create(offer=coupon, draft=CodeDraft(code="ONE", redemptions_max=1), now=NOW, origin=origin_of(book))
        first, second = place(book, (1_000, 1)), place(book, (1_000, 1))
        assert (hold(book, *first, "ONE"), hold(book, *second, "ONE")) == (100, 0)

        release(book, first[0])
        release(book, first[0])

        assert hold(book, *second, "ONE") == 100
        assert count_of(book, coupon) == (1, 100, 0)


class TestPricing:
    @pytest.mark.parametrize("size", [1, 20])
    def test_asks_as_often_for_one_as_for_many(self, book, customer, django_assert_num_queries, size):
        for number in range(size):
            make(book, f"Offer {number}", "percent", TEN, limits={"customer_max": 5}, is_first_only=True)
        order, lines = place(book, *[(1_000, 1)] * size)
        with tenancy.within(book.pk):
            cart = asked(order, lines, "NO", customer_id=customer.pk)

            queries.price(cart)

            # Zone, holdings, codes, offers; the member and the uses; earlier purchases.
            with django_assert_num_queries(7):
                queries.price(cart)


@pytest.mark.requirement("A52")
class TestMemberPrice:
    def test_is_for_the_tier_that_a_member_has_now(self, book, customer, django_assert_num_queries):
        programme = start(book)
        member = join(customer)
        gold, silver = (f"{ids.show('prog', programme.pk)}/{key}" for key in ("gold", "silver"))
        make(book, "Gold price", "tier_price", {"tiers": [{"from_quantity": 1, "unit_minor": 2_200}]},
             member_tiers=[gold])  # fmt: skip
        order, lines = place(book, (2_800, 2))
        priced = {}

        for key in ("", "silver", "gold"):
            with tenancy.within(book.pk):
                Standing.objects.update_or_create(
                    book_id=book.pk, programme=programme, member=member,
                    defaults={"tier": key, "created_at": NOW}, create_defaults={"id": ids.new(NOW), "created_at": NOW},
                )  # fmt: skip
                queries.price(asked(order, lines, customer_id=customer.pk))
                with django_assert_num_queries(6):
                    priced[key], cart, offers = queries.price(asked(order, lines, customer_id=customer.pk))
        with tenancy.within(book.pk):
            guest, _, _ = queries.price(asked(order, lines))

        assert [each.total_minor for each in (*priced.values(), guest)] == [5_600, 5_600, 4_400, 5_600]
        assert [why.say(reason, audience=why.CUSTOMER) for reason in priced["gold"].applied[0].reasons] == [
            "Gold price: you save CN¥12.00.",
            "This is your benefit as a Gold member.",
        ]
        assert [why.say(reason, audience=why.CUSTOMER) for reason in guest.refused] == [
            "“Gold price” is for Gold members."
        ]
        assert cart.tier_names == {gold: "Gold", silver: "Silver"}
        assert rules.evaluate(why.RULE, why.inputs(cart, offers, priced["gold"])) == why.verdict(priced["gold"])
