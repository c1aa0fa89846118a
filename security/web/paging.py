"""Lists on pages: newest first, by cursor, and what their filters say.

An id carries its row's time, so a cursor is an id and a page is read along one index,
whatever lies before it. A filter that says nothing sensible is one that is not set.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from merchant_platform.kernel import ids
from security.web.parts import Ways

SIZE = 25
OLDER, NEWER = "older_than", "newer_than"
Row = TypeVar("Row", bound=Model)


def page(rows: "QuerySet[Row]", request: HttpRequest, *, prefix: str, size: int = SIZE) -> tuple[list[Row], Ways]:
    """One page of rows and the ways from it; one statement."""
    newer_than, older_than = cursor(request, NEWER, prefix), cursor(request, OLDER, prefix)
    if newer_than:
        found = list(rows.filter(pk__gt=newer_than).order_by("pk")[: size + 1])
        has_newer, has_older = len(found) > size, True
        found = found[:size][::-1]
    else:
        asked = rows.filter(pk__lt=older_than) if older_than else rows
        found = list(asked.order_by("-pk")[: size + 1])
        has_newer, has_older = older_than is not None, len(found) > size
        found = found[:size]
    if not found:
        return [], Ways(newer=with_params(request, {}) if newer_than or older_than else "")
    return found, Ways(
        newer=with_params(request, {NEWER: ids.show(prefix, found[0].pk)}) if has_newer else "",
        older=with_params(request, {OLDER: ids.show(prefix, found[-1].pk)}) if has_older else "",
    )


def cursor(request: HttpRequest, name: str, prefix: str) -> UUID | None:
    """The id that a page goes on from."""
    return identifier(prefix, request.GET.get(name, ""))


def identifier(prefix: str, text: str) -> UUID | None:
    """The id in an address or a field, or None for what is none."""
    try:
        return ids.parse(prefix, text.strip())
    except ids.MalformedId:
        return None


def moment(request: HttpRequest, name: str, zone: ZoneInfo) -> datetime | None:
    """A time that somebody chose, in the merchant's zone."""
    try:
        chosen = datetime.fromisoformat(request.GET.get(name, ""))
        return (chosen if chosen.tzinfo else chosen.replace(tzinfo=zone)).astimezone(zone)
    except (ValueError, OverflowError):
        return None


def with_params(request: HttpRequest, params: Mapping[str, str]) -> str:
    """This page with other parameters: its filters stay, its cursor does not; an empty value takes one away."""
    kept = {name: value for name, value in request.GET.items() if name not in (OLDER, NEWER) and value}
    kept.update(params)
    return "?" + urlencode({name: value for name, value in kept.items() if value})
