"""Where a consumer stands: their own wallet in one mode, found by who is signed in and nothing else.

    /wallet/        live
    /wallet/test/   test

A view is handed the purse of whoever is signed in; no address names a consumer, so there
is none to try out. What an address does name (a top-up, a card, a receipt) is looked for
among what is theirs, and is 404 otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, wraps
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from allauth.account.adapter import get_adapter
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache

from members.portal import queries as portal
from members.portal.port import Viewer
from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Conflict, NotFound, PlatformError, TooMany, Unavailable
from payments.wallets import queries as wallets
from payments.wallets.models import Consumer, Wallet
from security.audit.operations import Actor
from security.merchants import queries as merchants
from security.merchants.models import LIVE, TEST, Book
from security.web import sides

View = Callable[..., HttpResponse]
SECTIONS = {LIVE: "wallet", TEST: "wallet/test"}


@dataclass(frozen=True)
class Purse:
    """One consumer at their wallet, in one mode."""

    consumer: Consumer
    # The platform's own book of the mode, whose clock and zone the wallet has.
    book: Book
    now: datetime
    # The network address that asks.
    ip: str

    @property
    def mode(self) -> str:
        return self.consumer.mode

    @property
    def is_live(self) -> bool:
        return self.mode == LIVE

    @property
    def zone(self) -> ZoneInfo:
        return self.book.merchant.zone

    @property
    def actor(self) -> Actor:
        """Who the audit log names for what is done here."""
        assert self.consumer.user_id is not None, "who signs in has a login"
        return Actor.user(self.consumer.user_id, ip=self.ip)

    @cached_property
    def wallets(self) -> list[Wallet]:
        return wallets.wallets_of(self.consumer)

    @cached_property
    def viewer(self) -> Viewer:
        """The consumer with the merchants that know them."""
        return portal.viewer(self.consumer)

    def wallet(self, shown: str | None) -> Wallet:
        """The consumer's wallet of an id, else their first. Raises Http404 for another's, or none."""
        found = next((each for each in self.wallets if not shown or ids.show("wal", each.pk) == shown), None)
        if found is None:
            raise Http404
        return found

    def url(self, name: str, **kwargs: str) -> str:
        """The address of a page of this wallet, in its mode."""
        return address(name, mode=self.mode, **kwargs)

    def render(
        self, request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
    ) -> HttpResponse:
        return render(request, template, frame(self.mode) | {"purse": self, **(context or {})}, status=status)


def frame(mode: str) -> dict[str, Any]:
    """What the layout of every page of the wallet needs."""
    return {"mode": mode, "is_live": mode == LIVE}


def address(name: str, *, mode: str, **kwargs: str) -> str:
    """The address of a page of the wallet."""
    return reverse(f"{name}_{mode}", kwargs=kwargs)


def wallet_path(rest: str, view: View, *, name: str) -> list[URLPattern]:
    """A page's two addresses, in test and in live mode. `rest` is what follows the mode."""
    return [
        path(f"{section}/{rest}", view, {"mode": mode}, name=f"{name}_{mode}") for mode, section in SECTIONS.items()
    ]


def wallet_page(view: View) -> View:
    """Guard a view for the consumer who is signed in.

    Signed out: to the front page of the wallet, and back here. Signed in for work: to the
    page that changes sides. No wallet in this mode yet: to the page that opens one.
    """

    @wraps(view)
    def stand(request: HttpRequest, mode: str, **rest: str) -> HttpResponse:
        if not request.user.is_authenticated:
            return _away(request, f"{address('wallet_front', mode=mode)}?{urlencode({'next': _page(request)})}")
        if not sides.may_enter_wallet(request):
            return _away(request, f"{reverse('side')}?{urlencode({'next': _page(request)})}")
        consumer = wallets.consumer_of(user_id=request.user.pk, mode=mode)
        if consumer is None:
            return _away(request, address("wallet_opening", mode=mode))
        book = merchants.book(merchants.platform_book_id(mode=mode))
        purse = Purse(consumer, book, book.now, get_adapter(request).get_client_ip(request))
        try:
            return view(request, purse, **rest)
        except (Http404, PlatformError) as refusal:
            return _refuse(request, purse, refusal)

    # What the test of all doors reads.
    guarded = never_cache(stand)
    guarded.is_wallet_page = True  # type: ignore[attr-defined]
    return guarded


_STATUSES = ((Conflict, 409), (TooMany, 429), (Unavailable, 503))


def _refuse(request: HttpRequest, purse: Purse, refusal: Http404 | PlatformError) -> HttpResponse:
    """What is not there, or cannot be done, said inside the frame: the way on stays at hand."""
    is_missing = isinstance(refusal, Http404 | NotFound)
    status = 404 if is_missing else next((status for kind, status in _STATUSES if isinstance(refusal, kind)), 400)
    return purse.render(request, "wallet/refused.html", {"is_missing": is_missing}, status=status)


def _page(request: HttpRequest) -> str:
    return request.get_full_path() if request.method in ("GET", "HEAD") else request.path


def _away(request: HttpRequest, to: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        # A fragment: the page that it belongs to is loaded again, and goes there.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return HttpResponseRedirect(to)
