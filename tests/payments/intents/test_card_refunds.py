"""Refunds of cards: pending, done, failed; never more than was captured."""

import pytest

from tests.cast import fees_of, owed_to, race
from tests.payments import books
from tests.payments.card_acts import at_the_acquirer, notices, paid, sweep_until_quiet

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def refund(api, intent, amount=None, **more):
    return api.post(
        "refunds", {"payment_intent": intent["id"], **({} if amount is None else {"amount": amount}), **more}
    )


def types(api):
    return [event["type"] for event in api.get("events", {"limit": 30}).json["data"]][::-1]


@pytest.mark.usefixtures("acquirer")
class TestRefund:
    def test_gives_back_the_money_and_the_fees_share(self, api, book):
        intent = paid(api)

        given = refund(api, intent, 5_000).json

        charge = api.get(f"charges/{intent['latest_charge']}").json
        assert (given["status"], given["amount"], given["failure_reason"]) == ("succeeded", 5_000, None)
        assert (charge["amount_refunded"], charge["refunded"]) == (5_000, False)
        assert (owed_to(book), fees_of(book)) == (4_970, 30)
        assert at_the_acquirer(book) == {"capture": 10_000, "refund": -5_000}
        books.assert_agree()

    def test_refuses_more_than_is_left(self, api):
        intent = paid(api)
        refund(api, intent, 9_000)

        with books.unchanged():
            answered = refund(api, intent, 1_001)

        assert (answered.status, answered.error["code"]) == (400, "charge_refund_amount_exceeded")

    def test_refuses_what_is_only_held(self, api):
        intent = paid(api, capture_method="manual")

        answered = refund(api, intent)

        assert (answered.status, answered.error["code"]) == (400, "charge_not_refundable")

    @pytest.mark.requirement("A40")
    def test_never_gives_back_more_in_a_race(self, api, book):
        intent = paid(api)

        answers = race(*[lambda: refund(api, intent, 1_500) for _ in range(16)])

        assert sorted(answer.status for answer in answers) == [200] * 6 + [400] * 10
        assert at_the_acquirer(book) == {"capture": 10_000, "refund": -9_000}
        books.assert_agree()


class TestPending:
    def test_succeeds_by_a_notice(self, api, book, acquirer):
        intent = paid(api, "pm_card_pendingRefund")

        given = refund(api, intent).json
        acquirer.hurry("refund")
        acquirer.wait_for_notices(1)
        notices(acquirer)
        notices(acquirer)

        found = api.get(f"refunds/{given['id']}").json
        assert (given["status"], given["pending_reason"]) == ("pending", "processing")
        assert (found["status"], found["pending_reason"]) == ("succeeded", None)
        assert types(api).count("refund.updated") == 1
        books.assert_agree()

    def test_succeeds_by_the_sweep(self, api, acquirer):
        intent = paid(api, "pm_card_pendingRefund")
        given = refund(api, intent).json
        acquirer.hurry("refund")

        sweep_until_quiet()

        assert api.get(f"refunds/{given['id']}").json["status"] == "succeeded"
        books.assert_agree()


class TestFailed:
    def test_returns_the_money_to_the_merchant(self, api, book, acquirer):
        intent = paid(api, "pm_card_refundFail")
        before = owed_to(book), fees_of(book)
        given = refund(api, intent, 3_333).json
        acquirer.hurry("refund")
        acquirer.wait_for_notices(1)

        notices(acquirer)
        notices(acquirer)

        found = api.get(f"refunds/{given['id']}", {"expand[]": "failure_balance_transaction"}).json
        charge = api.get(f"charges/{intent['latest_charge']}").json
        assert (given["status"], found["status"]) == ("succeeded", "failed")
        assert found["failure_reason"] == "expired_or_canceled_card"
        assert found["failure_balance_transaction"]["amount"] == 3_333
        assert charge["amount_refunded"] == 0
        assert (owed_to(book), fees_of(book)) == before
        assert at_the_acquirer(book) == {"capture": 10_000, "refund": -3_333, "refund_failed": 3_333}
        assert [name for name in types(api) if "refund" in name] == [
            "charge.refunded",
            "refund.created",
            "refund.updated",
            "charge.refund.updated",
            "refund.failed",
            "refund.updated",
            "charge.refund.updated",
        ]
        books.assert_agree()

    def test_may_be_tried_again_and_gives_back_the_whole_fee(self, api, book, acquirer):
        intent = paid(api, "pm_card_refundFail", 10_000)
        refund(api, intent, 3_333)
        acquirer.hurry("refund")
        acquirer.wait_for_notices(1)
        notices(acquirer)

        answers = [refund(api, intent, amount).status for amount in (3_333, 3_333, 3_334)]

        assert answers == [200, 200, 200]
        assert (owed_to(book), fees_of(book)) == (0, 0)
        books.assert_agree()


@pytest.mark.usefixtures("acquirer")
class TestSteps:
    def test_refuses_what_the_currency_cannot_pay(self, api):
        intent = paid(api, amount=1_230, currency="kwd")

        with books.unchanged():
            answered = refund(api, intent, 5)

        assert (answered.status, answered.error["param"]) == (400, "amount")
        assert answered.error["code"] == "parameter_invalid_integer"

    def test_shares_of_lines_are_in_steps(self, api, book):
        product = api.post("products", {"name": "Tea"}).json
        price = api.post("prices", {"product": product["id"], "currency": "kwd", "unit_amount": 1_010}).json
        order = api.post(
            "orders", {"currency": "kwd", "line_items": [{"price": price["id"], "quantity": 3}], "reference": "T1"}
        ).json
        line = order["lines"]["data"][0] if isinstance(order["lines"], dict) else order["lines"][0]
        intent = paid(api, amount=3_030, currency="kwd", payment_details={"order_reference": "T1"})

        given = refund(api, intent, lines=[{"line": line["id"], "quantity": 1}])
        rest = refund(api, intent)

        assert (given.status, given.json["amount"], rest.json["amount"]) == (200, 1_010, 2_020)
        books.assert_agree()
