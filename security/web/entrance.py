"""The way in, from /dashboard to the merchant that somebody works for, and the way out."""

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from security.merchants.models import LIVE
from security.web import desk as desks


@require_safe
@never_cache
@login_required
def enter(request: HttpRequest) -> HttpResponse:
    """To the first merchant that the person works for. Who works for none finds nothing here."""
    places = desks.places(request.user.pk)
    if not places:
        raise Http404
    return HttpResponseRedirect(desks.address("home", merchant=places[0].merchant.slug, mode=LIVE))


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out of everything, and to the start page."""
    logout(request)
    return HttpResponseRedirect("/")
