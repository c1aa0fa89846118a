"""The keys of a book: list, create, restrict, rename, rotate, revoke. The text of one is shown once.

The list costs the desk's statements and four more (the keys, when each was used, and the
unit of work around that). When a key was used last is read off the request log: no
request writes anything for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.api.openapi import endpoints
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.request_log import queries as request_log
from security.authentication.step_up import Binding
from security.credentials import keys, queries, showing
from security.web import paging
from security.web.deeds import note
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up

MANAGE = "key.manage"
NONE, READ, WRITE = "none", "read", "write"
VERBS = {
    NONE: pgettext_lazy("right", "None"),
    READ: pgettext_lazy("right", "Read"),
    WRITE: pgettext_lazy("right", "Write"),
}
KINDS = {
    keys.SECRET: (_("Secret"), _("May do everything in this book. It stays on your server.")),
    keys.RESTRICTED: (_("Restricted"), _("May do what you tick below, and no more.")),
    keys.PUBLISHABLE: (
        _("Publishable"),
        _("May stand in a page: it makes payment methods and confirms one payment, with that one’s client secret."),
    ),
}
OVERLAP_DEFAULT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Shown:
    """A key as a list shows it."""

    id: str
    key: Any
    prefix: str
    kind_name: Any
    made_by: str
    last_used_at: datetime | None
    now: datetime

    @property
    def state(self) -> tuple[str, Any]:
        """Its colour and its word."""
        if self.key.revoked_at:
            return "danger", pgettext_lazy("a key", "Revoked")
        if self.key.expires_at and self.key.expires_at <= self.now:
            return "neutral", _("Replaced")
        if self.key.expires_at:
            return "warning", _("Being replaced")
        return "success", pgettext_lazy("key", "Works")

    @property
    def works(self) -> bool:
        return not self.key.revoked_at and not (self.key.expires_at and self.key.expires_at <= self.now)

    @property
    def can_rotate(self) -> bool:
        return self.works and not self.key.expires_at

    @property
    def rights(self) -> list[tuple[str, Any]]:
        """What a restricted key may do, resource by resource."""
        return [(resource, VERBS[verb]) for resource, verb in sorted(self.key.permissions.items())]


@cache
def resources() -> dict[str, bool]:
    """What a restricted key can be given, and whether anything of it can be written: as the API's doors say."""
    asked = sorted({each.permission for _address, _method, each in endpoints()})
    named = {permission.partition(":")[0] for permission in asked}
    return {name: f"{name}:write" in asked for name in sorted(named)}


class KeyForm(forms.Form):
    """What a new key is to be. `once` makes a form that is sent twice one key."""

    name = forms.CharField(
        label=_("Name"),
        max_length=keys.NAME_LENGTH_MAX,
        required=False,
        help_text=_("Where you will use it, for you to tell it by."),
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=[(kind, words[0]) for kind, words in KINDS.items()])
    once = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        rights = {name: self.data.get(f"right_{name}", NONE) for name in resources()}
        given = {name: verb for name, verb in rights.items() if verb == READ or (verb == WRITE and resources()[name])}
        if said.get("kind") == keys.RESTRICTED and not given:
            raise forms.ValidationError(_("A restricted key needs at least one right."))
        said["permissions"] = given if said.get("kind") == keys.RESTRICTED else None
        return said

    @property
    def grid(self) -> list[tuple[str, str, bool]]:
        """Each resource, what is ticked for it, and whether it can be written."""
        return [(name, self.data.get(f"right_{name}", NONE), writes) for name, writes in resources().items()]

    @property
    def kinds(self) -> list[tuple[str, Any, Any, bool]]:
        chosen = self.data.get("kind") or self.initial.get("kind")
        return [(kind, title, words, kind == chosen) for kind, (title, words) in KINDS.items()]


class RenameForm(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=keys.NAME_LENGTH_MAX,
        required=False,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )


