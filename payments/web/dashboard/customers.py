"""Customers: found, looked at, added, changed, taken away, exported."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids, tenancy, versions
from merchant_platform.kernel.errors import NotFound
from payments.customers import objects, operations, queries
from payments.customers.models import Customer
from payments.intents.models import PaymentIntent
from payments.orders import buyers
from payments.origin import Origin
from payments.web.dashboard.customer_forms import CustomerForm
from security.audit import operations as audit
from security.audit import queries as audited
from security.authentication.step_up import Binding
from security.web import forms, lists, sheets
from security.web.desk import Desk, desk_page
from security.web.parts import Chip
from security.web.step_up import step_up

TEXT_MAX = 200
SHOWN_MAX = 10
forms.WORDS[operations.MethodDetached] = gettext_lazy("This payment method was taken away before.")
_EXPORTED = ("id", "created", "name", "email", "phone", "description", "city", "country")


@require_safe
@desk_page("customer.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list: newest first, or what a search finds, in its order. Six statements."""
    text = _text(request)
    with tenancy.within(desk.book.pk):
        found = _narrowed(request, desk)
        page = lists.page(found.rows, request, prefix="cus", column=found.column)
    dates = _dates(request)
    return desk.render(
        request,
        "customers/list.html",
        {
            "customers": [_row(row) for row in page.rows],
            "ways": page.ways,
            "is_found": bool(found.column),
            "text": text,
            "since": dates.get("since"),
            "until": dates.get("until"),
            "chips": _chips(request, text, dates),
            "clear_url": request.path,
            "is_narrowed": bool(text or dates),
            "export_query": request.GET.urlencode(),
        },
    )


@require_safe
@desk_page("customer.view")
def detail(request: HttpRequest, desk: Desk, customer: str) -> HttpResponse:
    """All that is known of one. Twelve statements, whatever the past."""
    with tenancy.within(desk.book.pk):
        row = _find(customer)
        context = {
            "customer": row,
            "shown_id": customer,
            "address": _address_lines(row),
            "methods": [(ids.show("pm", each.pk), each) for each in queries.methods(row)],
            "spent": buyers.spent(customer_id=row.pk),
            "summed_max": buyers.ORDERS_SUMMED_MAX,
            "orders": [(ids.show("ord", each.pk), each) for each in buyers.newest(customer_id=row.pk, limit=SHOWN_MAX)],
            "payments": [
                (ids.show("pi", each.pk), each)
                for each in PaymentIntent.objects.filter(customer=row).order_by("-pk")[:SHOWN_MAX]
            ],
            "history": list(
                audited.records(
                    merchant_id=desk.merchant.pk, book_id=desk.book.pk, search=audited.Search(object_id=customer)
                )[:SHOWN_MAX]
            ),
        }
    return desk.render(request, "customers/detail.html", context)


