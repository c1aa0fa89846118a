"""Money that is held first: captured whole, in part or in parts, released, or run out."""

from datetime import timedelta

import pytest

from payments.intents import sweep
from tests.cast import NOW, fees_of, move_clock, owed_to
from tests.payments import books
from tests.payments.card_acts import at_the_acquirer, charges_of, paid, pay

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.usefixtures("acquirer")]


@pytest.fixture
def held(api):
    """A payment of ¥100.00 that the bank holds."""
    return paid(api, amount=10_000, capture_method="manual")


def capture(api, intent, amount=None, **more):
    return api.post(
        f"payment_intents/{intent['id']}/capture", {**({} if amount is None else {"amount_to_capture": amount}), **more}
    )


def cancel(api, intent, **params):
    return api.post(f"payment_intents/{intent['id']}/cancel", params)


def events_of(api, limit=50):
    return [event["type"] for event in api.get("events", {"limit": limit}).json["data"]][::-1]


@pytest.mark.requirement("A40")
class TestHolding:
    def test_moves_nothing_yet(self, api, book, held):
        charge = api.get(f"charges/{held['latest_charge']}").json

        assert (held["status"], held["amount_capturable"], held["amount_received"]) == ("requires_capture", 10_000, 0)
        assert (charge["captured"], charge["paid"], charge["status"]) == (False, True, "succeeded")
        assert (charge["amount_captured"], charge["balance_transaction"]) == (0, None)
        assert charge["payment_method_details"]["card"]["capture_before"] == int((NOW + timedelta(days=7)).timestamp())
        assert (owed_to(book), at_the_acquirer(book)) == (0, {})
        books.assert_agree()

    def test_is_refused_for_a_wallet(self, api, customer, wallet_method):
        from tests.payments.acts import pay as pay_wallet

        answered = pay_wallet(api, wallet_method(customer), capture_method="manual")

        assert (answered.status, answered.error["code"]) == (400, "capture_method_unsupported")


class TestCapture:
    def test_takes_all(self, api, book, held):
        answered = capture(api, held)

        intent = answered.json
        assert (answered.status, intent["status"]) == (200, "succeeded")
        assert (intent["amount_received"], intent["amount_capturable"]) == (10_000, 0)
        assert (owed_to(book), fees_of(book)) == (9_940, 60)
        assert at_the_acquirer(book) == {"capture": 10_000}
        assert "charge.captured" in events_of(api)
        books.assert_agree()

    def test_of_a_part_releases_the_rest(self, api, book, held):
        intent = capture(api, held, 3_000).json

        assert (intent["status"], intent["amount_received"], intent["amount_capturable"]) == ("succeeded", 3_000, 0)
        assert (owed_to(book), fees_of(book)) == (2_982, 18)
        assert capture(api, held, 1).error["code"] == "payment_intent_unexpected_state"
        books.assert_agree()

    def test_in_parts_posts_an_entry_each(self, api, book, held):
        first = capture(api, held, 3_000, final_capture=False).json
        second = capture(api, held, 2_500, final_capture=False).json
        last = capture(api, held, 1_000).json

        assert [(part["status"], part["amount_received"], part["amount_capturable"]) for part in (first, second)] == [
            ("requires_capture", 3_000, 7_000),
            ("requires_capture", 5_500, 4_500),
        ]
        assert (last["status"], last["amount_received"], last["amount_capturable"]) == ("succeeded", 6_500, 0)
        # Three captures cost what one of their sum would: 0.6 % of 6,500.
        assert (owed_to(book), fees_of(book)) == (6_461, 39)
        references = books.run("SELECT reference, amount_minor FROM payments_entry WHERE kind = 'charge' ORDER BY id")
        charge = held["latest_charge"]
        assert references == [
            (f"capture:{charge}:1", 3_000),
            (f"capture:{charge}:2", 2_500),
            (f"capture:{charge}:3", 1_000),
        ]
        books.assert_agree()

    def test_refuses_more_than_is_held(self, api, held):
        with books.unchanged():
            answered = capture(api, held, 10_001)

        assert (answered.status, answered.error["code"]) == (400, "amount_too_large")

    def test_refuses_what_is_not_held(self, api):
        intent = paid(api)

        answered = capture(api, intent)

        assert (answered.status, answered.error["code"]) == (400, "payment_intent_unexpected_state")


class TestRelease:
    def test_by_cancellation(self, api, book, held):
        answered = cancel(api, held, cancellation_reason="abandoned")

        intent = answered.json
        assert (answered.status, intent["status"]) == (200, "canceled")
        assert (intent["cancellation_reason"], intent["amount_capturable"]) == ("abandoned", 0)
        assert [charge.status for charge in charges_of(book)] == ["voided"]
        assert at_the_acquirer(book) == {}
        books.assert_agree()

    def test_after_seven_days(self, api, book, held):
        move_clock(book, NOW + timedelta(days=6, hours=23))
        assert sweep.release_expired(at=NOW) == 0
        move_clock(book, NOW + timedelta(days=7))

        released = sweep.release_expired(at=NOW)

        intent = api.get(f"payment_intents/{held['id']}").json
        assert released == 1
        assert (intent["status"], intent["cancellation_reason"]) == ("canceled", "automatic")
        assert [charge.status for charge in charges_of(book)] == ["voided"]
        assert events_of(api)[-2:] == ["charge.expired", "payment_intent.canceled"]
        assert sweep.release_expired(at=NOW) == 0
        books.assert_agree()

    def test_of_the_rest_after_seven_days(self, api, book, held):
        capture(api, held, 4_000, final_capture=False)
        move_clock(book, NOW + timedelta(days=8))

        sweep.release_expired(at=NOW)

        intent = api.get(f"payment_intents/{held['id']}").json
        assert (intent["status"], intent["amount_received"], intent["amount_capturable"]) == ("succeeded", 4_000, 0)
        assert owed_to(book) == 3_976
        books.assert_agree()

    def test_of_a_challenge_that_nobody_answers(self, api, book):
        intent = paid(api, "pm_card_threeDSecure2Required")

        answered = cancel(api, intent)

        assert (answered.status, answered.json["status"]) == (200, "canceled")
        assert [charge.status for charge in charges_of(book)] == ["voided"]
        books.assert_agree()


class TestOrderReference:
    def test_may_be_paid_after_its_first_intent_was_canceled(self, api, book):
        details = {"payment_details": {"order_reference": "INV-7"}}
        first = api.post("payment_intents", {"amount": 900, "currency": "cny", **details}).json
        cancel(api, first)

        answered = pay(api, amount=1_100, **details)

        assert (answered.status, answered.json["status"]) == (200, "succeeded")
        assert answered.json["order"] == first["order"]
        books.assert_agree()