class RotateForm(forms.Form):
    """Until when the old key works beside the new one."""

    until = forms.DateTimeField(
        label=_("The old key works until"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"class": "input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    once = forms.CharField(max_length=64, widget=forms.HiddenInput)


@require_safe
@desk_page(MANAGE)
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Every key that works, and those that ended lately."""
    now = clock.wall()
    found = queries.listed(book_id=desk.book.pk, now=now)
    with tenancy.within(desk.book.pk):
        used = request_log.last_used([key.pk for key in found])
    shown = [as_shown(desk, key, now, used.get(key.pk)) for key in found]
    return desk.render(request, "developers/keys.html", {"keys": shown, "log_days": _log_days()})


def of_key(request: HttpRequest, desk: Desk, key: str = "") -> Binding:
    """What a factor is shown for: a text that opens a live book is about to be shown. Test books hold play money."""
    if key and not desk.is_test:
        find(desk, key)  # nobody is asked for what is not there
    what = gettext("Replace a live API key") if key else gettext("Create a live API key")
    return Binding(object_id=key, what=what, is_required=not desk.is_test)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("made", "text")
@desk_page(MANAGE)
@step_up(MANAGE, binds=of_key)
def create(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Choose a kind and its rights; the answer to the form shows the text."""
    form = KeyForm(
        request.POST if request.method == "POST" else None, initial={"kind": keys.SECRET, "once": uuid4().hex}
    )
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data

        def make(now: datetime) -> tuple[Any, str]:
            key, text = keys.make(
                book=desk.book,
                kind=said["kind"],
                name=said["name"],
                permissions=said["permissions"],
                made_by=desk.staff,
                now=now,
            )
            note(desk, "key.create", ids.show("key", key.pk), kind=key.kind, permissions=key.permissions)
            return key, text

        told = {"kind": said["kind"], "name": said["name"], "rights": str(said["permissions"])}
        return _make_once(request, desk, said["once"], told, make)
    return _form_page(request, desk, "developers/key_form.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE)
def show(request: HttpRequest, desk: Desk, key: str) -> HttpResponse:
    """One key: what it may do, when it was used; a new name for it."""
    row = find(desk, key)
    form = RenameForm(request.POST if request.method == "POST" else None, initial={"name": row.name})
    if request.method == "POST" and form.is_valid():
        try:
            with tenancy.within(desk.book.pk):
                keys.rename(key=row, name=form.cleaned_data["name"])
                note(desk, "key.rename", key)
        except PlatformError as error:
            messages.error(request, _said(error))
        else:
            messages.success(request, gettext("The key has its new name."))
        return HttpResponseRedirect(desk.url("key", key=key))
    with tenancy.within(desk.book.pk):
        used = request_log.last_used([row.pk])
    shown = as_shown(desk, row, clock.wall(), used.get(row.pk))
    return _form_page(request, desk, "developers/key.html", form, {"key": shown, "log_days": _log_days()})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("made", "text")
@desk_page(MANAGE)
@step_up(MANAGE, binds=of_key)
def rotate(request: HttpRequest, desk: Desk, key: str) -> HttpResponse:
    """Replace a key; the old one works until a time that is chosen, a week from now at most."""
    row = find(desk, key)
    now = clock.wall()
    initial = {"until": (now + OVERLAP_DEFAULT).astimezone(desk.zone).replace(tzinfo=None), "once": uuid4().hex}
    form = RotateForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        until = form.cleaned_data["until"].replace(tzinfo=desk.zone)

        def make(now: datetime) -> tuple[Any, str]:
            overlap = max(until - now, timedelta(0))
            fresh, text = keys.rotate(key=row, overlap=overlap, made_by=desk.staff, now=now)
            made = ids.show("key", fresh.pk)
            note(desk, "key.rotate", key, replaced_by=made, works_until=clock.unix(now + overlap))
            return fresh, text

        told = {"rotate": key, "until": until.isoformat()}
        return _make_once(request, desk, form.cleaned_data["once"], told, make, old=row)
    shown = as_shown(desk, row, now, None)
    limits = {"days_max": keys.OVERLAP_MAX.days, "key": shown}
    return _form_page(request, desk, "developers/key_rotate.html", form, limits)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE)
def revoke(request: HttpRequest, desk: Desk, key: str) -> HttpResponse:
    """Ask once more, then stop a key for good. A second time it is stopped already, and says so."""
    row = find(desk, key)
    if request.method == "POST":
        try:
            with tenancy.within(desk.book.pk):
                keys.revoke(key=row, now=clock.wall())
                note(desk, "key.revoke", key)
        except keys.AlreadyRevoked:
            messages.info(request, gettext("This key was revoked before."))
        else:
            messages.success(request, gettext("The key is revoked. It is refused everywhere within a second or two."))
        return HttpResponseRedirect(desk.url("keys"))
    with tenancy.within(desk.book.pk):
        used = request_log.last_used([row.pk])
    shown = as_shown(desk, row, clock.wall(), used.get(row.pk))
    return desk.render(request, "developers/key_revoke.html", {"key": shown, "log_days": _log_days()})


@sensitive_variables("made")
def _make_once(
    request: HttpRequest,
    desk: Desk,
    token: str,
    told: dict[str, str],
    make: Callable[[datetime], tuple[Any, str]],
    old: Any = None,
) -> HttpResponse:
    now = clock.wall()
    try:
        made = showing.once(
            book_id=desk.book.pk, staff_id=desk.staff.pk, token=token, form=told, make=lambda: make(now), now=now
        )
    except PlatformError as error:
        messages.error(request, _said(error))
        return HttpResponseRedirect(desk.url("keys"))
    row = queries.find(book_id=desk.book.pk, key_id=made.key_id)
    assert row is not None, "it was made just now, in this book"
    context = {"key": as_shown(desk, row, now, None), "text": made.text, "old": old and as_shown(desk, old, now, None)}
    return desk.render(request, "developers/key_made.html", context)


def find(desk: Desk, name: str) -> Any:
    """The key that an address names. Raises Http404."""
    key_id = paging.identifier("key", name)
    row = queries.find(book_id=desk.book.pk, key_id=key_id) if key_id else None
    if row is None:
        raise Http404
    return row


def as_shown(desk: Desk, key: Any, now: datetime, used: datetime | None) -> Shown:
    """A key as pages show it."""
    return Shown(
        id=ids.show("key", key.pk),
        key=key,
        prefix=keys.shown_prefix(kind=key.kind, mode=desk.book.mode),
        kind_name=KINDS[key.kind][0],
        made_by=key.made_by.user.name or key.made_by.user.email if key.made_by else "",
        last_used_at=used,
        now=now,
    )


def _form_page(
    request: HttpRequest, desk: Desk, template: str, form: forms.Form, context: dict[str, Any] | None = None
) -> HttpResponse:
    status = 400 if form.is_bound and form.errors else 200
    return desk.render(request, template, {"form": form, "verbs": VERBS, **(context or {})}, status=status)


def _said(error: PlatformError) -> str:
    """A refusal in the reader's language."""
    told = {
        keys.AlreadyRevoked.code: gettext("This key was replaced or revoked before."),
        keys.TooManyKeys.code: gettext("There are as many keys as there may be: revoke one first."),
        "idempotency_error": gettext("This form was sent before, with other words. Begin again."),
    }
    if error.param == "overlap":
        return gettext("The old key can work beside the new one for a week at most.")
    return told.get(error.code, gettext("That could not be done. Try again."))


def _log_days() -> int:
    return settings.REQUEST_LOG_DAYS
