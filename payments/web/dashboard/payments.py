"""The list of payments, its live pill, and its CSV.

The list costs eight statements besides the desk's: the unit of work, the page and its
charges, the tabs' counts, the saved views; a filter that no index serves asks once more.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids, tenancy
from payments.intents.models import PaymentIntent
from payments.listing import payments as listing
from payments.listing.payments import Line
from payments.listing.windows import Page
from payments.saved_views import queries as saved_views
from payments.web.dashboard import amounts, sheets, standing, words
from payments.web.dashboard.filters import PaymentFilter
from security.web.desk import Desk, desk_page
from security.web.parts import Ways
from security.web.step_up import step_up

PAGE = "payments"
SELECTED_MAX = 200


@require_safe
@desk_page("payment.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Payments, newest first. Empty filters are taken out of the address; wrong ones are told and nothing is listed."""
    if standing.has_empty(request):
        return HttpResponseRedirect(request.path + standing.query(request))
    form = PaymentFilter(request, desk)
    after, before = (standing.cursor(request, name, "pi") for name in standing.CURSORS)
    context: dict[str, Any] = {"form": form, "page_name": PAGE}
    if not form.is_valid():
        return desk.render(request, "payments/list.html", {**context, "tabs": form.tab_links(None)}, status=400)
    with tenancy.within(desk.book.pk):
        page = listing.page(form.filters, after=after, before=before)
        lines = listing.lines(page.rows)
        counts = listing.counts(form.filters)
        views = saved_views.shown_to(page=PAGE, staff_id=desk.staff.pk)
    context |= {
        "tabs": form.tab_links(counts),
        "chips": form.chips(),
        "lines": [shown(line, desk) for line in lines],
        "views": views,
        "ways": ways(request, page),
        "looked_back_to": page.looked_back_to,
        "query": standing.query(request),
        "since": lines[0].shown_id if lines and after is None and before is None else "",
        "acts": [act for act in words.ACTS if desk.may(f"payment.{act}")],
        "removed_view": removed_view(request),
        "is_narrowed": form.is_set or form.tab != "all",
    }
    return desk.render(request, "payments/list.html", context)


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
    form = PaymentFilter(request, desk)
    if not form.is_valid():
        return HttpResponse(_("These filters cannot be read."), status=400, content_type="text/plain; charset=utf-8")
    selected = selection(request)
    with tenancy.within(desk.book.pk):
        standing.hand(desk).sign(
            "payment.export",
            "",
            filters=sorted(name for name, _value in form.values()),
            tab=form.tab,
            selected_count=len(selected),
        )

    def batch(cursor: UUID | None) -> tuple[Iterable[Sequence[Any]], UUID | None]:
        if selected:
            return [_cells(line, desk) for line in listing.lines(listing.selected(selected))], None
        page = listing.batches(form.filters, after=cursor)
        return [_cells(line, desk) for line in listing.lines(page.rows)], page.older

    return sheets.stream(name=f"payments-{desk.merchant.slug}", book_id=desk.book.pk, titles=_titles(desk), batch=batch)


def removed_view(request: HttpRequest) -> str:
    """The view that was removed a moment ago, which can be brought back; empty where none was."""
    text = request.GET.get("removed", "")
    return ids.show("view", standing.object_id("view", text)) if text else ""


def selection(request: HttpRequest) -> list[UUID]:
    """The payments whose boxes were ticked, as the address says. Raises Http404 for what is no id, or for too many."""
    texts = request.GET.getlist("selected")
    if len(texts) > SELECTED_MAX:
        raise Http404
    return [standing.object_id("pi", text) for text in texts]


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
        "about": line.intent.description or "",
        "order": line.order_reference,
        "refunded_minor": line.refunded_minor,
    }


def ways(request: HttpRequest, page: Page[Any], prefix: str = "pi") -> Ways:
    """The addresses of the pages beside a page."""
    return Ways(
        newer=standing.query(request, before=ids.show(prefix, page.newer)) if page.newer else "",
        older=standing.query(request, after=ids.show(prefix, page.older)) if page.older else "",
    )


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
