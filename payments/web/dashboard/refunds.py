"""The list of refunds, and its CSV: seven statements besides the desk's."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from merchant_platform.kernel import tenancy
from payments.listing import refunds as listing
from payments.listing.refunds import Line
from payments.saved_views import queries as saved_views
from payments.web.dashboard import amounts, sheets, standing, words
from payments.web.dashboard.filters import RefundFilter
from payments.web.dashboard.payments import removed_view, ways
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up

PAGE = "refunds"


@require_safe
@desk_page("payment.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Refunds, newest first."""
    if standing.has_empty(request):
        return HttpResponseRedirect(request.path + standing.query(request))
    form = RefundFilter(request, desk)
    after, before = (standing.cursor(request, name, "re") for name in standing.CURSORS)
    context: dict[str, Any] = {"form": form, "page_name": PAGE}
    if not form.is_valid():
        return desk.render(request, "payments/refunds.html", {**context, "tabs": form.tab_links(None)}, status=400)
    with tenancy.within(desk.book.pk):
        page = listing.page(form.filters, after=after, before=before)
        lines = listing.lines(page.rows)
        counts = listing.counts(form.filters)
        views = saved_views.shown_to(page=PAGE, staff_id=desk.staff.pk)
    context |= {
        "tabs": form.tab_links(counts),
        "chips": form.chips(),
        "lines": [_shown(line, desk) for line in lines],
        "views": views,
        "ways": ways(request, page, "re"),
        "looked_back_to": page.looked_back_to,
        "query": standing.query(request),
        "removed_view": removed_view(request),
        "is_narrowed": form.is_set or form.tab != "all",
    }
    return desk.render(request, "payments/refunds.html", context)


@require_safe
@desk_page("payment.export")
@step_up("payment.export", binds=sheets.binds)
def export(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """The list as it is filtered, as CSV."""
    form = RefundFilter(request, desk)
    if not form.is_valid():
        return HttpResponse(_("These filters cannot be read."), status=400, content_type="text/plain; charset=utf-8")
    with tenancy.within(desk.book.pk):
        standing.hand(desk).sign(
            "refund.export", "", filters=sorted(name for name, _value in form.values()), tab=form.tab
        )

    def batch(cursor: UUID | None) -> tuple[Iterable[Sequence[Any]], UUID | None]:
        page = listing.batches(form.filters, after=cursor)
        return [_cells(line, desk) for line in listing.lines(page.rows)], page.older

    return sheets.stream(name=f"refunds-{desk.merchant.slug}", book_id=desk.book.pk, titles=_titles(desk), batch=batch)


def _shown(line: Line, desk: Desk) -> dict[str, Any]:
    kind, word = words.REFUND_STATES[line.refund.status]
    return {
        "id": line.shown_id,
        "refund": line.refund,
        "payment_id": line.payment_id,
        "kind": kind,
        "word": word,
        "method": words.method(line.method, line.brand, line.last4),
        "customer": line.customer if desk.may("customer.view") else "",
        "reason": words.REASONS.get(line.refund.reason or "", ""),
    }


def _titles(desk: Desk) -> list[str]:
    return [
        _("Time (%(zone)s)") % {"zone": desk.merchant.time_zone},
        _("Status"),
        _("Amount"),
        _("Currency"),
        _("Method"),
        _("Customer"),
        _("Reason"),
        _("Payment"),
        _("ID"),
    ]


def _cells(line: Line, desk: Desk) -> list[Any]:
    row, refund = _shown(line, desk), line.refund
    return [
        sheets.moment(refund.created_at, desk.zone),
        str(row["word"]),
        amounts.plain(refund.amount_minor, refund.currency),
        refund.currency,
        str(row["method"]),
        str(row["customer"]),
        str(row["reason"]),
        row["payment_id"],
        row["id"],
    ]
