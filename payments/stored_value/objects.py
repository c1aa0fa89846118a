"""Stored-value cards as the API shows them. Pure: from rows and balances to plain objects."""

from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.ledger.queries import GuardedBalance, StatementLine
from payments.stored_value.models import StoredValueCard, StoredValueLoad

# How a movement is called on the wire, by the kind of its entry.
MOVEMENTS = {
    "stored_value_load": "load",
    "stored_value_spend": "payment",
    "stored_value_return": "refund",
    "stored_value_unload": "unload",
    "stored_value_restore": "load",
    "stored_value_expire": "expiry",
}


def card(row: StoredValueCard, paid: GuardedBalance, bonus: GuardedBalance) -> dict[str, Any]:
    return {
        "id": row.shown_id,
        "object": "stored_value_card",
        "balance": {
            "available": paid.available_minor + bonus.available_minor,
            "bonus": bonus.posted_minor,
            "paid": paid.posted_minor,
            "reserved": paid.reserved_minor + bonus.reserved_minor,
        },
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "expires_at": unix(row.expires_at) if row.expires_at else None,
        "kind": row.kind,
        "last4": row.last4,
        "livemode": row.is_live,
        "metadata": row.metadata,
        # Shown once, by the answer that makes them.
        "number": None,
        "pin": None,
        "status": row.status,
    }


def load(row: StoredValueLoad, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": ids.show("svl", row.pk),
        "object": "stored_value_load",
        "amount": row.amount_minor,
        "amount_returned": row.returned_minor,
        "bonus_amount": row.bonus_minor,
        "created": unix(row.created_at),
        "livemode": livemode,
        "order_line": ids.show("li", row.order_line_id) if row.order_line_id else None,
        "status": row.status,
        "stored_value_card": ids.show("svc", row.card_id),
    }


def movement(line: StatementLine, *, is_bonus: bool, livemode: bool) -> dict[str, Any]:
    """One line of a card's statement; `amount` is signed."""
    return {
        "id": f"{line.xid}_{ids.show('tr', line.id)}",
        "object": "stored_value_transaction",
        "amount": line.amount_minor,
        "balance_transaction": ids.show("txn", line.entry_id),
        "created": unix(line.effective_at),
        "currency": line.unit.partition("/")[0].lower(),
        "is_bonus": is_bonus,
        "livemode": livemode,
        "order": ids.show("ord", line.source_id)
        if line.source_id and line.kind in ("stored_value_spend", "stored_value_return")
        else None,
        "type": MOVEMENTS[line.kind],
    }
