"""The request log: what a book's keys asked of the API, and what became of each request.

A list costs the desk's statements and four more (the keys' names, the unit of work, the
rows); a request five (the same, and the events it made).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.api.openapi import endpoints
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.request_log import queries
from merchant_platform.kernel.request_log.models import LoggedRequest
from merchant_platform.kernel.request_log.queries import Wanted
from security.credentials import queries as credentials
from security.web import paging
from security.web.desk import Desk, desk_page
from security.web.links import url_of
from security.web.parts import Chip

VIEW = "request.view"
CLASSES = {2: _("Succeeded (2xx)"), 4: _("Refused (4xx)"), 5: _("Our fault (5xx)")}
METHODS = ("GET", "POST", "DELETE")
FOLLOW_SECONDS = 3
_COLOURS = {2: "success", 4: "warning", 5: "danger"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as a page shows it."""

    row: LoggedRequest
    id: str
    at: Any
    key: Any

    @property
    def colour(self) -> str:
        return _COLOURS.get(self.row.status_class, "neutral")

    @property
    def key_id(self) -> str:
        return ids.show("key", self.row.key_id)

    @property
    def duration_ms(self) -> str:
        """Milliseconds, one digit after the point: whole numbers alone, rounded down."""
        tenths = self.row.duration_us // 100
        return f"{tenths // 10}.{tenths % 10}"


@require_safe
@desk_page(VIEW)
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Newest first, by what is asked. `?follow=1` asks again every few seconds."""
    keys = credentials.named(book_id=desk.book.pk)
    wanted = _wanted(request, desk)
    with tenancy.within(desk.book.pk):
        rows, ways = paging.page(queries.matching(wanted), request, prefix="req")
    context = {
        "requests": [_shown(row, keys) for row in rows],
        "ways": ways,
        "follow_url": paging.with_params(request, {"follow": "" if _follows(request) else "1"}),
        "follows": _follows(request),
        "follow_seconds": FOLLOW_SECONDS,
        "chips": _chips(request, keys),
        "clear_url": desk.url("requests"),
        "log_days": settings.REQUEST_LOG_DAYS,
    }
    if request.headers.get("HX-Request"):
        return desk.render(request, "developers/_requests.html", context)
    choices = {
        "classes": CLASSES,
        "methods": METHODS,
        "paths": paths(),
        "keys": _named(keys),
        "asked": request.GET.dict(),
    }
    return desk.render(request, "developers/requests.html", {**context, **choices})


@require_safe
@desk_page(VIEW)
def show(request: HttpRequest, desk: Desk, request_id: str) -> HttpResponse:
    """Everything that is kept of one request, and what it did."""
    identifier = paging.identifier("req", request_id)
    keys = credentials.named(book_id=desk.book.pk)
    with tenancy.within(desk.book.pk):
        row = queries.find(identifier) if identifier else None
        if row is None:
            raise Http404
        events = list(Event.objects.filter(pk__in=row.event_ids, is_public=True).order_by("pk"))
    objects = dict.fromkeys([row.object_id, *(event.object_id for event in events)])
    context = {
        "request_shown": _shown(row, keys),
        "object_url": url_of(desk, row.object_id),
        "events": [(ids.show("evt", event.pk), event) for event in events],
        "objects": [(shown, url_of(desk, shown)) for shown in objects if shown],
        "log_days": settings.REQUEST_LOG_DAYS,
    }
    return desk.render(request, "developers/request.html", context)


@cache
def paths() -> tuple[str, ...]:
    """Every address of the API."""
    return tuple(sorted({address for address, *_rest in endpoints()}))


def _wanted(request: HttpRequest, desk: Desk) -> Wanted:
    asked = request.GET
    status = asked.get("status", "")
    return Wanted(
        status_class=int(status) if status in map(str, CLASSES) else None,
        method=asked["method"] if asked.get("method") in METHODS else "",
        path=asked["path"] if asked.get("path") in paths() else "",
        key_id=paging.identifier("key", asked.get("key", "")),
        object_id=asked.get("id", "").strip()[:64].replace("\0", ""),
        since=paging.moment(request, "since", desk.zone),
        before=paging.moment(request, "before", desk.zone),
    )


def _chips(request: HttpRequest, keys: Any) -> list[Chip]:
    names = {
        "status": _("Status"),
        "method": _("Method"),
        "path": _("Address"),
        "key": _("Key"),
        "id": _("Object"),
        "since": _("Since"),
        "before": _("Until"),
    }
    said = {"status": {str(each): str(word) for each, word in CLASSES.items()}, "key": dict(_named(keys))}
    return [
        Chip(
            title=title,
            value=said.get(name, {}).get(request.GET[name], request.GET[name])[:64],
            remove_url=paging.with_params(request, {name: ""}),
        )
        for name, title in names.items()
        if request.GET.get(name)
    ]


def _named(keys: Any) -> list[tuple[str, str]]:
    return [(ids.show("key", key_id), key.name or f"…{key.last_four}") for key_id, key in keys.items()]


def _shown(row: LoggedRequest, keys: Any) -> Shown:
    return Shown(row=row, id=ids.show("req", row.pk), at=ids.made_at(row.pk), key=keys.get(row.key_id))


def _follows(request: HttpRequest) -> bool:
    return request.GET.get("follow") == "1"
