"""The page that asks for a factor again before an act of consequence, and says which act."""

import json
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core.internal.httpkit import authenticated_user
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from merchant_platform.kernel import clock, ids
from security.authentication import passkeys, step_up, trail
from security.authentication.models import StepUp
from security.web.accounts.forms import StepUpForm


@never_cache
@login_required
def confirm(request: HttpRequest, demand: str) -> HttpResponse:
    """Show what is about to be done; take a code or a passkey for it; go back to the page that wanted it."""
    user = authenticated_user(request)
    try:
        demanded = step_up.open_demand(
            identifier=ids.parse(StepUp.id_prefix, demand),
            user=user,
            session_key=request.session.session_key or "",
            now=clock.wall(),
        )
    except (ids.MalformedId, StepUp.DoesNotExist):
        return render(request, "accounts/step_up_over.html", status=410)
    if demanded.proved_at:
        return HttpResponseRedirect(demanded.return_to)
    form = StepUpForm(user=user, data=request.POST if "code" in request.POST else None)
    trouble = ""
    if request.method == "POST":
        try:
            factor = _passkey(request, user, demanded) if "credential" in request.POST else _code(form)
        except (passkeys.Refused, ValidationError) as refused:
            trouble = getattr(refused, "message", "") or _("Try again.")
            factor = None
        if factor is not None:
            return _prove(request, user, demanded, factor)
    kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    context = {
        "demand": demanded,
        "object_id": _shown(demanded.facts["object_id"]),
        "form": form if kinds - {Authenticator.Type.WEBAUTHN} else None,
        "trouble": trouble,
        "js_data": _question(user, demanded) if Authenticator.Type.WEBAUTHN in kinds else None,
    }
    return render(request, "accounts/step_up.html", context, status=400 if request.method == "POST" else 200)


def _shown(object_id: str) -> str:
    """The id of what is acted on, for a person; nothing for what is bound but has no id, like the filters of a list."""
    return object_id if object_id.partition("_")[0] in ids.PREFIXES else ""


def _question(user: Any, demanded: StepUp) -> dict[str, Any]:
    return {"request_options": passkeys.ask(user=user, challenge=step_up.challenge(demanded))}


def _code(form: StepUpForm) -> Authenticator | None:
    return form.authenticator if form.is_valid() else None


def _passkey(request: HttpRequest, user: Any, demanded: StepUp) -> Authenticator:
    clear = check_rate_limit(user)
    try:
        credential = json.loads(request.POST["credential"])
    except (ValueError, RecursionError) as error:
        raise passkeys.Refused(_("The passkey's answer cannot be read.")) from error
    factor = passkeys.verify(
        user=user,
        credential=credential,
        challenge=step_up.challenge(demanded),
        asked_at=demanded.created_at,
        now=clock.wall(),
    )
    clear()
    return factor


def _prove(request: HttpRequest, user: Any, demanded: StepUp, factor: Authenticator) -> HttpResponse:
    try:
        with transaction.atomic():
            step_up.prove(demanded=demanded, factor=factor.type, now=clock.wall())
            trail.note(
                user=user,
                action="step_up.proved",
                ip=get_account_adapter().get_client_ip(request),
                detail={"action": demanded.action, "object": demanded.facts["object_id"], "factor": factor.type},
            )
    except step_up.AlreadyProved:
        return render(request, "accounts/step_up_over.html", status=410)
    return HttpResponseRedirect(demanded.return_to)
