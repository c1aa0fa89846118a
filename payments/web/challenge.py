"""The page of a test card's issuer: is it you who pays this, to whom it says?

The platform only serves it. Question, choice and result are the acquirer's; the browser is
sent back with nothing that anybody would trust, and the server asks for itself.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import get_language, to_locale
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from merchant_platform.kernel import addresses
from merchant_platform.kernel.money import Money
from payments.providers.port import Unanswered, Unreachable
from payments.providers.sandbox.client import Challenge, ChallengeOver, Sandbox

CHOICES = ("approve", "refuse", "cannot")
TOKEN_LENGTH_MAX = 100
sandbox = Sandbox()


# No CSRF token: the token in the address is the proof, and a payer without cookies can answer too.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is to be approved; take the choice and send the payer back to where the payment was."""
    choice = request.POST.get("choice", "")
    try:
        if len(token) > TOKEN_LENGTH_MAX:
            raise ChallengeOver
        if choice in CHOICES:
            return _back(sandbox.answer_challenge(token, choice=choice))
        return _page(request, sandbox.read_challenge(token))
    except ChallengeOver:
        return _instead(request, "sandbox/challenge_over.html", status=410)
    except (Unanswered, Unreachable):
        return _instead(request, "sandbox/challenge_silent.html", status=503)


def _page(request: HttpRequest, challenge: Challenge) -> HttpResponse:
    locale = to_locale(get_language() or "en")
    amount = Money(challenge.amount_minor, challenge.currency).text(locale)
    response = render(request, "sandbox/challenge.html", {"challenge": challenge, "amount": amount})
    # Browsers hold the redirect that answers a form against form-action, so it names where the payer goes back to.
    back = _origin(challenge.return_url)
    response["Content-Security-Policy"] = (
        f"default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'{back}"
    )
    response["Referrer-Policy"] = "no-referrer"
    return response


def _origin(address: str) -> str:
    """Nothing where a payment names no way back, or one that no header can say."""
    try:
        return f" {addresses.origin_of(address)}"
    except ValueError:
        return ""


def _instead(request: HttpRequest, template: str, *, status: int) -> HttpResponse:
    response = render(request, template, status=status)
    # Django would log the address, and with it a token that may still be good.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _back(address: str) -> HttpResponse:
    """303: the browser asks for the next page and sends nothing along."""
    response = HttpResponseRedirect(address)
    response.status_code = 303
    response["Referrer-Policy"] = "no-referrer"
    return response
