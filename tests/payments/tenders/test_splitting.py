"""An order paid by points, cards with value on them, a wallet and a card: all of it or nothing, and exactly back."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant_platform.kernel import ids, tenancy
from payments.catalog.models import Price
from payments.checkout import operations as checkout
from payments.checkout import paying, splitting
from payments.checkout.moments import Moment
from payments.intents import order_refunds
from payments.intents.models import PaymentIntent
from payments.intents.refunds import AlreadyRefunded
from payments.ledger import operations as ledger
from payments.orders import operations as orders
from tests.cast import NOW, origin_of, owed_to, race, shown
from tests.payers import Visitor, item, offer
from tests.payments import books
from tests.payments.card_acts import at_the_acquirer, sweep_until_quiet
from tests.payments.cases import SEED, cases
from tests.payments.tenders import points
from tests.payments.tenders.acts import MOMENT, Payer, gift, on_card

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A17")]
DECLINED = "4000000000000002"


@pytest.fixture(autouse=True)
def with_points(settings):
    settings.CHECKOUT_TENDERS = {**settings.CHECKOUT_TENDERS, "points": "tests.payments.tenders.points.Points"}


@pytest.fixture
def at_the_table(api, book, make_customer, payer):
    """A payer with points, a wallet, and a session to pay: `at_the_table(10_000, have=3_000)`."""

    def sit(total: int, *, have: int = 0):
        customer = make_customer(book)
        with tenancy.within(book.pk):
            points.fund(customer, have)
        session = offer(api, item(amount=total), customer=shown("cus", customer), customer_authenticated="true")
        seated = Payer(book, session, consumer_id=payer.wallet.consumer_id)
        seated.customer = customer
        return seated

    return sit


def points_of(book, customer):
    with tenancy.within(book.pk):
        return points.balance(customer.pk)


def refund(book, order, amount=None):
    with tenancy.within(book.pk):
        return order_refunds.refund(
            order_id=order.pk, amount_minor=amount, mode="test", now=NOW, origin=origin_of(book)
        )


@pytest.fixture
def hold(api):
    """Has the merchant's server authorise what tenders leave: an intent's id, or why not."""

    def authorise(seated, amount=8_000):
        held = api.post(
            "payment_intents",
            {
                "amount": amount,
                "currency": "cny",
                "capture_method": "manual",
                "confirm": True,
                "payment_method_data": {
                    "type": "card",
                    "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"},
                },
                "payment_details": {"order_reference": shown("ord", seated.order)},
                "return_url": "https://cafe.example/back",
            },
        )
        return held.json["id"] if held.status == 200 else held.json["error"]["code"]

    return authorise


class TestAll:
    def test_four_tenders_and_a_card_pay_one_order(self, api, book, payer, at_the_table, acquirer):
        seated = at_the_table(10_000, have=1_050)
        card, number, pin = gift(book, 2_000, 300)
        other, other_number, other_pin = gift(book, 500, kind="stored")
        seated.use("points", seated.customer.pk)
        assert seated.use_card(number, pin)
        assert seated.use_card(other_number, other_pin)
        seated.use("wallet", payer.wallet.pk, 1_200)

        seated.pay_by_card()

        order = seated.order
        assert (order.status, order.paid_minor, order.total_minor) == ("paid", 10_000, 10_000)
        assert seated.session.is_complete
        # The merchant is owed what is new money, less its fees: wallet 1,200 and card 5,000.
        assert owed_to(book) == 1_200 - 5 + 5_000 - 30
        assert at_the_acquirer(book) == {"capture": 5_000}
        assert points_of(book, seated.customer) == 50
        assert (on_card(book, card), on_card(book, other)) == ((0, 0), (0, 0))
        assert payer.balance == 50_000 - 1_200
        intents = {each["amount"]: each["status"] for each in api.get("payment_intents").json["data"]}
        assert intents == {5_000: "succeeded", 1_200: "succeeded"}
        assert api.get(f"orders/{shown('ord', order)}").json["amount_tendered"] == 5_000
        books.assert_agree()

    def test_without_a_card(self, book, at_the_table):
        seated = at_the_table(3_000, have=1_000)
        card, number, pin = gift(book, 2_500)
        seated.use("points", seated.customer.pk)
        seated.use_card(number, pin)

        session = seated.pay_by_tenders()

        assert (session.status, session.intent_id) == ("complete", None)
        assert (seated.order.status, owed_to(book)) == ("paid", 0)
        assert on_card(book, card) == (500, 0)
        books.assert_agree()

    def test_and_a_wallet_for_the_rest(self, book, payer, at_the_table):
        seated = at_the_table(3_000, have=1_000)
        seated.use("points", seated.customer.pk)

        session = seated.pay_by_wallet()

        assert (session.status, payer.balance, owed_to(book)) == ("complete", 48_000, 1_992)
        books.assert_agree()

    def test_stays_with_the_first_of_several_captures(self, api, hold, book, at_the_table, acquirer):
        seated = at_the_table(10_000)
        card, number, pin = gift(book, 2_000)
        seated.use_card(number, pin)
        held = hold(seated)

        first = api.post(f"payment_intents/{held}/capture", {"amount_to_capture": 3_000, "final_capture": False})
        second = api.post(f"payment_intents/{held}/capture", {"amount_to_capture": 5_000})

        assert (first.status, second.status, second.json["status"]) == (200, 200, "succeeded")
        assert (seated.order.status, seated.order.paid_minor, on_card(book, card)) == ("paid", 10_000, (0, 0))
        assert at_the_acquirer(book) == {"capture": 8_000}
        books.assert_agree()

    def test_of_who_signed_in_is_changed_by_nobody_else(self, book, payer, at_the_table):
        seated = at_the_table(10_000)
        stranger = Payer(book, {"id": ids.show("cs_test", seated.session_id)})
        seated.use("wallet", payer.wallet.pk, 1_000)

        with pytest.raises(splitting.NotRecognised):
            stranger.use("wallet", payer.wallet.pk, 10_000)

        assert [each.amount_minor for each in seated.tenders] == [1_000]
        with pytest.raises(paying.PriceChanged):
            stranger.pay_by_tenders()
        seated.use("wallet", payer.wallet.pk, 2_000)
        assert payer.balance == 50_000


class TestHeldByTheMerchant:
    """The merchant's server authorises what tenders leave, and captures later: all orders of who does what when."""

    def steps(self, api, intent, *acts):
        said = []
        for act in acts:
            if act == "cancel":
                done = api.post(f"payment_intents/{intent}/cancel", {})
            else:
                amount, is_final = act
                asked = {"amount_to_capture": amount, "final_capture": str(is_final).lower()}
                done = api.post(f"payment_intents/{intent}/capture", asked)
            said.append(done.json["status"] if done.status == 200 else done.json["error"]["code"])
        return said

    @pytest.mark.parametrize(
        ("acts", "said", "paid", "moved"),
        [
            ([(8_000, True)], ["succeeded"], 10_000, {"capture": 8_000}),
            ([(3_000, False), (5_000, True)], ["requires_capture", "succeeded"], 10_000, {"capture": 8_000}),
            ([(3_000, True)], ["succeeded"], 5_000, {"capture": 3_000}),
            ([(3_000, False), "cancel"], ["requires_capture", "succeeded"], 5_000, {"capture": 3_000}),
            (["cancel"], ["canceled"], 0, {}),
        ],
    )
    @pytest.mark.parametrize("chosen", ["before", "after"])
    def test_takes_the_tender_with_the_first_capture(
        self, api, book, at_the_table, acquirer, hold, chosen, acts, said, paid, moved
    ):
        seated = at_the_table(10_000)
        card, number, pin = gift(book, 2_000)
        if chosen == "before":
            seated.use_card(number, pin)
            intent = hold(seated)
        else:
            # What the bank holds is asked for already: nothing else is chosen beside it.
            intent = hold(seated)
            with pytest.raises(splitting.BeingPaid):
                seated.use_card(number, pin)
            paid = max(0, paid - 2_000)

        assert self.steps(api, intent, *acts) == said

        sweep_until_quiet()
        assert (seated.order.paid_minor, at_the_acquirer(book)) == (paid, moved)
        takes = chosen == "before" and paid
        assert on_card(book, card) == ((0, 0) if takes else (2_000, 0))
        assert [each.status for each in seated.tenders] == (
            [] if chosen == "after" else ["completed"] if takes else ["chosen"]
        )
        books.assert_agree()

    def test_leaves_a_rest_that_can_be_paid(self, api, book, at_the_table, acquirer, hold):
        seated = at_the_table(10_000)
        _, number, pin = gift(book, 2_000)
        seated.use_card(number, pin)
        self.steps(api, hold(seated), (3_000, True))

        assert self.steps(api, hold(seated, 5_000), (5_000, True)) == ["succeeded"]

        assert (seated.order.status, seated.order.paid_minor) == ("paid", 10_000)
        assert at_the_acquirer(book) == {"capture": 8_000}
        books.assert_agree()

    def test_outlives_a_new_price(self, api, book, acquirer, hold):
        product = api.post("products", {"name": "Beans"}).json
        price = api.post("prices", {"currency": "cny", "unit_amount": 10_000, "product": product["id"]}).json
        session = offer(api, {"price": price["id"]})
        seated, visitor = Payer(book, session), Visitor(session)
        intent = hold(seated, 10_000)
        with tenancy.within(book.pk):
            Price.objects.update(unit_amount_minor=9_000)
        visitor.open()

        assert self.steps(api, intent, (10_000, True)) == ["succeeded"]

        assert (seated.order.status, seated.order.total_minor) == ("paid", 10_000)
        books.assert_agree()

    def test_outlives_the_session(self, api, book, at_the_table, acquirer, hold):
        seated = at_the_table(10_000)
        _, number, pin = gift(book, 2_000)
        seated.use_card(number, pin)
        intent = hold(seated)
        later = Moment(MOMENT.now + timedelta(hours=25), MOMENT.recorded)
        with tenancy.within(book.pk):
            session = checkout.look_after(session_id=seated.session_id, moment=later, origin=origin_of(book))
            assert session.status == "open"
            with pytest.raises(checkout.SessionClosed):
                checkout.expire(session_id=seated.session_id, moment=MOMENT, origin=origin_of(book))

        assert self.steps(api, intent, (8_000, True)) == ["succeeded"]

        assert (seated.order.status, at_the_acquirer(book)) == ("paid", {"capture": 8_000})
        books.assert_agree()


