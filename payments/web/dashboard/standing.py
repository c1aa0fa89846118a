"""What the views of payments share: ids from addresses, cursors, and the hand that acts."""

from collections.abc import Iterable
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest

from merchant_platform.kernel import ids
from payments.hand import Hand
from payments.origin import Origin
from security.web.desk import Desk

CURSORS = ("after", "before")
# What stands in a list's address besides its filters.
NO_FILTERS = (*CURSORS, "removed", "since", "selected", "act", "token")


def object_id(prefix: str, text: str) -> UUID:
    """The id in an address. Raises Http404 for anything else: there is no such page."""
    try:
        return ids.parse(prefix, text)
    except ids.MalformedId as error:
        raise Http404 from error


def cursor(request: HttpRequest, name: str, prefix: str) -> UUID | None:
    """Where a page of a list begins. Raises Http404 for what is no id."""
    text = request.GET.get(name, "")
    return object_id(prefix, text) if text else None


def hand(desk: Desk) -> Hand:
    """Who acts at this desk, for the rooms."""
    return Hand(actor=desk.actor, book=desk.book, now=desk.now)


def token(request: HttpRequest) -> UUID:
    """What a form was made with, so that sent twice it is done once. One without is not ours: Http404."""
    try:
        return UUID(request.POST.get("token") or request.GET.get("token", ""))
    except ValueError as error:
        raise Http404 from error


def new_token() -> UUID:
    return uuid4()


def query(request: HttpRequest, *, without: Iterable[str] = (), **changes: str) -> str:
    """The address's own filters with changes, as `?…`; cursors go with any change."""
    gone = {*without, *NO_FILTERS, *changes}
    kept = [(name, value) for name in request.GET if name not in gone for value in request.GET.getlist(name) if value]
    kept += [(name, value) for name, value in changes.items() if value]
    return f"?{urlencode(kept)}" if kept else "?"


def has_empty(request: HttpRequest) -> bool:
    """Whether the address carries empty filters, as a form sends them."""
    return any(not value for name in request.GET for value in request.GET.getlist(name))


def origin(desk: Desk) -> Origin:
    """Where an operation at this desk comes from."""
    return Origin(livemode=desk.book.livemode)
