"""Whatever goes wrong on the way: one charge, the right state, books that agree, and nobody told "failed" too early."""

from datetime import timedelta

import pytest

from merchant_platform.kernel import idempotency, tenancy
from payments.intents import provider_road, sweep
from payments.providers.sandbox.acquirer.faults import NOTICE_FAULTS, ROAD_FAULTS
from tests.cast import NOW, origin_of, owed_to
from tests.payments import books
from tests.payments.card_acts import (
    answer_challenge,
    at_the_acquirer,
    charges_of,
    notices,
    paid,
    pay,
    sweep_until_quiet,
)

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
SILENT = [name for name in ROAD_FAULTS if name != "slow"]
BEFORE = [name for name in SILENT if name.endswith("before_commit")]


def again(api, intent):
    return api.get(f"payment_intents/{intent['id']}").json


@pytest.mark.requirement("A40")
class TestPaying:
    @pytest.mark.parametrize("fault", ROAD_FAULTS)
    def test_ends_in_exactly_one_charge(self, api, book, acquirer, fault):
        acquirer.fail(fault, operation="authorise")

        answered = pay(api)

        assert answered.status == 200
        assert answered.json["status"] in ("processing", "succeeded")
        assert answered.json["last_payment_error"] is None
        sweep_until_quiet()
        found = again(api, answered.json)
        if fault in BEFORE:
            # It never arrived, so the intent may be paid again, and is.
            assert (found["status"], found["last_payment_error"]["code"]) == (
                "requires_payment_method",
                "processing_error",
            )
            second = api.post(f"payment_intents/{found['id']}/confirm", {"payment_method": "pm_card_visa"})
            assert second.json["status"] == "succeeded"
        else:
            assert found["status"] == "succeeded"
        assert (owed_to(book), at_the_acquirer(book)) == (9_940, {"capture": 10_000})
        books.assert_agree()

    @pytest.mark.parametrize("fault", SILENT)
    def test_refuses_a_second_attempt_while_one_is_unknown(self, api, book, acquirer, fault):
        acquirer.fail(fault, operation="authorise")
        intent = pay(api).json

        answered = api.post(f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
        given_up = api.post(f"payment_intents/{intent['id']}/cancel")

        assert (answered.status, answered.error["code"]) == (400, "payment_intent_unexpected_state")
        assert (given_up.status, given_up.error["code"]) == (400, "payment_intent_unexpected_state")
        assert [charge.status for charge in charges_of(book)] == ["unknown"]

    def test_where_nobody_can_be_reached_is_payable_again_at_once(self, api, book, acquirer, settings):
        settings.SANDBOX_ACQUIRER_URL = "http://127.0.0.1:1"

        answered = pay(api)

        assert (answered.status, answered.error["code"]) == (402, "processing_error")
        assert answered.error["payment_intent"]["status"] == "requires_payment_method"
        assert [charge.status for charge in charges_of(book)] == ["declined"]
        books.assert_agree()

    def test_is_given_up_at_the_second_asking_only(self, api, book, acquirer):
        acquirer.fail("timeout_before_commit", operation="authorise")
        pay(api)
        told = []
        for seconds in (0, 11, 30, 72):
            sweep.sweep(at=NOW + timedelta(seconds=seconds))
            told.append(charges_of(book)[0].status)

        assert told == ["unknown", "unknown", "unknown", "voided"]

    def test_is_resolved_by_looking(self, api, book, acquirer):
        acquirer.fail("timeout_after_commit", operation="authorise")
        intent = pay(api).json
        (charge,) = charges_of(book)

        seen = provider_road.look(
            intent_id=charge.intent_id, book_id=book.pk, mode="test", now=NOW, origin=origin_of(book)
        )

        assert (intent["status"], seen.status) == ("processing", "succeeded")
        books.assert_agree()

    def test_is_resolved_by_a_notice(self, api, book, acquirer):
        acquirer.fail("timeout_after_commit", operation="authorise")
        acquirer.fail("echoed_notice")
        intent = pay(api).json
        acquirer.wait_for_notices(1)

        notices(acquirer)

        assert again(api, intent)["status"] == "succeeded"
        books.assert_agree()

    def test_with_a_key_answers_409_then_what_the_sweep_found(self, api, book, acquirer, monkeypatch):
        def dies(*_, **__):
            raise SystemExit  # the process ends between its two transactions

        with monkeypatch.context() as patched:
            patched.setattr(provider_road, "ask", dies)
            with pytest.raises(SystemExit):
                pay(api, key="once")
        meanwhile = pay(api, key="once")
        books.run("UPDATE kernel_idempotencykey SET created_at = created_at - interval '61 seconds'")
        wall = NOW + timedelta(days=400)
        sweep_until_quiet()
        sweep.answer_in_flight(at=wall)
        after = pay(api, key="once")

        assert (meanwhile.status, meanwhile.error["code"]) == (409, "idempotency_key_in_use")
        assert (after.status, after.error["code"]) == (402, "processing_error")
        assert after.headers["Idempotent-Replayed"] == "true"
        assert idempotency.in_flight(now=wall) == []
        assert at_the_acquirer(book) == {}
        books.assert_agree()


class TestLateMoney:
    def test_of_a_closed_intent_is_given_back(self, api, book, acquirer):
        acquirer.fail("timeout_after_commit", operation="authorise")
        intent = pay(api).json
        # We concluded too early that it never arrived, and the merchant gave the intent up.
        from payments.intents import outcomes

        (charge,) = charges_of(book)
        with tenancy.within(book.pk):
            outcomes.never_arrived(attempt_id=charge.pk, now=NOW, origin=origin_of(book))
        assert api.post(f"payment_intents/{intent['id']}/cancel").status == 200
        report = provider_road.port.find("sandbox").query(key=intent["latest_charge"], account=book.pk.hex)

        for _ in range(2):
            with tenancy.within(book.pk):
                outcomes.record_outcome(
                    attempt_id=charge.pk, report=report, mode="test", now=NOW, origin=origin_of(book)
                )
        sweep_until_quiet()

        (charge,) = charges_of(book)
        assert (charge.status, charge.is_late, charge.refunded_minor) == ("captured", True, 10_000)
        (refund,) = api.get("refunds").json["data"]
        assert (refund["status"], refund["amount"], refund["reason"]) == (
            "succeeded",
            10_000,
            "expired_uncaptured_charge",
        )
        assert again(api, intent)["status"] == "canceled"
        assert (owed_to(book), at_the_acquirer(book)) == (0, {"capture": 10_000, "refund": -10_000})
        books.assert_agree()

    def test_that_is_only_held_is_released(self, api, book, acquirer):
        from payments.intents import outcomes

        acquirer.fail("timeout_after_commit", operation="authorise")
        intent = pay(api, capture_method="manual").json
        (charge,) = charges_of(book)
        with tenancy.within(book.pk):
            outcomes.never_arrived(attempt_id=charge.pk, now=NOW, origin=origin_of(book))
        api.post(f"payment_intents/{intent['id']}/cancel")
        report = provider_road.port.find("sandbox").query(key=intent["latest_charge"], account=book.pk.hex)
        with tenancy.within(book.pk):
            outcomes.record_outcome(attempt_id=charge.pk, report=report, mode="test", now=NOW, origin=origin_of(book))

        sweep_until_quiet()

        (charge,) = charges_of(book)
        assert (charge.status, charge.is_late, charge.captured_minor) == ("voided", True, 0)
        assert at_the_acquirer(book) == {}
        books.assert_agree()

    def test_of_an_intent_that_still_waits_pays_it(self, api, book, acquirer):
        from payments.intents import outcomes

        acquirer.fail("timeout_after_commit", operation="authorise")
        intent = pay(api).json
        (charge,) = charges_of(book)
        with tenancy.within(book.pk):
            outcomes.never_arrived(attempt_id=charge.pk, now=NOW, origin=origin_of(book))
        report = provider_road.port.find("sandbox").query(key=intent["latest_charge"], account=book.pk.hex)

        with tenancy.within(book.pk):
            outcomes.record_outcome(attempt_id=charge.pk, report=report, mode="test", now=NOW, origin=origin_of(book))

        assert again(api, intent)["status"] == "succeeded"
        assert owed_to(book) == 9_940
        books.assert_agree()


class TestCapturing:
    @pytest.mark.parametrize("fault", ROAD_FAULTS)
    def test_ends_in_exactly_one_capture(self, api, book, acquirer, fault):
        intent = paid(api, capture_method="manual")
        acquirer.fail(fault, operation="capture")

        answered = api.post(f"payment_intents/{intent['id']}/capture", {"amount_to_capture": 6_000})
        sweep_until_quiet()

        assert answered.status == 200
        assert answered.json["status"] in ("processing", "succeeded")
        found = again(api, intent)
        assert (found["status"], found["amount_received"], found["amount_capturable"]) == ("succeeded", 6_000, 0)
        assert (owed_to(book), at_the_acquirer(book)) == (5_964, {"capture": 6_000})
        books.assert_agree()


class TestReleasing:
    @pytest.mark.parametrize("fault", ROAD_FAULTS)
    def test_ends_in_a_canceled_intent(self, api, book, acquirer, fault):
        intent = paid(api, capture_method="manual")
        acquirer.fail(fault, operation="void")

        answered = api.post(f"payment_intents/{intent['id']}/cancel", {"cancellation_reason": "duplicate"})
        sweep_until_quiet()

        assert answered.status == 200
        assert answered.json["status"] in ("processing", "canceled")
        found = again(api, intent)
        assert (found["status"], found["cancellation_reason"]) == ("canceled", "duplicate")
        assert at_the_acquirer(book) == {}
        books.assert_agree()


class TestRefunding:
    @pytest.mark.parametrize("fault", ROAD_FAULTS)
    def test_ends_in_exactly_one_refund(self, api, book, acquirer, fault):
        intent = paid(api)
        acquirer.fail(fault, operation="refund")

        answered = api.post("refunds", {"payment_intent": intent["id"], "amount": 4_000})
        sweep_until_quiet()

        assert answered.status == 200
        assert answered.json["status"] in ("pending", "succeeded")
        found = api.get(f"refunds/{answered.json['id']}").json
        assert (found["status"], found["amount"]) == ("succeeded", 4_000)
        assert at_the_acquirer(book) == {"capture": 10_000, "refund": -4_000}
        # 0.6 % of 10,000 is 60; 24 of it go back.
        assert owed_to(book) == 9_940 - 4_000 + 24
        books.assert_agree()


class TestNotices:
    @pytest.mark.parametrize("fault", NOTICE_FAULTS)
    def test_of_a_challenge_that_was_passed_end_in_one_charge(self, api, book, acquirer, fault):
        intent = paid(api, "pm_card_threeDSecure2Required", return_url="https://shop.example/back")
        acquirer.fail(fault)

        answer_challenge(intent)
        if fault == "badly_signed_notice":
            acquirer.wait_for_notices(1)
        elif fault != "lost_notice":
            acquirer.wait_for_notices(1)
            notices(acquirer)
        sweep_until_quiet()

        found = again(api, intent)
        assert (found["status"], found["next_action"]) == ("succeeded", None)
        assert (owed_to(book), at_the_acquirer(book)) == (9_940, {"capture": 10_000})
        charge = api.get(f"charges/{found['latest_charge']}").json
        secure = charge["payment_method_details"]["card"]["three_d_secure"]
        assert (secure["result"], secure["electronic_commerce_indicator"]) == ("authenticated", "05")
        books.assert_agree()

    @pytest.mark.parametrize("choice", ["refuse", "cannot"])
    def test_of_a_challenge_that_failed_let_the_payer_choose_another_card(self, api, book, acquirer, choice):
        intent = paid(api, "pm_card_threeDSecure2Required")
        answer_challenge(intent, choice)
        acquirer.wait_for_notices(1)
        notices(acquirer)

        found = again(api, intent)
        assert (found["status"], found["payment_method"]) == ("requires_payment_method", None)
        assert found["last_payment_error"]["code"] == "payment_intent_authentication_failure"
        assert api.post(f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"}).status == 200
        books.assert_agree()


class TestAbandoning:
    def test_a_challenge_lets_the_payer_pay_in_another_way(self, api, book, acquirer):
        intent = paid(api, "pm_card_threeDSecure2Required")
        (charge,) = charges_of(book)

        left = provider_road.abandon(
            intent_id=charge.intent_id, book_id=book.pk, mode="test", now=NOW, origin=origin_of(book)
        )

        assert left.status == "requires_payment_method"
        second = api.post(f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
        assert second.json["status"] == "succeeded"
        assert [each.status for each in charges_of(book)] == ["voided", "captured"]
        assert at_the_acquirer(book) == {"capture": 10_000}
        books.assert_agree()

    def test_comes_with_another_method(self, api, book, acquirer):
        intent = paid(api, "pm_card_threeDSecure2Required")

        answered = api.post(
            f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"}, idempotency_key="another"
        )
        again_ = api.post(
            f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"}, idempotency_key="another"
        )

        assert (answered.status, answered.json["status"]) == (200, "succeeded")
        assert again_.json == answered.json
        assert [each.status for each in charges_of(book)] == ["voided", "captured"]
        books.assert_agree()

    def test_is_refused_while_its_release_is_unanswered(self, api, book, acquirer):
        intent = paid(api, "pm_card_threeDSecure2Required")
        acquirer.fail("timeout_before_commit", operation="void")

        answered = api.post(f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
        meanwhile = again(api, intent)["status"]
        sweep_until_quiet()

        assert (answered.status, answered.error["code"]) == (400, "payment_intent_unexpected_state")
        assert (meanwhile, again(api, intent)["status"]) == ("processing", "requires_payment_method")
        books.assert_agree()