@desk_page("customer.edit")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add one."""
    form = CustomerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def add() -> str:
            row = operations.create(fields=form.columns(), now=desk.now, origin=_origin(desk))
            return _done(desk, "customer.create", row)

        if done := forms.send(request, desk, form, add, words=_("The customer was added.")):
            return done
    form.focus_first_error()
    return desk.render(request, "customers/form.html", {"form": form, "back": desk.url("customers")})


@desk_page("customer.edit")
def edit(request: HttpRequest, desk: Desk, customer: str) -> HttpResponse:
    """Change one: what was shown must still stand."""
    with tenancy.within(desk.book.pk):
        row = _find(customer)
    seen = versions.of(objects.customer(row, livemode=desk.book.livemode))
    form = CustomerForm(request.POST or None, customer=row, seen=seen)
    if request.method == "POST" and form.is_valid():

        def change() -> str:
            changed = operations.update(
                customer_id=row.pk, fields=form.columns(), now=desk.now, origin=_origin(desk), seen=form.seen
            )
            return _done(desk, "customer.edit", changed, fields=sorted(form.changed_data))

        if done := forms.send(request, desk, form, change, words=_("The customer was changed.")):
            return done
    form.focus_first_error()
    return desk.render(
        request, "customers/form.html", {"form": form, "customer": row, "back": desk.url("customer", customer=customer)}
    )


@desk_page("customer.edit")
def delete(request: HttpRequest, desk: Desk, customer: str) -> HttpResponse:
    """Ask first: it cannot be undone."""
    with tenancy.within(desk.book.pk):
        row = _find(customer)
        methods_count = len(queries.methods(row))
    form = forms.DeskForm(request.POST or None)
    if request.method == "POST":

        def remove() -> str:
            operations.delete(customer_id=row.pk, now=desk.now, origin=_origin(desk))
            _record(desk, "customer.delete", customer)
            return desk.url("customers")

        back = desk.url("customer", customer=customer)
        return forms.press(request, desk, remove, back=back, words=_("The customer was deleted."))
    return desk.render(
        request,
        "customers/delete.html",
        {"form": form, "customer": row, "shown_id": customer, "methods_count": methods_count},
    )


@desk_page("customer.edit")
def detach(request: HttpRequest, desk: Desk, customer: str, method: str) -> HttpResponse:
    """Forget a saved way to pay: ask first, it cannot be undone."""
    with tenancy.within(desk.book.pk):
        row = _find(customer)
        saved = next((each for each in queries.methods(row) if ids.show("pm", each.pk) == method), None)
    if saved is None:
        raise Http404
    if request.method == "POST":

        def forget() -> str:
            operations.detach(method_id=saved.pk, now=desk.now, origin=_origin(desk))
            _record(desk, "customer.detach", customer, method=method)
            return desk.url("customer", customer=customer)

        back = desk.url("customer", customer=customer)
        return forms.press(request, desk, forget, back=back, words=_("The saved payment method was taken away."))
    return desk.render(
        request,
        "customers/detach.html",
        {"form": forms.DeskForm(), "customer": row, "shown_id": customer, "method": saved, "method_id": method},
    )


def _export_binding(request: HttpRequest, desk: Desk) -> Binding:
    """A proof is for these customers and no others."""
    return Binding(object_id="customers", payee=_narrowing(request), what=_("Export customers"))


@desk_page("customer.export")
@step_up("customer.export", binds=_export_binding)
def export(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """All that the list shows, as CSV that streams; that somebody took it is written down first.

    What narrows the list stands in the address, as it does for the list.
    """
    text, dates = _text(request), _dates(request)
    if request.method != "POST":
        chips = [(chip.title, chip.value) for chip in _chips(request, text, dates)]
        return desk.render(request, "customers/export.html", {"form": forms.DeskForm(), "narrowed": chips})
    with tenancy.within(desk.book.pk):
        found = _narrowed(request, desk)
        _record(desk, "customer.export", "", narrowed_by=["q"] * bool(text) + sorted(dates))
    name = f"customers-{desk.merchant.slug}-{desk.book.mode}.csv"
    return sheets.stream(name, _EXPORTED, _sheet(desk, found))


def _narrowing(request: HttpRequest) -> str:
    days = {name: day.isoformat() for name, day in _dates(request).items()}
    return urlencode({"q": _text(request), **days})


def _sheet(desk: Desk, found: queries.Found) -> Iterator[list[str]]:
    """Rows of the file, a batch in a unit of work: a long export holds no transaction open."""
    batches = lists.batches(found.rows, column=found.column)
    while True:
        with tenancy.within(desk.book.pk):
            batch = next(batches, None)
        if batch is None:
            return
        for row in batch:
            address = row.address or {}
            yield [
                ids.show("cus", row.pk),
                row.created_at.astimezone(desk.zone).isoformat(timespec="seconds"),
                row.name or "",
                row.email or "",
                row.phone or "",
                row.description or "",
                address.get("city") or "",
                address.get("country") or "",
            ]


def _narrowed(request: HttpRequest, desk: Desk) -> queries.Found:
    """What the address asks for. A search has its own order, so days narrow the whole list alone."""
    found = queries.found(_text(request))
    if found.column or not (days := _dates(request)):
        return found
    rows = found.rows
    if "since" in days:
        rows = rows.filter(pk__gte=ids.first_at(_midnight(days["since"], desk)))
    if "until" in days:
        rows = rows.filter(pk__lt=ids.first_at(_midnight(days["until"] + timedelta(days=1), desk)))
    return queries.Found(rows, None)


def _midnight(day: date, desk: Desk) -> datetime:
    return datetime.combine(day, time.min, tzinfo=desk.zone)


def _dates(request: HttpRequest) -> dict[str, date]:
    """The days in the address that are days. None beside a search."""
    if _text(request):
        return {}
    found = {}
    for name in ("since", "until"):
        try:
            day = date.fromisoformat(request.GET.get(name, ""))
        except ValueError:
            continue
        if 2000 <= day.year <= 2999:
            found[name] = day
    return found


def _text(request: HttpRequest) -> str:
    return request.GET.get("q", "")[:TEXT_MAX].replace("\x00", "").strip()


def _chips(request: HttpRequest, text: str, dates: dict[str, date]) -> list[Chip]:
    chips = []
    if text:
        chips.append(Chip(_("Search"), text, lists.query(request, q=None)))
    if "since" in dates:
        chips.append(Chip(_("Added since"), dates["since"].isoformat(), lists.query(request, since=None)))
    if "until" in dates:
        chips.append(Chip(_("Added until"), dates["until"].isoformat(), lists.query(request, until=None)))
    return chips


def _row(customer: Customer) -> dict[str, Any]:
    return {"id": ids.show("cus", customer.pk), "row": customer}


def _address_lines(customer: Customer) -> list[str]:
    address = customer.address or {}
    return [
        line
        for line in (
            address.get("line1"),
            address.get("line2"),
            " ".join(filter(None, [address.get("postal_code"), address.get("city"), address.get("state")])),
            address.get("country"),
        )
        if line
    ]


def _find(shown: str) -> Customer:
    try:
        return operations.find(ids.parse("cus", shown))
    except (ids.MalformedId, NotFound) as missing:
        raise Http404 from missing


def _origin(desk: Desk) -> Origin:
    return Origin(livemode=desk.book.livemode)


def _done(desk: Desk, action: str, row: Customer, **detail: Any) -> str:
    shown = ids.show("cus", row.pk)
    _record(desk, action, shown, **detail)
    return desk.url("customer", customer=shown)


def _record(desk: Desk, action: str, object_id: str, **detail: Any) -> None:
    audit.record(
        actor=desk.actor,
        action=action,
        object_id=object_id,
        detail=detail,
        book_id=desk.book.pk,
        merchant_id=desk.merchant.pk,
    )
