"""What moved in a wallet: a line each, over all merchants, newest first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from members.web.wallet.purse import Purse, wallet_page
from merchant_platform.kernel import ids
from payments.ledger import queries as ledger
from payments.ledger.queries import StatementLine
from payments.wallets import queries as wallets
from payments.wallets.models import Wallet
from security.merchants import queries as merchants

PAGE = 20
# Kinds of entries in words; another kind is a movement like any.
KINDS: dict[str, Any] = {
    "charge": _("Payment"),
    "refund": _("Refund"),
    "refund_failure": _("Refund that failed"),
    "top_up": _("Top-up"),
    "reversal": _("Correction"),
}
ICONS = {"charge": "building-store", "refund": "receipt-refund", "top_up": "circle-plus"}
_CURSOR = re.compile(r"([0-9]{1,19})_(tr_[0-9A-Za-z]{22})")


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the history."""

    at: datetime
    what: Any
    icon: str
    # The merchant, where one was paid or gave something back.
    who: str
    amount_minor: int
    currency: str
    receipt_code: str | None

    @property
    def is_in(self) -> bool:
        return self.amount_minor > 0


def movements(wallet: Wallet, *, limit: int, before: str = "") -> tuple[list[Movement], str]:
    """A page of a wallet's history, and the cursor of the next one, empty on the last. Three statements."""
    lines = ledger.statement(wallet.account, before=_position(before), limit=limit + 1)
    shown, cursor = lines[:limit], ""
    if len(lines) > limit:
        cursor = f"{shown[-1].xid}_{ids.show('tr', shown[-1].id)}"
    return _told(wallet, shown), cursor


@require_safe
@wallet_page
def page(request: HttpRequest, purse: Purse) -> HttpResponse:
    """The whole history of the chosen wallet, a page at a time."""
    wallet = purse.wallet(request.GET.get("wallet"))
    shown, cursor = movements(wallet, limit=PAGE, before=request.GET.get("before", ""))
    return purse.render(
        request,
        "wallet/history.html",
        {
            "current": "home",
            "wallet": wallet,
            "movements": shown,
            "cursor": cursor,
            "is_first": "before" not in request.GET,
        },
    )


def _told(wallet: Wallet, lines: Sequence[StatementLine]) -> list[Movement]:
    books = merchants.books({line.book_id for line in lines})
    codes = wallets.receipts(wallet, [line.entry_id for line in lines if line.kind == "charge"])
    return [
        Movement(
            at=line.effective_at,
            what=KINDS.get(line.kind, _("Movement")),
            icon=ICONS.get(line.kind, "arrows-exchange"),
            who="" if books[line.book_id].merchant.is_platform else books[line.book_id].merchant.name,
            amount_minor=line.amount_minor,
            currency=wallet.currency,
            receipt_code=codes.get(line.entry_id),
        )
        for line in lines
    ]


def _position(cursor: str) -> tuple[str, Any] | None:
    """Where a page begins; what is no cursor is the first page."""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        return None
    try:
        return found[1], ids.parse("tr", found[2])
    except ids.MalformedId:
        return None
