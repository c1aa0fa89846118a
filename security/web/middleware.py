"""Middleware of sign-in: behind these addresses a password alone is not enough, and a wallet's session opens none."""

from collections.abc import Callable
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from security.authentication import trail
from security.web import sides
from security.web.accounts.views import is_strong

STRONG_PREFIXES = ("/dashboard", "/operator", "/admin", "/reports")


class SecondFactor:
    """Sends who signed in without a second factor to show theirs, or to get one, and back again afterwards."""

    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(STRONG_PREFIXES) or not request.user.is_authenticated:
            return self.get_response(request)
        if sides.is_of_wallet(request):
            return HttpResponseRedirect(f"{reverse('side')}?{urlencode({'next': _page(request)})}")
        if is_strong(request):
            return self.get_response(request)
        if not trail.needs_second_factor(request.user):
            return self.get_response(request)
        if request.headers.get("HX-Request"):
            # A fragment: the page that it belongs to is loaded again, and asks.
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return HttpResponseRedirect(f"{_asking(request)}?{urlencode({'next': _page(request)})}")


def _page(request: HttpRequest) -> str:
    """Where to come back to: a form that was sent is not sent again."""
    return request.get_full_path() if request.method in ("GET", "HEAD") else request.path


def _asking(request: HttpRequest) -> str:
    kinds = set(Authenticator.objects.filter(user=request.user).values_list("type", flat=True))
    if Authenticator.Type.TOTP in kinds:
        return reverse("mfa_reauthenticate")
    if Authenticator.Type.WEBAUTHN in kinds:
        return reverse("mfa_reauthenticate_webauthn")
    return reverse("enrol")
