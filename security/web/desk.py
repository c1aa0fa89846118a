"""Where a member of staff stands: one merchant in one mode, found in the address and nowhere else.

    /dashboard/<merchant>/payments          live
    /dashboard/<merchant>/test/payments     test

so that two merchants or two modes in two tabs never mix. A view says who may see it and
is handed the desk; it opens its own unit of work:

    @desk_page("payment.view")
    def index(request, desk):
        with tenancy.within(desk.book.pk):
            ...
        return desk.render(request, "payments/list.html", {...})

The desk itself costs four statements: the session, the login, the person's places, the book.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from merchant_platform.kernel.errors import Conflict, Forbidden, NotFound, PlatformError, TooMany, Unavailable
from security.access import roles
from security.audit.operations import Actor
from security.identity.models import User
from security.merchants.models import LIVE, TEST, Book, Merchant, Staff

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Desk:
    """One person at one merchant in one mode."""

    staff: Staff
    book: Book
    # The book's time, read once a request.
    now: datetime
    # Every merchant that the person works for, this one too, by name.
    places: tuple[Staff, ...]
    # The network address that asks.
    ip: str

    @property
    def actor(self) -> Actor:
        """Who the audit log names for what is done here."""
        return Actor.staff(self.staff.pk, ip=self.ip)

    @property
    def user(self) -> User:
        """The login of who stands here."""
        return self.staff.user

    @property
    def book_id(self) -> UUID:
        return self.book.pk

    @property
    def merchant(self) -> Merchant:
        return self.staff.merchant

    @property
    def role(self) -> str:
        return self.staff.role

    @property
    def role_name(self) -> str:
        """The role as people say it."""
        return str(roles.NAMES[self.role])

    @property
    def zone(self) -> ZoneInfo:
        return self.merchant.zone

    @property
    def is_test(self) -> bool:
        return self.book.mode == TEST

    def may(self, action: str) -> bool:
        """Whether this person may do an action here. Raises roles.UnknownAction."""
        return roles.may(self.role, action)

    def url(self, name: str, **kwargs: str) -> str:
        """The address of a page in the same merchant and mode: `desk.url("payment", payment="pi_…")`."""
        return address(name, merchant=self.merchant.slug, mode=self.book.mode, **kwargs)

    def render(
        self, request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
    ) -> HttpResponse:
        """A page of the dashboard; its templates know the desk by that name."""
        return render(request, template, {"desk": self, **(context or {})}, status=status)


def address(name: str, *, merchant: str, mode: str, **kwargs: str) -> str:
    """The address of a page at a merchant, named by its slug, in a mode."""
    return reverse(name, kwargs={"merchant": merchant, "mode": mode, **kwargs})


def dashboard_path(rest: str, view: View, *, name: str) -> list[URLPattern]:
    """A page's two addresses, in test and in live mode. `rest` is what follows the merchant and the mode."""
    return [
        path(f"dashboard/<slug:merchant>/test/{rest}", view, {"mode": TEST}, name=name),
        path(f"dashboard/<slug:merchant>/{rest}", view, {"mode": LIVE}, name=name),
    ]


def desk_page(action: str | None = None) -> Callable[[View], View]:
    """Guard a view for staff who may do an action; without one, for all staff of the merchant.

    Signed out: to the sign-in page and back. No place at this merchant, no such merchant:
    404, as if there were nothing. A role that may not: 403, on a page that says so.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def stand(request: HttpRequest, merchant: str, mode: str, **rest: str) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            desk = _find(request, merchant, mode)
            if action is not None and not desk.may(action):
                return desk.render(request, "dashboard/forbidden.html", status=403)
            try:
                return view(request, desk, **rest)
            except (Http404, PlatformError) as refusal:
                return _refuse(request, desk, refusal)

        # What the test of all doors reads.
        guarded = never_cache(stand)
        guarded.desk_action = action  # type: ignore[attr-defined]
        return guarded

    return guard


def places(user_id: Any) -> tuple[Staff, ...]:
    """Where a person works today, by the merchant's name."""
    return tuple(
        Staff.objects.filter(user_id=user_id, left_at=None)
        .select_related("merchant", "user")
        .order_by("merchant__name", "pk")
    )


def _find(request: HttpRequest, slug: str, mode: str) -> Desk:
    worked_at = places(request.user.pk)
    staff = next((each for each in worked_at if each.merchant.slug == slug), None)
    if staff is None:
        raise Http404
    book = Book.objects.get(merchant_id=staff.merchant_id, mode=mode)
    # The rows already at hand: no statement asks for them again.
    book.merchant = staff.merchant
    return Desk(staff=staff, book=book, now=book.now, places=worked_at, ip=get_adapter(request).get_client_ip(request))


# What a kind of refusal is to a browser; the page that says so is the view's, this is what no view foresaw.
_STATUSES = ((NotFound, 404), (Forbidden, 403), (Conflict, 409), (TooMany, 429), (Unavailable, 503))


def _refuse(request: HttpRequest, desk: Desk, refusal: Http404 | PlatformError) -> HttpResponse:
    """What is not there, or cannot be done, said inside the frame: the way on stays at hand."""
    if isinstance(refusal, Http404 | NotFound):
        return desk.render(request, "dashboard/missing.html", status=404)
    status = next((status for kind, status in _STATUSES if isinstance(refusal, kind)), 400)
    return desk.render(request, "dashboard/refused.html", {"code": refusal.code}, status=status)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page, and from there to where somebody was: to a form, where it was sent without a session."""
    if request.headers.get("HX-Request"):
        # A fragment of a page whose session is over: the page itself is loaded again, and goes there.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    if request.method == "POST":
        messages.warning(request, _("You were signed out. What you typed was not saved: sign in and send it again."))
        return redirect_to_login(_page_of_form(request))
    return redirect_to_login(request.get_full_path())


def _page_of_form(request: HttpRequest) -> str:
    """The page that a form was sent from: the address that it was sent to may have no page of its own."""
    sender = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(sender, {request.get_host()}, require_https=request.is_secure()):
        return request.get_full_path()
    return urlsplit(sender)._replace(scheme="", netloc="", fragment="").geturl()
