"""Card payments through the doors, with the acquirer in its own process."""

import pytest

from tests.cast import fees_of, owed_to
from tests.payments import books
from tests.payments.card_acts import VISA, at_the_acquirer, by_number, charges_of, paid, pay

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.usefixtures("acquirer")]

DECLINES = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", None),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", None),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", None),
}


@pytest.mark.requirement("A40")
class TestPaying:
    @pytest.mark.parametrize(
        ("name", "brand"),
        [
            ("pm_card_visa", "visa"),
            ("pm_card_mastercard", "mastercard"),
            ("pm_card_amex", "amex"),
            ("pm_card_unionpay", "unionpay"),
        ],
    )
    def test_takes_the_money(self, api, book, name, brand):
        answered = pay(api, name, 12_345)

        intent = answered.json
        charge = api.get(f"charges/{intent['latest_charge']}").json
        assert (answered.status, intent["status"], intent["amount_received"]) == (200, "succeeded", 12_345)
        assert (charge["status"], charge["paid"], charge["captured"], charge["amount_captured"]) == (
            "succeeded",
            True,
            True,
            12_345,
        )
        assert charge["payment_method_details"]["card"]["brand"] == brand
        # 0.6 % of 12,345 is 74.07.
        assert (owed_to(book), fees_of(book)) == (12_345 - 74, 74)
        assert at_the_acquirer(book) == {"capture": 12_345}
        books.assert_agree()

    @pytest.mark.parametrize(("amount", "fee"), [(250, 2), (750, 4), (83, 0), (84, 1)])
    def test_rounds_the_fee_half_even(self, api, book, amount, fee):
        paid(api, amount=amount)

        assert fees_of(book) == fee

    def test_takes_a_card_in_the_clear(self, api, book):
        intent = paid(api, None, **by_number(VISA))

        method = api.get(f"payment_methods/{intent['payment_method']}").json
        assert (method["card"]["last4"], method["card"]["exp_year"], method["card"]["brand"]) == ("4242", 2034, "visa")
        assert owed_to(book) == 9_940

    def test_answers_the_same_again(self, api, book):
        first = pay(api, key="once")
        again = pay(api, key="once")

        assert again.json == first.json
        assert again.headers["Idempotent-Replayed"] == "true"
        assert len(charges_of(book)) == 1


class TestDeclines:
    @pytest.mark.parametrize("name", DECLINES)
    def test_answer_402_with_their_code(self, api, book, name):
        answered = pay(api, name, key="declined")
        again = pay(api, name, key="declined")

        error = answered.error
        code, decline_code = DECLINES[name]
        assert answered.status == 402
        assert (error["type"], error["code"], error.get("decline_code")) == ("card_error", code, decline_code)
        intent = error["payment_intent"]
        assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
        assert intent["last_payment_error"]["code"] == code
        charge = api.get(f"charges/{error['charge']}").json
        assert (charge["status"], charge["paid"], charge["failure_code"]) == ("failed", False, code)
        assert again.json == answered.json
        assert owed_to(book) == 0
        assert books.counts().get("payments_entry") is None
        books.assert_agree()

    def test_of_a_number_that_cannot_be(self, api):
        with books.unchanged():
            answered = pay(api, None, **by_number("4242424242424241"))

        assert answered.status == 402
        assert (answered.error["type"], answered.error["code"]) == ("card_error", "incorrect_number")

    def test_may_be_followed_by_another_card(self, api, book):
        intent = pay(api, "pm_card_chargeDeclined").error["payment_intent"]

        answered = api.post(f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})

        assert (answered.status, answered.json["status"]) == (200, "succeeded")
        assert answered.json["last_payment_error"] is None
        assert [charge.status for charge in charges_of(book)] == ["declined", "captured"]
        books.assert_agree()


class TestChallenges:
    def test_lead_the_payer_to_the_bank(self, api):
        intent = paid(api, "pm_card_threeDSecure2Required", return_url="https://shop.example/back")

        action = intent["next_action"]
        assert (intent["status"], action["type"]) == ("requires_action", "redirect_to_url")
        assert action["redirect_to_url"]["return_url"] == "https://shop.example/back"

    def test_off_session_are_declines(self, api):
        answered = pay(api, "pm_card_threeDSecure2Required", off_session=True)

        assert answered.status == 402
        assert answered.error["code"] == "authentication_required"
        assert answered.error["payment_intent"]["status"] == "requires_payment_method"
