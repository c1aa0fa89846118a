"""Where an operator stands: outside all merchants. A view says what one must be allowed and is handed the person:

    @operator_page("flag.manage")
    def change(request, operator):
        ...
        return operator.render(request, "operator/flag.html", {...})

Operators see how the platform does, never a merchant's customers: what they do stands in the
platform's own audit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.account.adapter import get_adapter
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from merchant_platform.kernel import clock
from security.access import roles
from security.audit.operations import Actor
from security.identity.models import User
from security.web.accounts.views import is_strong
from security.web.desk import to_sign_in

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Operator:
    """One person who runs the platform."""

    user: User
    # The world's time: an operator stands in no book.
    now: datetime
    # The network address that asks.
    ip: str
    book_id: UUID | None = None
    # Merchants of many zones stand on one page.
    zone: ZoneInfo = field(default=ZoneInfo("UTC"), init=False)

    @property
    def actor(self) -> Actor:
        """Who the audit log names for what is done here."""
        return Actor.operator(self.user.pk, ip=self.ip)

    def render(self, request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> Any:
        """A page of the platform; its templates know the operator by that name."""
        return render(request, template, {"operator": self, **context}, status=status)


def operator_page(action: str) -> Callable[[View], View]:
    """Guard a view for operators, with a second factor.

    Signed out: to the sign-in page and back. Anybody else: 404, as if there were nothing.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def stand(request: HttpRequest, **rest: str) -> HttpResponseBase:
            user = request.user
            if not user.is_authenticated:
                return to_sign_in(request)
            if not (user.is_operator and is_strong(request) and roles.may(roles.OPERATOR, action)):
                raise Http404
            ip = get_adapter(request).get_client_ip(request)
            return view(request, Operator(user=user, now=clock.wall(), ip=ip), **rest)

        # What the test of all doors reads.
        guarded = never_cache(stand)
        guarded.operator_action = action  # type: ignore[attr-defined]
        return guarded

    return guard


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of a kind wait for somebody in a book."""

    kind: str
    title: Any
    count: int
