"""The balance: what the platform owes the merchant, and every transaction that made it: eight statements."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids
from payments.ledger import entries
from payments.ledger.entries import Owed
from payments.listing import transactions as listing
from payments.listing.transactions import Line
from payments.web.dashboard import amounts, lists, sheets, words
from payments.web.dashboard.filters import TransactionFilter
from payments.web.dashboard.lists import List
from security.web.desk import Desk, desk_page


@require_safe
@desk_page("balance.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What is available and pending, by currency, exact at this moment; then the transactions, newest first."""

    def beside(form: TransactionFilter) -> dict[str, Any]:
        owed = entries.owed(mode="live" if desk.book.livemode else "test")
        return {"owed": owed or [Owed(desk.merchant.default_currency, 0)]}

    return lists.index(request, desk, TRANSACTIONS, beside=beside)


@require_safe
@desk_page("balance.view")
def export(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """The transactions as they are filtered, as CSV."""
    return lists.export(request, desk, TRANSACTIONS, action="balance.export")


def _shown(line: Line, desk: Desk) -> dict[str, Any]:
    return {
        "id": line.shown_id,
        "entry": line.entry,
        "word": words.TRANSACTIONS[line.type],
        "currency": line.currency,
        # A fee is taken from the balance: it stands as what it does to it.
        "fee_minor": -line.entry.fee_minor,
        "payment_id": ids.show("pi", line.intent_id) if line.intent_id else "",
    }


def _titles(desk: Desk) -> list[str]:
    return [
        _("Time (%(zone)s)") % {"zone": desk.merchant.time_zone},
        _("Type"),
        _("Amount"),
        _("Fee"),
        _("Net"),
        _("Currency"),
        _("Payment"),
        _("ID"),
    ]


def _cells(line: Line, desk: Desk) -> list[Any]:
    row, entry = _shown(line, desk), line.entry
    return [
        sheets.moment(entry.effective_at, desk.zone),
        str(row["word"]),
        amounts.plain(entry.amount_minor, row["currency"]),
        amounts.plain(row["fee_minor"], row["currency"]),
        amounts.plain(entry.net_minor, row["currency"]),
        row["currency"],
        row["payment_id"],
        row["id"],
    ]


TRANSACTIONS = List(
    name="balance",
    template="payments/balance.html",
    prefix="txn",
    filter=TransactionFilter,
    rows=listing,
    shown=_shown,
    titles=_titles,
    cells=_cells,
)
