"""What an integrator does with cards and the unmodified `stripe` SDK."""

import pytest
import stripe

from payments import proof
from tests.cast import wait_until
from tests.contract.integrator import checked, checked_error
from tests.payments.card_acts import answer_challenge, notices

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


@pytest.fixture
def pay(integrator):
    """Takes money from a card at once: `pay("pm_card_visa", 1_200)`."""

    def take(card="pm_card_visa", amount=10_000, **params):
        return checked(
            integrator.v1.payment_intents.create(
                {"amount": amount, "currency": "cny", "payment_method": card, "confirm": True, **params}
            )
        )

    return take


@pytest.mark.requirement("A40")
class TestPayments:
    def test_are_taken_and_shown_whole(self, integrator, pay):
        intent = pay(expand=["latest_charge.balance_transaction", "payment_method"])

        charge = intent.latest_charge
        assert (intent.status, charge.outcome.type, charge.payment_method_details.card.network) == (
            "succeeded",
            "authorized",
            "visa",
        )
        assert charge.payment_method_details.card.checks.cvc_check in (None, "unavailable")
        assert (charge.balance_transaction.amount, charge.balance_transaction.fee) == (10_000, 60)
        assert intent.payment_method.card.last4 == "4242"
        checked(integrator.v1.charges.retrieve(charge.id))
        checked(integrator.v1.payment_methods.retrieve(intent.payment_method.id))
        for event in checked(integrator.v1.events.list({"limit": 50})).data:
            assert event.type in ("charge.succeeded", "payment_intent.created", "payment_intent.succeeded")
        assert proof.prove() == []

    @pytest.mark.parametrize("card", DECLINES)
    def test_declines_are_card_errors(self, integrator, pay, card):
        with pytest.raises(stripe.CardError) as refused:
            pay(card)

        code, decline_code = DECLINES[card]
        error = checked_error(refused.value)
        assert (refused.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
        assert error.payment_intent.status == "requires_payment_method"
        checked(integrator.v1.charges.retrieve(error.charge))

    def test_of_a_wrong_number_are_refused(self, integrator):
        with pytest.raises(stripe.CardError) as refused:
            integrator.v1.payment_methods.create(
                {"type": "card", "card": {"number": "4242424242424241", "exp_month": 8, "exp_year": 2040, "cvc": "314"}}
            )

        assert (refused.value.http_status, refused.value.code) == (402, "incorrect_number")

    def test_are_challenged_and_resumed(self, integrator, pay, acquirer):
        intent = pay("pm_card_threeDSecure2Required", return_url="https://shop.example/back")
        assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")

        answer_challenge(intent.to_dict())
        acquirer.wait_for_notices(1)
        notices(acquirer)

        after = checked(integrator.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]}))
        assert after.status == "succeeded"
        secure = after.latest_charge.payment_method_details.card.three_d_secure
        assert (secure.result, secure.authentication_flow) == ("authenticated", "challenge")

    def test_off_session_challenges_are_declined(self, pay):
        with pytest.raises(stripe.CardError) as refused:
            pay("pm_card_authenticationRequired", off_session=True)

        assert refused.value.code == "authentication_required"


class TestCaptures:
    def test_are_manual_partial_and_several(self, integrator, pay):
        held = pay(capture_method="manual")
        first = checked(
            integrator.v1.payment_intents.capture(held.id, {"amount_to_capture": 2_000, "final_capture": False})
        )
        last = checked(integrator.v1.payment_intents.capture(held.id, {"amount_to_capture": 5_000}))

        assert (held.status, held.amount_capturable) == ("requires_capture", 10_000)
        assert (first.status, first.amount_received, first.amount_capturable) == ("requires_capture", 2_000, 8_000)
        assert (last.status, last.amount_received, last.amount_capturable) == ("succeeded", 7_000, 0)
        checked(integrator.v1.charges.retrieve(last.latest_charge))
        assert proof.prove() == []

    def test_may_be_given_up(self, integrator, pay):
        held = pay(capture_method="manual")

        canceled = checked(integrator.v1.payment_intents.cancel(held.id))

        assert canceled.status == "canceled"
        assert checked(integrator.v1.charges.retrieve(held.latest_charge)).captured is False


class TestSavedCards:
    def test_are_set_up_and_charged_off_session(self, integrator, guest, pay):
        setup = checked(
            integrator.v1.setup_intents.create(
                {"customer": guest.id, "payment_method": "pm_card_visa", "confirm": True, "usage": "off_session"}
            )
        )
        paid = pay(setup.payment_method, customer=guest.id, off_session=True)

        assert (setup.status, paid.status, paid.customer) == ("succeeded", "succeeded", guest.id)
        listed = checked(integrator.v1.customers.payment_methods.list(guest.id, {"type": "card"}))
        assert [method.id for method in listed.data] == [setup.payment_method]
        checked(integrator.v1.payment_methods.detach(setup.payment_method))
        checked(integrator.v1.setup_intents.list({"customer": guest.id}))

    def test_of_a_declined_card_are_card_errors(self, integrator):
        with pytest.raises(stripe.CardError) as refused:
            integrator.v1.setup_intents.create({"payment_method": "pm_card_chargeDeclined", "confirm": True})

        assert (refused.value.code, refused.value.error.setup_intent.status) == (
            "card_declined",
            "requires_payment_method",
        )

    def test_are_a_customers_default(self, integrator, guest):
        method = integrator.v1.payment_methods.attach("pm_card_visa", {"customer": guest.id})

        changed = checked(
            integrator.v1.customers.update(guest.id, {"invoice_settings": {"default_payment_method": method.id}})
        )

        assert changed.invoice_settings.default_payment_method == method.id


class TestRefunds:
    def test_of_cards_are_pending_done_and_failed(self, integrator, pay, acquirer):
        pending = checked(integrator.v1.refunds.create({"payment_intent": pay("pm_card_pendingRefund").id}))
        failing = checked(integrator.v1.refunds.create({"payment_intent": pay("pm_card_refundFail").id}))
        acquirer.hurry("refund")
        acquirer.wait_for_notices(2)
        wait_until(lambda: len(acquirer.notices) >= 2)
        notices(acquirer)

        assert (pending.status, failing.status) == ("pending", "succeeded")
        assert checked(integrator.v1.refunds.retrieve(pending.id)).status == "succeeded"
        failed = checked(integrator.v1.refunds.retrieve(failing.id))
        assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
        checked(integrator.v1.events.list({"limit": 50}))
        assert proof.prove() == []


class TestBrowsers:
    def test_confirm_with_a_publishable_key(self, integrator, server, publishable_key):
        intent = integrator.v1.payment_intents.create({"amount": 900, "currency": "cny"})
        browser = stripe.StripeClient(publishable_key, base_addresses={"api": server}, max_network_retries=0)

        method = checked(
            browser.v1.payment_methods.create(
                {"type": "card", "card": {"number": "4242424242424242", "exp_month": 8, "exp_year": 2040, "cvc": "314"}}
            )
        )
        browser.raw_request(
            "post",
            f"/v1/payment_intents/{intent.id}/confirm",
            client_secret=intent.client_secret,
            payment_method=method.id,
        )

        assert integrator.v1.payment_intents.retrieve(intent.id).status == "succeeded"
