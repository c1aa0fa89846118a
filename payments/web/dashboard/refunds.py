"""The list of refunds, and its CSV: seven statements besides the desk's."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from payments.listing import refunds as listing
from payments.listing.refunds import Line
from payments.saved_views import queries as saved_views
from payments.web.dashboard import amounts, lists, sheets, words
from payments.web.dashboard.filters import RefundFilter
from payments.web.dashboard.lists import List
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up


@require_safe
@desk_page("payment.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Refunds, newest first."""

    def beside(form: RefundFilter) -> dict[str, Any]:
        return {
            "tabs": form.tab_links(listing.counts(form.filters)),
            "views": saved_views.shown_to(page=REFUNDS.name, staff_id=desk.staff.pk),
        }

    return lists.index(request, desk, REFUNDS, beside=beside)


@require_safe
@desk_page("payment.export")
@step_up("payment.export", binds=sheets.binds)
def export(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """The list as it is filtered, as CSV."""
    return lists.export(request, desk, REFUNDS, action="refund.export")


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


REFUNDS = List(
    name="refunds",
    template="payments/refunds.html",
    prefix="re",
    filter=RefundFilter,
    rows=listing,
    shown=_shown,
    titles=_titles,
    cells=_cells,
)
