"""Views of allauth to which this platform adds something, and the page that asks for a second factor."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.utils import get_next_redirect_url
from allauth.core.internal.httpkit import authenticated_user
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from security.authentication import trail
from security.web import sides
from security.web.accounts.forms import note_question

NEXT_KEY = "second_factor_next"


def is_strong(request: HttpRequest) -> bool:
    """Whether this session has shown a second factor, or a passkey, which counts for two."""
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


@never_cache
@login_required
def enrol(request: HttpRequest) -> HttpResponse:
    """First sign-in: choose a second factor. Who has one goes on to where they wanted to be."""
    following = get_next_redirect_url(request)
    if following:
        request.session[NEXT_KEY] = following
    if is_strong(request):
        return HttpResponseRedirect(request.session.pop(NEXT_KEY, "/"))
    return render(request, "accounts/enrol.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_side(request: HttpRequest) -> HttpResponse:
    """From work to one's own wallet, or back: who is signed in signs out, and in again on the other side."""
    following = get_next_redirect_url(request) or f"{sides.WALLET_PREFIX}/"
    to_wallet = following.startswith(sides.WALLET_PREFIX)
    if request.method != "POST":
        return render(request, "accounts/side.html", {"next": following, "to_wallet": to_wallet})
    get_account_adapter().logout(request)
    if to_wallet:
        sides.choose_wallet(request)
    opening = "account_signup_by_passkey" if request.POST.get("new") else "account_login"
    return HttpResponseRedirect(f"{reverse(opening)}?{urlencode({'next': following})}")


class ActivateTOTPView(totp.ActivateTOTPView):
    """An app's first code is the second factor of the session that it was given in."""

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        app = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        app.data["last_step"] = form.step
        app.save(update_fields=["data"])
        strengthen(self.request, app)
        return response


class AddWebAuthnView(webauthn.AddWebAuthnView):
    """A passkey that was made just now was shown just now."""

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        made = Authenticator.objects.filter(user=self.request.user, type=Authenticator.Type.WEBAUTHN)
        strengthen(self.request, made.latest("pk"))
        return response


class LoginWebAuthnView(webauthn.LoginWebAuthnView):
    """Notes when the challenge was handed out, so that it grows stale."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        note_question()
        return super().get(request, *args, **kwargs)


class RemoveWebAuthnView(webauthn.RemoveWebAuthnView):
    """Nobody who needs a second factor removes the last one."""

    def form_valid(self, form: Any) -> HttpResponse:
        if not get_adapter().can_delete_authenticator(self.get_object()):
            messages.error(self.request, _("This is your only second factor. Add another one first."))
            return HttpResponseRedirect(reverse("mfa_list_webauthn"))
        return super().form_valid(form)


def strengthen(request: HttpRequest, factor: Authenticator) -> None:
    """Note that a session showed a second factor. This will give it a new key, as every sign-in does."""
    record_authentication(request, request.user, method="mfa", id=factor.pk, type=factor.type)
    before = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)


@require_POST
@login_required
def end_session(request: HttpRequest, session: int) -> HttpResponse:
    """Sign one device out."""
    user = authenticated_user(request)
    ended = get_object_or_404(UserSession, pk=session, user=user)
    with transaction.atomic():
        trail.note(user=user, action="login.session_ended", ip=get_account_adapter().get_client_ip(request))
        ended.end()
    messages.success(request, _("The device was signed out."))
    return redirect("usersessions_list")
