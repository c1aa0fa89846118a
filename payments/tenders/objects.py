"""Tenders and their refunds as the API shows them. Pure: from rows to plain objects."""

from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.tenders.models import Tender, TenderRefund


def tender(row: Tender, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": row.shown_id,
        "object": "tender",
        "amount": row.amount_minor,
        "amount_refunded": row.refunded_minor,
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "label": row.label,
        "livemode": livemode,
        "order": ids.show("ord", row.order_id),
        "payment_intent": ids.show("pi", row.intent_id) if row.intent_id else None,
        "status": row.status,
        "type": row.method,
        "units": row.units,
    }


def tender_refund(row: TenderRefund, *, currency: str, livemode: bool) -> dict[str, Any]:
    return {
        "id": ids.show("tre", row.pk),
        "object": "tender_refund",
        "amount": row.amount_minor,
        "created": unix(row.created_at),
        "currency": currency.lower(),
        "livemode": livemode,
        "reason": row.reason,
        "tender": ids.show("tnd", row.tender_id),
        "units": row.units,
    }
