"""Payment intents, charges and refunds as the API shows them. Pure: from rows to plain objects."""

import hmac
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from merchant_platform.kernel.errors import doc_url
from payments.customers.objects import NO_BILLING_DETAILS
from payments.intents import states
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine, SetupIntent

ENABLED_METHODS = ("card", *settings.PAYMENT_METHODS)
# What a person may be told of a refused card, by the error's code; the words are Stripe's.
FAILURE_MESSAGES = {
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "card_declined": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "payment_intent_authentication_failure": "We are unable to authenticate your payment method. Please choose a "
    "different payment method and try again.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "setup_intent_authentication_failure": "We are unable to authenticate your payment method. Please choose a "
    "different payment method and try again.",
}
# What a person may be told of a decline, by its code.
DECLINE_MESSAGES = {
    "insufficient_funds": "The wallet has insufficient funds to complete the payment.",
    "mandate_revoked": "The customer revoked the permission to pay from this wallet.",
    "mandate_expired": "The customer's permission to pay from this wallet has expired.",
    "mandate_limit_exceeded": "The amount is over the limit that the customer set for this merchant.",
    "currency_mismatch": "The wallet holds another currency than the payment's.",
}


# Under card_declined, where the reason may be told; a lost card is never called one to who holds it.
CARD_DECLINE_MESSAGES = {"insufficient_funds": "Your card has insufficient funds."}


def failure_page(code: str, decline_code: str | None) -> str:
    """The address of the page on a refused card: of the reason, where it is told and has one, else of the code."""
    told = code == "card_declined" and decline_code in CARD_DECLINE_MESSAGES
    return doc_url(decline_code if told and decline_code else code)


def failure_message(code: str, decline_code: str | None) -> str:
    """The sentence for a refused card."""
    told = CARD_DECLINE_MESSAGES.get(decline_code or "") if code == "card_declined" else None
    return told or FAILURE_MESSAGES.get(code, FAILURE_MESSAGES["card_declined"])


def client_secret(intent_id: str) -> str:
    """The secret that lets a browser with a publishable key see one intent. Derived, so nothing is stored."""
    return f"{intent_id}_secret_{hmac.digest(settings.SECRET_KEY.encode(), intent_id.encode(), 'sha256').hex()[:32]}"


def is_client_secret(intent_id: str, given: str) -> bool:
    return hmac.compare_digest(client_secret(intent_id).encode(), given.encode())


def payment_intent(row: PaymentIntent, *, livemode: bool) -> dict[str, Any]:
    identifier = ids.show("pi", row.pk)
    return {
        "id": identifier,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": row.amount_minor,
        "amount_capturable": row.capturable_minor,
        "amount_details": {"tip": {}},
        "amount_received": row.received_minor,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None
        if row.payment_method_types
        else {"allow_redirects": "always", "enabled": True},
        "canceled_at": unix(row.canceled_at) if row.canceled_at else None,
        "cancellation_reason": row.cancellation_reason,
        "capture_method": row.capture_method,
        "client_secret": client_secret(identifier),
        "confirmation_method": row.confirmation_method,
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "customer_account": None,
        "description": row.description,
        "excluded_payment_method_types": None,
        "last_payment_error": row.last_error,
        "latest_charge": ids.show("ch", row.latest_attempt_id) if row.latest_attempt_id else None,
        "livemode": livemode,
        "metadata": row.metadata,
        "next_action": row.next_action,
        "on_behalf_of": None,
        "order": ids.show("ord", row.order_id),
        "payment_details": {"customer_reference": None, "order_reference": row.order_reference}
        if row.order_reference
        else None,
        "payment_method": ids.show("pm", row.payment_method_id) if row.payment_method_id else None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": row.payment_method_types or list(ENABLED_METHODS),
        "processing": None,
        "receipt_email": row.receipt_email,
        "review": None,
        "setup_future_usage": row.setup_future_usage,
        "shipping": row.shipping,
        "source": None,
        "statement_descriptor": row.statement_descriptor,
        "statement_descriptor_suffix": row.statement_descriptor_suffix,
        "status": row.status,
        "transfer_data": None,
        "transfer_group": row.transfer_group,
    }