class TestFailure:
    def test_gives_everything_back_and_can_be_tried_again(self, book, payer, at_the_table, acquirer):
        seated = at_the_table(10_000, have=1_000)
        card, number, pin = gift(book, 2_000, 300)
        seated.use("points", seated.customer.pk)
        seated.use_card(number, pin)
        seated.use("wallet", payer.wallet.pk, 1_200)

        seated.pay_by_card(DECLINED)

        assert [each.status for each in seated.tenders] == ["chosen"] * 3
        assert (points_of(book, seated.customer), on_card(book, card), payer.balance) == (1_000, (2_000, 300), 50_000)
        books.assert_agree()
        seated.pay_by_card()
        assert seated.session.is_complete
        books.assert_agree()

    def test_of_an_unknown_outcome_keeps_what_is_held(self, book, at_the_table, acquirer):
        seated = at_the_table(5_000)
        card, number, pin = gift(book, 2_000)
        seated.use_card(number, pin)
        acquirer.fail("timeout_after_commit", operation="authorise")
        seated.pay_by_card()

        # Neither the janitor nor the end of the session is faster than the bank's answer.
        later = NOW.replace(year=2027)
        ledger.void_expired(now=later)
        with tenancy.within(book.pk):
            session = checkout.look_after(
                session_id=seated.session_id, moment=MOMENT.__class__(later, later), origin=origin_of(book)
            )
        assert (session.status, on_card(book, card)) == ("open", (0, 0))
        assert [each.status for each in seated.tenders] == ["reserved"]
        books.assert_agree()

        sweep_until_quiet()
        assert (seated.order.status, [each.status for each in seated.tenders]) == ("paid", ["completed"])
        books.assert_agree()

    def test_of_one_tender_reserves_none(self, book, at_the_table, acquirer):
        first, second = at_the_table(5_000, have=1_000), at_the_table(2_000)
        _, number, pin = gift(book, 2_000)
        first.use("points", first.customer.pk)
        first.use_card(number, pin)
        second.use_card(number, pin)
        second.pay_by_tenders()

        with pytest.raises(paying.PriceChanged):
            first.pay_by_card()

        assert (points_of(book, first.customer), at_the_acquirer(book)) == (1_000, {})
        books.assert_agree()

    def test_that_turns_out_a_success_holds_again_or_is_given_back(self, book, at_the_table, acquirer, monkeypatch):
        seated, robbed = at_the_table(5_000), at_the_table(5_000)
        late = {}
        for each in (seated, robbed):
            each.card, number, pin = gift(book, 2_000)
            each.number, each.pin = number, pin
            each.use_card(number, pin)
            acquirer.fail("timeout_after_commit", operation="authorise")
            each.pay_by_card()
            late[each] = each
            _conclude_as_lost(book, each)
        assert [each.status for each in seated.tenders] == ["chosen"]
        thief = at_the_table(2_000)
        thief.use_card(robbed.number, robbed.pin)
        thief.pay_by_tenders()

        for each in (seated, robbed):
            _hear(book, each)

        assert (seated.order.status, robbed.order.status) == ("paid", "open")
        sweep_until_quiet()
        assert at_the_acquirer(book) == {"capture": 6_000, "refund": -3_000}
        books.assert_agree()


