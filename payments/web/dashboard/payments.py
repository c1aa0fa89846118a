"""The list of payments, its live pill, and its CSV.

The list costs nine statements besides the desk's at the most: the unit of work, the page, its
charges and what was bought, the tabs' counts, the saved views; a filter that no index serves asks once more.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from merchant_platform.kernel import tenancy
from payments.intents.models import PaymentIntent
from payments.listing import payments as listing
from payments.listing.payments import Line
from payments.saved_views import queries as saved_views
from payments.web.dashboard import amounts, lists, sheets, standing, words
from payments.web.dashboard.filters import PaymentFilter
from payments.web.dashboard.lists import List
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up


@require_safe
@desk_page("payment.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Payments, newest first."""

    def beside(form: PaymentFilter) -> dict[str, Any]:
        return {
            "tabs": form.tab_links(listing.counts(form.filters)),
            "views": saved_views.shown_to(page=PAYMENTS.name, staff_id=desk.staff.pk),
            "acts": [act for act in words.ACTS if desk.may(f"payment.{act}")],
        }

    return lists.index(request, desk, PAYMENTS, beside=beside)


@require_safe
@desk_page("payment.view")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """How many payments came since the newest on the page, under its filters: the pill asks every 15 seconds."""
    form = PaymentFilter(request, desk)
    since = standing.cursor(request, "since", "pi")
    if not form.is_valid() or since is None:
        raise Http404
    with tenancy.within(desk.book.pk):
        count = listing.new_since(form.filters, since)
    shown_count = f"{listing.NEW_MAX}+" if count > listing.NEW_MAX else str(count)
    return render(
        request,
        "payments/_new.html",
        {"count": count, "shown": shown_count, "query": standing.query(request), "desk": desk},
    )


@require_safe
@desk_page("payment.export")
@step_up("payment.export", binds=sheets.binds)
def export(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """The list as it is filtered, or the selected rows of it, as CSV."""
    return lists.export(request, desk, PAYMENTS, action="payment.export", selected=lists.selection(request))


def shown(line: Line, desk: Desk) -> dict[str, Any]:
    """A row as the list shows it; who the customer is, to those alone who may know."""
    kind, word = words.PAYMENT_STATES[line.state]
    return {
        "id": line.shown_id,
        "intent": line.intent,
        "kind": kind,
        "word": word,
        "method": words.method(line.method, line.brand, line.last4) if line.method else "",
        "customer": line.customer if desk.may("customer.view") else "",
        "about": line.intent.description or words.bought(line.things),
        "order": line.order_reference,
        "refunded_minor": line.refunded_minor,
    }


def _titles(desk: Desk) -> list[str]:
    return [
        _("Time (%(zone)s)") % {"zone": desk.merchant.time_zone},
        _("Status"),
        _("Amount"),
        _("Currency"),
        _("Method"),
        _("Customer"),
        _("Description"),
        _("Order"),
        _("ID"),
    ]


def _cells(line: Line, desk: Desk) -> list[Any]:
    row = shown(line, desk)
    intent: PaymentIntent = line.intent
    return [
        sheets.moment(intent.created_at, desk.zone),
        str(row["word"]),
        amounts.plain(intent.amount_minor, intent.currency),
        intent.currency,
        str(row["method"]),
        str(row["customer"]),
        str(row["about"]),
        str(row["order"]),
        row["id"],
    ]


PAYMENTS = List(
    name="payments",
    template="payments/list.html",
    prefix="pi",
    filter=PaymentFilter,
    rows=listing,
    shown=shown,
    titles=_titles,
    cells=_cells,
)