def charge(
    row: Attempt, *, livemode: bool, receipt_url: str | None = None, authentication: dict[str, Any] | None = None
) -> dict[str, Any]:
    """`receipt_url` and `authentication` (factors.shown) are told to who reads the charge: the one is written after
    the payment, the other is worked out of its row, and a payment waits for neither."""
    is_paid = row.status in (states.CAPTURED, states.AUTHORIZED)
    is_failed = row.status == states.DECLINED or (row.status == states.VOIDED and row.failure_code is not None)
    return {
        "id": ids.show("ch", row.pk),
        "object": "charge",
        "amount": row.amount_minor,
        "amount_captured": row.captured_minor,
        "amount_refunded": row.refunded_minor,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": (row.network or {}).get("approval_code"),
        "balance_transaction": ids.show("txn", row.entry_id) if row.entry_id else None,
        "billing_details": {**NO_BILLING_DETAILS, **row.billing_details},
        "calculated_statement_descriptor": row.statement_descriptor,
        "captured": row.status == states.CAPTURED,
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "description": row.description,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": (row.failure_code or "card_declined") if is_failed else None,
        "failure_message": _failure_of(row) if is_failed else None,
        "fraud_details": {},
        "livemode": livemode,
        "metadata": row.metadata,
        "on_behalf_of": None,
        "outcome": _outcome(row, is_failed=is_failed),
        "paid": is_paid,
        "payment_intent": ids.show("pi", row.intent_id),
        "payment_method": ids.show("pm", row.payment_method_id),
        "payment_method_details": {"type": row.method, row.method: _card_details(row) if row.method == "card" else {}},
        "receipt_email": row.receipt_email,
        "receipt_number": None,
        "receipt_url": receipt_url,
        "refunded": row.captured_minor > 0 and row.refunded_minor == row.captured_minor,
        "refunds": None,
        "review": None,
        "shipping": row.shipping,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": row.statement_descriptor,
        "statement_descriptor_suffix": row.statement_descriptor_suffix,
        "strong_authentication": authentication,
        "status": "succeeded" if is_paid else "failed" if is_failed or row.status == states.VOIDED else "pending",
        "transfer": None,
        "transfer_data": None,
        "transfer_group": row.transfer_group,
    }


def _failure_of(row: Attempt) -> str | None:
    if row.provider is None:
        return DECLINE_MESSAGES.get(row.decline_code or "")
    return failure_message(row.failure_code or "card_declined", row.decline_code)


def _outcome(row: Attempt, *, is_failed: bool) -> dict[str, Any] | None:
    """What the network said; null as long as it has not spoken."""
    if row.status in (states.AUTHORIZING, states.AUTHENTICATING, states.UNKNOWN):
        return None
    network = row.network or {}
    is_blocked = bool(network.get("is_blocked"))
    if is_failed and row.provider_reference is None and row.provider:
        network_status = "not_sent_to_network"
    elif is_failed:
        network_status = "not_sent_to_network" if is_blocked else "declined_by_network"
    else:
        network_status = "approved_by_network"
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": row.decline_code or (row.failure_code if is_failed else None),
        "risk_level": network.get("risk_level") or ("normal" if row.provider else "not_assessed"),
        "seller_message": (_failure_of(row) or "Declined.") if is_failed else "Payment complete.",
        "type": "blocked" if is_failed and is_blocked else "issuer_declined" if is_failed else "authorized",
    }