def _attempt(book, seated):
    with tenancy.within(book.pk):
        return PaymentIntent.objects.get(pk=seated.session.intent_id).latest_attempt_id


def _conclude_as_lost(book, seated):
    from payments.intents import outcomes

    with tenancy.within(book.pk):
        outcomes.never_arrived(attempt_id=_attempt(book, seated), now=NOW, origin=origin_of(book))


def _hear(book, seated):
    from payments.intents import outcomes
    from payments.providers import port

    key = shown("ch", _attempt(book, seated))
    report = port.find("sandbox").query(key=key, account=book.pk.hex, now=NOW)
    with tenancy.within(book.pk):
        outcomes.record_outcome(
            attempt_id=_attempt(book, seated), report=report, mode="test", now=NOW, origin=origin_of(book)
        )


class TestRace:
    def test_fifty_spends_of_the_last_value_are_one(self, api, book, at_the_table):
        card, number, pin = gift(book, 1_000)
        seats = [at_the_table(1_000) for _ in range(10)]
        for seat in seats:
            seat.use_card(number, pin)

        def spend(seat):
            with suppress(paying.PriceChanged):
                seat.pay_by_tenders()

        race(*(lambda seat=seat: spend(seat) for seat in seats * 5))

        assert sum(seat.session.is_complete for seat in seats) == 1
        assert on_card(book, card) == (0, 0)
        books.assert_agree()

    def test_two_tabs_pay_once(self, book, at_the_table, acquirer):
        seated = at_the_table(3_000)
        card, number, pin = gift(book, 2_000)
        seated.use_card(number, pin)

        race(seated.pay_by_card, seated.pay_by_card)

        assert (seated.order.paid_minor, on_card(book, card)) == (3_000, (0, 0))
        assert at_the_acquirer(book) == {"capture": 1_000}
        books.assert_agree()


