"""Stores and the devices in them: opened, named, closed and opened again; tills added and revoked."""

from typing import Any

from django import forms as django_forms
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from merchant_platform.kernel import clock, ids
from merchant_platform.kernel.errors import NotFound
from security.audit import operations as audit
from security.merchants import operations as merchants
from security.merchants import stores
from security.merchants.models import Device, Store
from security.web import forms
from security.web.desk import Desk, desk_page

# More stores than this are a chain that wants a search; a page shows the newest.
SHOWN_MAX = 500


class StoreForm(forms.DeskForm):
    name = django_forms.CharField(label=gettext_lazy("Name"), max_length=80)
    city = django_forms.CharField(label=gettext_lazy("City"), max_length=80, required=False)


class DeviceForm(forms.DeskForm):
    name = django_forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("Such as till 1 or scanner at the door.")
    )


@require_safe
@desk_page("store.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The stores, open ones first. Five statements."""
    found = (
        Store.objects.filter(merchant=desk.merchant)
        .annotate(devices_count=Count("devices", filter=Q(devices__revoked_at__isnull=True)))
        .order_by("-closed_at", "name", "pk")[:SHOWN_MAX]
    )
    rows = sorted(found, key=lambda store: not store.is_open)
    return desk.render(request, "stores/list.html", {"stores": [(ids.show("sto", store.pk), store) for store in rows]})


@desk_page("store.manage")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Open one."""
    form = StoreForm(request.POST or None)
    if request.method == "POST" and form.is_valid():

        def open_() -> str:
            given = form.cleaned_data
            store = merchants.open_store(
                merchant=desk.merchant, name=given["name"], city=given["city"], now=clock.wall()
            )
            return _done(desk, "store.open", store)

        if done := forms.send(request, desk, form, open_, words=_("The store was opened.")):
            return done
    form.focus_first_error()
    return desk.render(request, "stores/form.html", {"form": form, "back": desk.url("stores")})


@require_safe
@desk_page("store.view")
def detail(request: HttpRequest, desk: Desk, store: str) -> HttpResponse:
    """One with its devices. Six statements."""
    return _detail(request, desk, _find(desk, store), DeviceForm())


@desk_page("store.manage")
def edit(request: HttpRequest, desk: Desk, store: str) -> HttpResponse:
    """Name it otherwise: what was shown must still stand."""
    row = _find(desk, store)
    form = StoreForm(request.POST or None, initial={"name": row.name, "city": row.city}, seen=row.version)
    if request.method == "POST" and form.is_valid():

        def describe() -> str:
            given = form.cleaned_data
            changed = stores.describe(
                store_id=row.pk, merchant=desk.merchant, name=given["name"], city=given["city"], seen=form.seen
            )
            return _done(desk, "store.edit", changed, fields=sorted(form.changed_data))

        if done := forms.send(request, desk, form, describe, words=_("The store was changed.")):
            return done
    form.focus_first_error()
    return desk.render(
        request, "stores/form.html", {"form": form, "store": row, "back": desk.url("store", store=store)}
    )


@desk_page("store.manage")
def close(request: HttpRequest, desk: Desk, store: str) -> HttpResponse:
    """Ask first: its devices do not come back."""
    row = _find(desk, store)
    form = forms.DeskForm(request.POST or None)
    if request.method == "POST":

        def shut() -> str:
            return _done(desk, "store.close", stores.close(store_id=row.pk, merchant=desk.merchant, now=clock.wall()))

        return forms.press(request, desk, shut, back=desk.url("store", store=store), words=_("The store was closed."))
    devices_count = Device.objects.filter(store=row, revoked_at__isnull=True).count()
    return desk.render(
        request,
        "stores/close.html",
        {"form": form, "store": row, "shown_id": store, "devices_count": devices_count},
    )


@require_POST
@desk_page("store.manage")
def reopen(request: HttpRequest, desk: Desk, store: str) -> HttpResponse:
    """Open a closed one again."""
    row = _find(desk, store)

    def open_again() -> str:
        return _done(desk, "store.reopen", stores.reopen(store_id=row.pk, merchant=desk.merchant))

    back = desk.url("store", store=store)
    return forms.press(request, desk, open_again, back=back, words=_("The store is open again."))


@require_POST
@desk_page("store.manage")
def device_new(request: HttpRequest, desk: Desk, store: str) -> HttpResponse:
    """Add a till or scanner."""
    row = _find(desk, store)
    form = DeviceForm(request.POST)
    if form.is_valid():

        def add() -> str:
            place = stores.lock_open(row.pk, merchant=desk.merchant)
            device = merchants.add_device(store=place, name=form.cleaned_data["name"], now=clock.wall())
            return _done(desk, "device.add", row, device=ids.show("dev", device.pk))

        if done := forms.send(request, desk, form, add, words=_("The device was added.")):
            return done
    form.focus_first_error()
    return _detail(request, desk, row, form)


@desk_page("store.manage")
def device_revoke(request: HttpRequest, desk: Desk, store: str, device: str) -> HttpResponse:
    """Ask first: a revoked device stays revoked."""
    row = _find(desk, store)
    found = next(
        (each for each in row.devices.filter(revoked_at__isnull=True) if ids.show("dev", each.pk) == device), None
    )
    if request.method == "POST":
        try:
            identifier = ids.parse("dev", device)
        except ids.MalformedId as malformed:
            raise Http404 from malformed

        def revoke() -> str:
            stores.revoke_device(device_id=identifier, merchant=desk.merchant, now=clock.wall())
            return _done(desk, "device.revoke", row, device=device)

        back = desk.url("store", store=store)
        return forms.press(request, desk, revoke, back=back, words=_("The device was revoked."))
    if found is None:
        raise Http404
    return desk.render(
        request,
        "stores/revoke.html",
        {"form": forms.DeskForm(), "store": row, "shown_id": store, "device": found, "device_id": device},
    )


def _detail(request: HttpRequest, desk: Desk, store: Store, device_form: DeviceForm) -> HttpResponse:
    devices = store.devices.order_by("revoked_at", "name")
    return desk.render(
        request,
        "stores/detail.html",
        {
            "store": store,
            "shown_id": ids.show("sto", store.pk),
            "devices": [(ids.show("dev", each.pk), each) for each in devices],
            "device_form": device_form,
            "form": forms.DeskForm(),
        },
    )


def _find(desk: Desk, shown: str) -> Store:
    try:
        return stores.find(ids.parse("sto", shown), merchant=desk.merchant)
    except (ids.MalformedId, NotFound) as missing:
        raise Http404 from missing


def _done(desk: Desk, action: str, store: Store, **detail: Any) -> str:
    shown = ids.show("sto", store.pk)
    audit.record(
        actor=desk.actor,
        action=action,
        object_id=shown,
        detail=detail,
        book_id=None,
        merchant_id=desk.merchant.pk,
    )
    return desk.url("store", store=shown)