def _card_details(row: Attempt) -> dict[str, Any]:
    card, network, authentication = row.card or {}, row.network or {}, row.authentication or {}
    details: dict[str, Any] = {
        "amount_authorized": row.authorized_minor or None,
        "authorization_code": network.get("approval_code"),
        "brand": card.get("brand", "unknown"),
        "capture_before": unix(row.expires_at) if row.expires_at and row.status == states.AUTHORIZED else None,
        "checks": {
            "address_line1_check": network.get("address_line1_check"),
            "address_postal_code_check": network.get("address_postal_code_check"),
            "cvc_check": network.get("cvc_check"),
        },
        "country": card.get("country"),
        "electronic_commerce_indicator": authentication.get("eci"),
        "exp_month": card.get("exp_month", 1),
        "exp_year": card.get("exp_year", 2000),
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card.get("fingerprint"),
        "funding": card.get("funding", "unknown"),
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.get("last4"),
        "mandate": None,
        "moto": None,
        "multicapture": {"status": "available" if row.is_manual else "unavailable"},
        "network": card.get("brand", "unknown"),
        "network_token": {"used": False},
        "network_transaction_id": network.get("network_transaction_id"),
        "overcapture": {"maximum_amount_capturable": row.amount_minor, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": _three_d_secure(authentication) if authentication else None,
        "wallet": None,
    }
    return details


# The result of 3-D Secure by the letter that EMVCo gave it (transStatus).
_AUTHENTICATED = {
    "Y": "authenticated",
    "A": "attempt_acknowledged",
    "C": None,
    "N": "failed",
    "R": "failed",
    "U": "processing_error",
    "D": None,
    "I": "data_share_only",
}


def _three_d_secure(authentication: dict[str, Any]) -> dict[str, Any]:
    status = authentication.get("transStatus")
    return {
        "authentication_flow": "frictionless" if status in ("A", "R", "I") else "challenge",
        "electronic_commerce_indicator": authentication.get("eci"),
        "exemption_indicator": None,
        "result": _AUTHENTICATED.get(status or ""),
        "result_reason": "rejected" if status in ("N", "R") else None,
        "transaction_id": authentication.get("dsTransID"),
        "version": authentication.get("version"),
    }


def refund(row: Refund, lines: Sequence[RefundLine], *, payment_method_id: str) -> dict[str, Any]:
    return {
        "id": ids.show("re", row.pk),
        "object": "refund",
        "amount": row.amount_minor,
        "balance_transaction": ids.show("txn", row.entry_id),
        "charge": ids.show("ch", row.attempt_id),
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "customer": None,
        "customer_account": None,
        "description": None,
        "destination_details": None,
        "failure_balance_transaction": ids.show("txn", row.failure_entry_id) if row.failure_entry_id else None,
        "failure_reason": row.failure_reason,
        "instructions_email": None,
        "lines": [
            {
                "id": ids.show("rli", line.pk),
                "object": "refund_line",
                "amount": line.amount_minor,
                "line": ids.show("li", line.order_line_id),
                "quantity": line.quantity,
            }
            for line in lines
        ],
        "metadata": row.metadata,
        "next_action": None,
        "payment_intent": ids.show("pi", row.intent_id),
        "payment_method": payment_method_id,
        "pending_reason": "processing" if row.status == states.REFUND_PENDING else None,
        "reason": row.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": row.status,
        "transfer_reversal": None,
    }


def setup_intent(row: SetupIntent, *, livemode: bool) -> dict[str, Any]:
    identifier = ids.show("seti", row.pk)
    return {
        "id": identifier,
        "object": "setup_intent",
        "allowed_payment_method_types": None,
        "application": None,
        "attach_to_self": False,
        "automatic_payment_methods": None
        if row.payment_method_types
        else {"allow_redirects": "always", "enabled": True},
        "cancellation_reason": row.cancellation_reason,
        "client_secret": client_secret(identifier),
        "created": unix(row.created_at),
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "customer_account": None,
        "description": row.description,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": row.last_error,
        "latest_attempt": ids.show("setatt", row.latest_attempt_id) if row.latest_attempt_id else None,
        "livemode": livemode,
        "managed_payments": None,
        "mandate": None,
        "metadata": row.metadata,
        "next_action": row.next_action,
        "on_behalf_of": None,
        "payment_method": ids.show("pm", row.payment_method_id) if row.payment_method_id else None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": row.payment_method_types or ["card"],
        "single_use_mandate": None,
        "status": row.status,
        "usage": row.usage,
    }


def decline_error(*, decline_code: str, charge_id: str, payment_method: dict[str, Any], doc_url: str) -> dict[str, Any]:
    """Stripe's error object for a refused payment, as the intent keeps it in `last_payment_error`."""
    return {
        "charge": charge_id,
        "code": "card_declined",
        "decline_code": decline_code,
        "doc_url": doc_url,
        "message": DECLINE_MESSAGES[decline_code],
        "payment_method": payment_method,
        "type": "card_error",
    }
