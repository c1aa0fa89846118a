"""The balance: what the platform owes the merchant, and every transaction that made it: eight statements."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids, tenancy
from payments.ledger import entries
from payments.ledger.entries import Owed
from payments.listing import transactions as listing
from payments.listing.transactions import Line
from payments.web.dashboard import amounts, sheets, standing, words
from payments.web.dashboard.filters import TransactionFilter
from payments.web.dashboard.payments import ways
from security.web.desk import Desk, desk_page


@require_safe
@desk_page("balance.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What is available and pending, by currency, exact at this moment; then the transactions, newest first."""
    if standing.has_empty(request):
        return HttpResponseRedirect(request.path + standing.query(request))
    form = TransactionFilter(request, desk)
    after, before = (standing.cursor(request, name, "txn") for name in standing.CURSORS)
    if not form.is_valid():
        return desk.render(request, "payments/balance.html", {"form": form}, status=400)
    with tenancy.within(desk.book.pk):
        owed = entries.owed(mode="live" if desk.book.livemode else "test")
        page = listing.page(form.filters, after=after, before=before)
        lines = listing.lines(page.rows)
    context = {
        "form": form,
        "chips": form.chips(),
        "owed": owed or [Owed(desk.merchant.default_currency, 0)],
        "lines": [_shown(line) for line in lines],
        "ways": ways(request, page, "txn"),
        "looked_back_to": page.looked_back_to,
        "query": standing.query(request),
        "is_narrowed": form.is_set,
    }
    return desk.render(request, "payments/balance.html", context)


@require_safe
@desk_page("balance.view")
def export(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """The transactions as they are filtered, as CSV."""
    form = TransactionFilter(request, desk)
    if not form.is_valid():
        return HttpResponse(_("These filters cannot be read."), status=400, content_type="text/plain; charset=utf-8")
    with tenancy.within(desk.book.pk):
        standing.hand(desk).sign("balance.export", "", filters=sorted(name for name, _value in form.values()))

    def batch(cursor: UUID | None) -> tuple[Iterable[Sequence[Any]], UUID | None]:
        page = listing.batches(form.filters, after=cursor)
        return [_cells(line, desk) for line in listing.lines(page.rows)], page.older

    return sheets.stream(name=f"balance-{desk.merchant.slug}", book_id=desk.book.pk, titles=_titles(desk), batch=batch)


def _shown(line: Line) -> dict[str, Any]:
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
    row, entry = _shown(line), line.entry
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
