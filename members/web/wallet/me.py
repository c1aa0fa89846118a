"""What a consumer decides about themselves: which devices are signed in, what merchants may take and know."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from members.portal.port import Place
from members.web.wallet.purse import Purse, wallet_page
from merchant_platform.kernel import clock, ids, tenancy
from payments.customers import operations as customers
from payments.origin import Origin
from payments.wallets import queries as wallets
from payments.wallets.queries import Permission
from security.authentication import trail
from security.merchants import queries as merchants
from security.merchants.models import Merchant
from security.privacy import operations as consents
from security.privacy import queries as privacy
from security.privacy.models import Consent
from security.privacy.wording import PURPOSES, Wording

SOURCE = "wallet"


@dataclass(frozen=True, slots=True)
class Choice:
    """One purpose with one merchant: what is asked, and what was said."""

    purpose: str
    wording: Wording
    consent: Consent | None


@dataclass(frozen=True, slots=True)
class Known:
    """A merchant that knows the consumer, and what it may do."""

    merchant: Merchant
    customer: str
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class Allowed:
    """A permission to take from a wallet, with the names that a person reads."""

    permission: Permission
    merchant: Merchant
    method: str
    currency: str


@require_safe
@wallet_page
def page(request: HttpRequest, purse: Purse) -> HttpResponse:
    """The way to all of it, and what is chosen of the page itself."""
    return purse.render(request, "wallet/me.html", {"current": "me"})


@require_safe
@wallet_page
def devices(request: HttpRequest, purse: Purse) -> HttpResponse:
    """Every browser that is signed in as the consumer."""
    sessions = UserSession.objects.purge_and_list(request.user)
    return purse.render(request, "wallet/devices.html", {"current": "me", "sessions": sessions})


@require_POST
@wallet_page
def end_device(request: HttpRequest, purse: Purse, session: int) -> HttpResponse:
    """Sign one device out; a second time there is nothing to do. Another consumer's is 404."""
    ended = UserSession.objects.filter(pk=session, user_id=purse.consumer.user_id).first()
    if ended is None:
        raise Http404
    with transaction.atomic():
        trail.note(user=ended.user, action="login.session_ended", ip=purse.ip)
        ended.end()
    return HttpResponseRedirect(purse.url("wallet_devices"), status=303)


@require_safe
@wallet_page
def known(request: HttpRequest, purse: Purse) -> HttpResponse:
    """The merchants that know the consumer: what each may take, and what each may do with what it knows."""
    allowed = wallets.permissions(purse.consumer.pk, now=clock.wall())
    books = merchants.books({each.book_id for each in allowed})
    currencies = {wallet.pk: wallet.currency for wallet in purse.wallets}
    return purse.render(
        request,
        "wallet/merchants.html",
        {
            "current": "me",
            "permissions": [
                Allowed(each, books[each.book_id].merchant, ids.show("pm", each.method_id), currencies[each.wallet_id])
                for each in allowed
            ],
            "known": [_known(place) for place in purse.viewer.places],
        },
    )


@require_POST
@wallet_page
def revoke(request: HttpRequest, purse: Purse, method: str) -> HttpResponse:
    """Take a permission back. This will detach the payment method at the merchant, who is told.

    A form that is sent twice finds nothing more to take back, and so does one of somebody else's.
    """
    allowed = wallets.permissions(purse.consumer.pk, now=clock.wall())
    found = next((each for each in allowed if ids.show("pm", each.method_id) == method), None)
    if found is not None:
        book = merchants.book(found.book_id)
        with suppress(customers.MethodDetached), tenancy.within(book.pk):
            customers.detach(method_id=found.method_id, now=book.now, origin=Origin(livemode=book.livemode))
    return HttpResponseRedirect(purse.url("wallet_merchants"), status=303)


@require_POST
@wallet_page
def consent(request: HttpRequest, purse: Purse, customer: str) -> HttpResponse:
    """Say yes or no to one purpose with one merchant; the one is as far away as the other."""
    place = next((each for each in purse.viewer.places if ids.show("cus", each.link.customer_id) == customer), None)
    purpose = request.POST.get("purpose", "")
    answer = {"yes": consents.grant, "no": consents.withdraw}.get(request.POST.get("answer", ""))
    if place is None or purpose not in PURPOSES or answer is None:
        raise Http404
    said: dict[str, Any] = {"purpose": purpose, "source": SOURCE, "now": place.book.now, "actor": purse.actor}
    with tenancy.within(place.book.pk):
        answer(customer_id=place.link.customer_id, **said)
    return HttpResponseRedirect(f"{purse.url('wallet_merchants')}#{customer}", status=303)


def _known(place: Place) -> Known:
    with tenancy.within(place.book.pk):
        standing = privacy.standing(place.link.customer_id)
    choices = [Choice(purpose, wording, standing.get(purpose)) for purpose, wording in PURPOSES.items()]
    return Known(place.book.merchant, ids.show("cus", place.link.customer_id), choices)