class TestRefund:
    def test_runs_in_reverse_and_is_capped_by_tender(self, book, payer, at_the_table, acquirer):
        seated = at_the_table(10_000, have=2_000)
        card, number, pin = gift(book, 2_000, 500)
        seated.use("points", seated.customer.pk)
        seated.use_card(number, pin)
        seated.use("wallet", payer.wallet.pk, 1_500)
        seated.pay_by_card()  # 4,000

        steps = []
        for amount in (3_000, 2_000, 1_000, 2_600, 1_400):
            refund(book, seated.order, amount)
            sweep_until_quiet()
            back = -at_the_acquirer(book).get("refund", 0)
            steps.append((back, payer.balance - 48_500, on_card(book, card), points_of(book, seated.customer)))

        assert steps == [
            (3_000, 0, (0, 0), 0),
            (4_000, 1_000, (0, 0), 0),
            (4_000, 1_500, (0, 500), 0),
            (4_000, 1_500, (2_000, 500), 600),
            (4_000, 1_500, (2_000, 500), 2_000),
        ]
        assert (seated.order.refunded_minor, owed_to(book)) == (10_000, 0)
        with pytest.raises(AlreadyRefunded):
            refund(book, seated.order)
        books.assert_agree()


@cases(10)
def test_conserves_whatever_happens(cases_max, api, book, payer, at_the_table, acquirer, proven):
    """Tenders × what the card's provider does × refunds: one outcome, nothing lost, nothing made."""
    proven(cases_max)
    part = st.integers(0, 40).map(lambda steps: steps * 100)

    @settings(
        max_examples=cases_max,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(
        have=part,
        paid=part,
        bonus=part,
        wallet=part,
        road=st.sampled_from(
            ["good", "declined", "timeout_before_commit", "timeout_after_commit", "reset_after_commit"]
        ),
        refunds=st.lists(st.integers(1, 9_000), max_size=4),
    )
    def try_one(have, paid, bonus, wallet, road, refunds):
        seated = at_the_table(9_001, have=have)
        card, number, pin = gift(book, paid, bonus)
        before = payer.balance, owed_to(book), dict(at_the_acquirer(book))
        if have:
            seated.use("points", seated.customer.pk)
        if paid + bonus:
            seated.use_card(number, pin)
        left = seated.order.total_minor - seated.order.tendered_minor
        if wallet and left:
            seated.use("wallet", payer.wallet.pk, min(wallet, left))
        if seated.order.total_minor == seated.order.tendered_minor:
            seated.pay_by_tenders()
        elif road == "declined":
            seated.pay_by_card(DECLINED)
        else:
            if road != "good":
                with suppress(Exception):
                    acquirer.fail(road, operation="authorise")
            seated.pay_by_card()
            sweep_until_quiet()
            acquirer.heal()
        order = seated.order
        assert (order.status, order.paid_minor) in (("paid", 9_001), ("open", 0))
        statuses = {each.status for each in seated.tenders}
        assert statuses <= ({"completed"} if order.paid_minor else {"chosen"})
        for amount in refunds:
            left = order.paid_minor - order.refunded_minor
            if left:
                refund(book, order, min(amount, left))
                order = seated.order
        if order.paid_minor - order.refunded_minor:
            refund(book, order)
        sweep_until_quiet()
        # All went back, each the way it came.
        assert points_of(book, seated.customer) == have
        assert on_card(book, card) == (paid, bonus)
        assert (payer.balance, owed_to(book)) == before[:2]
        books.assert_agree()

    try_one = __import__("hypothesis").seed(SEED)(try_one)
    try_one()


def test_an_order_says_what_is_owed(book, at_the_table):
    seated = at_the_table(2_000, have=500)
    seated.use("points", seated.customer.pk)
    with tenancy.within(book.pk):
        assert orders.lock(seated.order.pk).owed_minor == 2_000
