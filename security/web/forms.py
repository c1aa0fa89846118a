"""Forms of the dashboard: sent once, checked against what was seen, refused in words that stand at the field.

A form carries a token of its own, so that a second press or a repeated request does its
deed no second time, and the version of the object that its page showed, so that nobody
overwrites what somebody else wrote meanwhile.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel import idempotency
from merchant_platform.kernel.errors import NotFound, PlatformError
from merchant_platform.kernel.versions import ChangedMeanwhile
from merchant_platform.kernel.wire import dump, load
from security.merchants import invitations, staff, stores
from security.merchants import operations as merchants
from security.web.desk import Desk

ONCE, SEEN = "once", "seen"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
_PLAIN = {"csrfmiddlewaretoken", ONCE}

# What a refusal of a room says to the person at the desk, in his language. Rooms speak the API's English.
WORDS: dict[type[PlatformError], Any] = {
    ChangedMeanwhile: _("Somebody changed this meanwhile. Open it again to see what it is now, then make your change."),
    idempotency.KeyReused: _(
        "This form was sent before, with other values. Look whether it is done, then send it again."
    ),
    idempotency.LockTimeout: _("Somebody else is at work on this. Try again in a moment."),
    merchants.StoreNameTaken: _("There is a store of this name already."),
    merchants.DeviceNameTaken: _("There is a device of this name in the store already."),
    merchants.StoreElsewhere: _("Choose stores from the list."),
    merchants.UnknownRole: _("Choose a role from the list."),
    stores.AlreadyClosed: _("This store was closed before."),
    stores.AlreadyOpen: _("This store is open."),
    stores.StoreClosed: _("This store is closed. Open it again first."),
    stores.AlreadyRevoked: _("This device was revoked before."),
    staff.MayNotGrant: _("Your role does not reach that far. Ask an owner."),
    staff.NotOneself: _("Nobody changes his own role. Ask another owner."),
    staff.LastOwner: _("A merchant needs an owner. Hand the business over first."),
    staff.OwnerHasAllStores: _("An owner works in all stores: choose none."),
    staff.AlreadyLeft: _("This person does not work here any more."),
    invitations.AlreadyStaff: _("This person works here already."),
    invitations.AlreadyInvited: _("An invitation to this address is open. Send that one again."),
    invitations.NotOpen: _("This invitation was accepted or revoked."),
    invitations.TooSoon: _("It was sent a moment ago. Wait a minute."),
    invitations.TooManyOpen: _("Too many invitations wait to be accepted. Revoke some first."),
    invitations.Unusable: _("This invitation does not work any more. Ask for a new one."),
    invitations.AnotherAddress: _("This invitation is for another e-mail address."),
}


class DeskForm(forms.Form):
    """A form with a token, and with the version of what it changes, if it changes something."""

    def __init__(self, *args: Any, seen: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self.once = secrets.token_urlsafe(16)
        self.seen = self.data.get(SEEN, seen) if self.is_bound else seen
        for field in self.fields.values():
            widget = field.widget
            if not isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
                widget.attrs.setdefault("class", "input")
            if field.required:
                field.error_messages["required"] = _("Fill this in.")

    def refuse(self, refused: PlatformError, fields: Mapping[str, str] | None = None) -> None:
        """Show a room's refusal at the field that it is about, else above the form.

        `fields` names the form's field of a room's parameter, where they differ.
        """
        name = (fields or {}).get(refused.param or "", refused.param)
        self.add_error(name if name in self.fields else None, str(words_of(refused)))

    def focus_first_error(self) -> None:
        """A browser goes to the first mistake by itself."""
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs["autofocus"] = True
                return


def words_of(refused: PlatformError) -> Any:
    """What a refusal says to a person; a room's own sentence where nobody gave it words here."""
    for kind in type(refused).__mro__:
        if kind in WORDS:
            return WORDS[kind]
    return refused.message


def submit(request: HttpRequest, desk: Desk, deed: Callable[[], str]) -> HttpResponse:
    """Do what a form asks in one unit of work, once, and go to the page that the deed names.

    A repetition goes to the same page and does nothing. What the deed raises is rolled
    back with the token. Raises idempotency.KeyReused where the form came again with other
    values, and LockTimeout.
    """

    def answer() -> idempotency.Answer:
        return idempotency.Answer(status=303, body=dump(deed()))

    done = idempotency.run_once(desk.book.pk, _request(request, desk), answer)
    return HttpResponseRedirect(load(done.body), status=303)


def send(
    request: HttpRequest, desk: Desk, form: DeskForm, deed: Callable[[], str], *, words: str
) -> HttpResponse | None:
    """Do what a valid form asks, and say so; None where it is refused, and the form then says why at the field.

    What is not there any more is 404.
    """
    try:
        response = submit(request, desk, deed)
    except NotFound as gone:
        raise Http404 from gone
    except PlatformError as refused:
        form.refuse(refused)
        return None
    messages.success(request, words)
    return response


def press(request: HttpRequest, desk: Desk, deed: Callable[[], str], *, back: str, words: str) -> HttpResponse:
    """Do what a button asks, and say so; where it is refused, say why on the page to go back to.

    What is not there any more is 404.
    """
    try:
        response = submit(request, desk, deed)
    except NotFound as gone:
        raise Http404 from gone
    except PlatformError as refused:
        messages.error(request, words_of(refused))
        return HttpResponseRedirect(back, status=303)
    messages.success(request, words)
    return response


def _request(request: HttpRequest, desk: Desk) -> idempotency.Request | None:
    token = request.POST.get(ONCE, "")
    if not _TOKEN.fullmatch(token):
        return None  # no page of ours sent it
    given = {name: request.POST.getlist(name) for name in request.POST if name not in _PLAIN}
    for name, file in request.FILES.items():
        given[name] = [getattr(file, "name", "")]
    return idempotency.Request(
        key=f"form:{desk.staff.pk}:{token}",
        fingerprint=idempotency.fingerprint("POST", request.path, given),
        request_id="",
    )
