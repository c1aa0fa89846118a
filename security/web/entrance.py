"""The way in: from /dashboard to the merchant that somebody works for."""

from allauth.core.internal.httpkit import authenticated_user
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events.models import Event
from security.merchants.models import LIVE, TEST, Book, Merchant
from security.web import desk as desks


@require_safe
@never_cache
@login_required
def enter(request: HttpRequest) -> HttpResponse:
    """To the first merchant that the person works for; operators to the platform. Everybody else finds nothing here."""
    places = desks.places(request.user.pk)
    if not places:
        if authenticated_user(request).is_operator:
            return HttpResponseRedirect(reverse("operator"))
        raise Http404
    merchant = places[0].merchant
    mode = LIVE if _has_begun(merchant) else TEST
    return HttpResponseRedirect(desks.address("home", merchant=merchant.slug, mode=mode))


def _has_begun(merchant: Merchant) -> bool:
    """Whether anything ever happened in live mode; before that, a merchant is still trying things out."""
    book = Book.objects.get(merchant=merchant, mode=LIVE)
    with tenancy.within(book.pk):
        return Event.objects.filter(book_id=book.pk).exists()
