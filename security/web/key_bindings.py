"""What a key is bound to: where it is used from, with which certificate, signed by which key, sealed for which."""

import json
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from merchant_platform.kernel import clock
from merchant_platform.kernel.errors import Invalid, PlatformError
from security.authentication.step_up import Binding
from security.credentials import bindings, keys
from security.web import forms
from security.web.deeds import note
from security.web.desk import Desk, desk_page
from security.web.keys import MANAGE, as_shown, find
from security.web.step_up import step_up

TEXT_MAX = 4_000
_WRONG: dict[str, Any] = {
    "networks": _("One address or network a line, such as 203.0.113.0/24; fifty at most."),
    "certificates": _("One SHA-256 fingerprint a line, 64 hexadecimal digits; ten at most."),
    "signing_key": _("Paste an Ed25519 public key in PEM. Never send us the private one."),
    "encryption_key": _("Paste a public JWK of type EC, curve P-256. Never send us the private one."),
}


def _area(rows: int) -> django_forms.Textarea:
    return django_forms.Textarea(
        attrs={"class": "input input-area", "rows": rows, "spellcheck": "false", "translate": "no"}
    )


class BindingsForm(forms.DeskForm):
    networks = django_forms.CharField(
        label=_("Networks"),
        required=False,
        max_length=TEXT_MAX,
        help_text=_("The key works from these alone, one a line. Empty: from anywhere."),
        widget=_area(3),
    )
    certificates = django_forms.CharField(
        label=_("Client certificates"),
        required=False,
        max_length=TEXT_MAX,
        help_text=_("SHA-256 fingerprints, one a line. The key works with one of them alone. Empty: none is needed."),
        widget=_area(3),
    )
    signing_key = django_forms.CharField(
        label=_("Public key that signs requests"),
        required=False,
        max_length=TEXT_MAX,
        help_text=_("Ed25519, in PEM (RFC 9421). Unsigned requests are then refused. Empty: none is signed."),
        widget=_area(4),
    )
    encryption_key = django_forms.CharField(
        label=_("Public key that answers are sealed for"),
        required=False,
        max_length=TEXT_MAX,
        help_text=_("EC, curve P-256, as JWK (RFC 7516). Answers are sealed where a request asks for it."),
        widget=_area(4),
    )

    def clean_encryption_key(self) -> dict[str, Any] | None:
        text = self.cleaned_data["encryption_key"].strip()
        try:
            jwk = json.loads(text or "null")
        except (ValueError, RecursionError) as error:
            raise ValidationError(_WRONG["encryption_key"]) from error
        if not isinstance(jwk, dict | None):
            raise ValidationError(_WRONG["encryption_key"])
        return jwk


def _form(request: HttpRequest, row: Any) -> BindingsForm:
    initial = {
        "networks": "\n".join(row.networks),
        "certificates": "\n".join(row.certificates),
        "signing_key": row.signing_key,
        "encryption_key": json.dumps(row.encryption_key) if row.encryption_key else "",
    }
    return BindingsForm(request.POST if request.method == "POST" else None, initial=initial, seen=bindings.version(row))


def _binds(request: HttpRequest, desk: Desk, key: str) -> Binding | None:
    """A live key opens money. What cannot be read is sent back without using the proof up."""
    row = find(desk, key)
    if request.method == "POST" and not _form(request, row).is_valid():
        return None
    return Binding(object_id=key, what=gettext("Change what a live API key is bound to"), is_required=not desk.is_test)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE)
@step_up(MANAGE, binds=_binds)
def change(request: HttpRequest, desk: Desk, key: str) -> HttpResponse:
    """The four lists, as they are and as they shall be."""
    row = find(desk, key)
    if not as_shown(desk, row, clock.wall(), None).works:
        messages.info(request, gettext("This key was replaced or revoked before."))
        return HttpResponseRedirect(desk.url("key", key=key))
    form = _form(request, row)
    if form.is_valid():
        said = form.cleaned_data

        def bind() -> str:
            changed = bindings.change(
                key_id=row.pk,
                allowed=said["networks"].split(),
                fingerprints=said["certificates"].split(),
                public_pem=said["signing_key"],
                jwk=said["encryption_key"],
                seen=form.seen,
            )
            if changed:
                note(desk, "key.bind", key, changed=changed)
            return desk.url("key", key=key)

        try:
            response = forms.submit(request, desk, bind)
        except (Invalid, keys.AlreadyRevoked) as refused:
            name = refused.param if refused.param in _WRONG else None
            form.add_error(name, _WRONG[name] if name else gettext("This key was replaced or revoked before."))
        except PlatformError as refused:
            form.refuse(refused)
        else:
            messages.success(request, gettext("The key is bound so. It holds everywhere within a second or two."))
            return response
    form.focus_first_error()
    status = 400 if form.is_bound else 200
    return desk.render(request, "developers/key_bindings.html", {"form": form, "key_id": key}, status=status)
