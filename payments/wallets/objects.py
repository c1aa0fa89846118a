"""A wallet as the API shows it, in test books alone."""

from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.ledger.queries import GuardedBalance, StatementLine
from payments.wallets.models import Wallet


def wallet(row: Wallet, balance: GuardedBalance, *, payment_method: str | None = None) -> dict[str, Any]:
    shown = {
        "id": ids.show("wal", row.pk),
        "object": "wallet",
        "balance": balance.available_minor,
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "livemode": row.mode == "live",
        "reserved": balance.reserved_minor,
    }
    if payment_method:
        shown["payment_method"] = payment_method
    return shown


def movement(line: StatementLine, *, currency: str) -> dict[str, Any]:
    return {
        "id": f"{line.xid}_{ids.show('tr', line.id)}",
        "object": "wallet_transaction",
        "amount": line.amount_minor,
        "created": unix(line.effective_at),
        "currency": currency.lower(),
        "type": line.kind,
    }
