"""Bonus points of offers: granted once, to members, as far as the budget reaches; refunds take back their share."""

import pytest

from members.loyalty import bonuses, following, operations, queries
from members.loyalty.bonuses import Bonus
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.events.models import Event
from payments.ledger.models import Entry
from security.audit.operations import PLATFORM
from security.privacy import operations as consents
from security.privacy.wording import PERSONALISATION
from tests.cast import NOW, move_clock, origin_of, race, shown
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import DAY, catch_up, points
from tests.members.offers import book as offers
from tests.payers import Visitor, item, offer
from tests.payments import books

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A24")]
BUDGET, POINTS = 100, 31


@pytest.fixture
def programme(book):
    made = scheme.start(book)
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=made.pk, points=BUDGET, reference="budget", now=NOW)
    return made


@pytest.fixture
def member(customer):
    return scheme.join(customer)


def left(programme):
    with tenancy.within(programme.book_id):
        return queries.budget_left(programme)


def promised(book, customer, amount=POINTS, **more):
    order, _ = offers.place(book, (10_000, 1), customer_id=customer.pk)
    said = {"customer_id": customer.pk, "currency": "CNY", "points": amount, **more}
    return Bonus(redemption=ids.show("redm", ids.new(NOW)), order_id=order.pk, paid_at=NOW, **said)


def grant(book, bonus):
    with tenancy.within(book.pk):
        return bonuses.grant(bonus=bonus, now=NOW, origin=origin_of(book))


class TestOffer:
    def test_pays_its_bonus_once_and_a_refund_takes_back_its_share(self, api, book, programme, member, customer, payer):
        with tenancy.within(book.pk):
            consents.grant(customer_id=customer.pk, purpose=PERSONALISATION, source="test", now=NOW, actor=PLATFORM)
        rule = {"feature": "frequency", "at_least": 0, "off_ppm": 100_000, "bonus_points": POINTS}
        offers.make(book, "For you", "personal", {"rules": [rule]})
        session = offer(api, item(amount=10_000), customer=shown("cus", customer))
        visitor = Visitor(session)
        visitor.sign_in(payer)
        visitor.pay()
        catch_up(book)
        with tenancy.within(book.pk):
            event = Event.objects.get(type="offer.redeemed")
            following.grant_bonus(event)
            entry = Entry.objects.get(kind="points_bonus")

        # ¥90.00 earned 90; the bonus waits with them.
        assert (visitor.stage, points(member, programme)) == ("paid", (0, 90 + POINTS, 0))
        assert (left(programme), entry.reference.startswith("bonus:redm_")) == (BUDGET - POINTS, True)

        order = session["order"]
        for amount in (4_500, 1):
            assert api.post(f"orders/{order}/refund", {"amount": amount}).status == 200
            catch_up(book)
        half = points(member, programme)
        assert api.post(f"orders/{order}/refund", {}).status == 200
        catch_up(book)

        assert half == (0, 44 + 15, 0)
        assert (points(member, programme), left(programme)) == ((0, 0, 0), BUDGET)
        scheme.assert_proved()
        books.assert_agree()


class TestGrant:
    def test_is_made_once_however_often_and_at_once_it_is_told(self, book, programme, member, customer):
        bonus = promised(book, customer)

        made = race(*[lambda: grant(book, bonus)] * 3)

        assert sum(entry is not None for entry in made) == 1
        assert (points(member, programme), left(programme)) == ((0, POINTS, 0), BUDGET - POINTS)
        move_clock(book, NOW + 7 * DAY)
        scheme.settle(member, programme)
        assert points(member, programme) == (POINTS, 0, 0)
        scheme.assert_proved()

    def test_ends_where_the_budget_does(self, book, programme, member, customer):
        promises = [promised(book, customer, 40) for _ in range(3)]

        made = race(*[lambda bonus=bonus: grant(book, bonus) for bonus in promises])

        assert sum(entry is not None for entry in made) == 2
        assert (points(member, programme), left(programme)) == ((0, 80, 0), 20)
        scheme.assert_proved()

    @pytest.mark.parametrize(
        ("is_member", "more", "reason"),
        [
            (False, {}, "bonus_no_member"),
            (True, {"points": BUDGET + 1}, "bonus_no_budget"),
            (True, {"currency": "EUR"}, "bonus_no_programme"),
        ],
    )
    def test_that_is_not_made_says_why_and_moves_nothing(self, book, programme, customer, is_member, more, reason):
        if is_member:
            scheme.join(customer)
        bonus = promised(book, customer, **more)

        made = [grant(book, bonus) for _ in range(2)]

        with tenancy.within(book.pk):
            decision = Decision.objects.get(rule=bonuses.RULE)
            assert rules.replay(decision)
            assert not Entry.objects.filter(kind="points_bonus").exists()
        assert (made, decision.verdict, decision.subject_id) == ([None, None], "nothing", bonus.order_id)
        assert [each["code"] for each in decision.reasons] == [reason]
        assert left(programme) == BUDGET

    def test_of_a_stranger_is_nobodys_here(self, book, programme, customer, other_book, member):
        bonus = promised(book, customer)

        assert grant(other_book, bonus) is None
        assert points(member, programme) == (0, 0, 0)


def paid_with_bonus(api, book, customer):
    """An order paid by card, whose bonus was granted."""
    bonus = promised(book, customer)
    grant(book, bonus)
    terms = {
        "amount": 10_000,
        "currency": "cny",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "payment_details": {"order_reference": ids.show("ord", bonus.order_id)},
    }
    assert api.post("payment_intents", terms).status == 200
    return bonus.order_id


def refunded(api, book, order_id):
    """The status of refunding all of an order, whose bonus follows: once, however often it is told."""
    status = api.post(f"orders/{ids.show('ord', order_id)}/refund", {}).status
    for _ in range(2):
        with tenancy.within(book.pk):
            bonuses.take_back(order_id=order_id, now=NOW, origin=origin_of(book))
    return status


class TestTakeBack:
    def test_makes_a_debt_of_what_was_spent(self, api, book, member, customer, acquirer):
        programme = scheme.start(book, pending_days=0, rules=[])
        with tenancy.within(book.pk):
            operations.set_budget(programme_id=programme.pk, points=BUDGET, reference="budget", now=NOW)
        order = paid_with_bonus(api, book, customer)
        scheme.spend(member, programme, 21)

        assert refunded(api, book, order) == 200

        # ¥100 back, 31 points given, 21 of them spent: nobody is richer for having been refunded.
        assert (points(member, programme), left(programme)) == ((0, 0, 21), BUDGET)
        scheme.assert_proved()

    def test_of_a_bonus_that_paid_a_debt_is_owed_again(self, api, book, member, customer, acquirer):
        programme = scheme.start(book, pending_days=0, rules=[])
        with tenancy.within(book.pk):
            operations.set_budget(programme_id=programme.pk, points=BUDGET, reference="budget", now=NOW)
        orders = [paid_with_bonus(api, book, customer) for _ in range(2)]
        scheme.spend(member, programme, 2 * POINTS)
        refunds = [refunded(api, book, order) for order in orders]
        owing = points(member, programme)

        third = paid_with_bonus(api, book, customer)
        paying = points(member, programme)
        refunds.append(refunded(api, book, third))

        assert refunds == [200] * 3
        assert (owing, paying) == ((0, 0, 2 * POINTS), (0, 0, POINTS))
        assert (points(member, programme), left(programme)) == ((0, 0, 2 * POINTS), BUDGET)
        scheme.assert_proved()
