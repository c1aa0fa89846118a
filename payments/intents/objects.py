"""Payment intents, charges and refunds as the API shows them. Pure: from rows to plain objects."""

import hmac
from typing import Any

from django.conf import settings

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.customers.objects import NO_BILLING_DETAILS
from payments.intents import states
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine

ENABLED_METHODS = tuple(settings.PAYMENT_METHODS)
# What a person may be told of a decline, by its code.
DECLINE_MESSAGES = {
    "insufficient_funds": "The wallet has insufficient funds to complete the payment.",
    "mandate_revoked": "The customer revoked the permission to pay from this wallet.",
    "mandate_expired": "The customer's permission to pay from this wallet has expired.",
    "mandate_limit_exceeded": "The amount is over the limit that the customer set for this merchant.",
    "currency_mismatch": "The wallet holds another currency than the payment's.",
}


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
        "amount_capturable": 0,
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
        "next_action": None,
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


def charge(row: Attempt, *, livemode: bool) -> dict[str, Any]:
    is_paid = row.status == states.CAPTURED
    is_declined = row.status == states.DECLINED
    return {
        "id": ids.show("ch", row.pk),
        "object": "charge",
        "amount": row.amount_minor,
        "amount_captured": row.captured_minor,
        "amount_refunded": row.refunded_minor,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": None,
        "balance_transaction": ids.show("txn", row.entry_id) if row.entry_id else None,
        "billing_details": {**NO_BILLING_DETAILS, **row.billing_details},
        "calculated_statement_descriptor": row.statement_descriptor,
        "captured": is_paid,
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "description": row.description,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": "card_declined" if is_declined else None,
        "failure_message": DECLINE_MESSAGES.get(row.decline_code or "") if is_declined else None,
        "fraud_details": {},
        "livemode": livemode,
        "metadata": row.metadata,
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "declined_by_network" if is_declined else "approved_by_network",
            "reason": row.decline_code,
            "risk_level": "not_assessed",
            "seller_message": DECLINE_MESSAGES.get(row.decline_code or "", "Declined.")
            if is_declined
            else "Payment complete.",
            "type": "issuer_declined" if is_declined else "authorized",
        },
        "paid": is_paid,
        "payment_intent": ids.show("pi", row.intent_id),
        "payment_method": ids.show("pm", row.payment_method_id),
        "payment_method_details": {"type": row.method, row.method: {}},
        "receipt_email": row.receipt_email,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": is_paid and row.refunded_minor == row.captured_minor,
        "refunds": None,
        "review": None,
        "shipping": row.shipping,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": row.statement_descriptor,
        "statement_descriptor_suffix": row.statement_descriptor_suffix,
        "status": "succeeded" if is_paid else "failed" if is_declined else "pending",
        "transfer": None,
        "transfer_data": None,
        "transfer_group": row.transfer_group,
    }


def refund(row: Refund, lines: list[RefundLine], *, payment_method_id: str) -> dict[str, Any]:
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
        "failure_balance_transaction": None,
        "failure_reason": None,
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
        "pending_reason": None,
        "reason": row.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": row.status,
        "transfer_reversal": None,
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
