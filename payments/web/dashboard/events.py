"""Events: what happened in the book, as endpoints are told of it.

The list costs the desk's statements and three more, an event's page six.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events import objects as event_objects
from merchant_platform.kernel.events import router
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import pretty
from payments.web.dashboard.deliveries import STATUSES
from payments.web.dashboard.endpoints import shown as shown_endpoint
from payments.webhooks import queries as webhooks
from security.web import paging
from security.web.desk import Desk, desk_page
from security.web.links import url_of
from security.web.parts import Chip

VIEW = "event.view"


@require_safe
@desk_page(VIEW)
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Newest first; `type` and `object` narrow it."""
    asked_type = request.GET.get("type", "")
    object_id = request.GET.get("object", "").strip()[:64].replace("\0", "")
    rows = Event.objects.filter(is_public=True)
    if asked_type in router.public_types():
        rows = rows.filter(type=asked_type)
    if object_id:
        rows = rows.filter(object_id=object_id)
    since, before = (paging.moment(request, name, desk.zone) for name in ("since", "before"))
    if since:
        rows = rows.filter(pk__gte=ids.first_at(since))
    if before:
        rows = rows.filter(pk__lt=ids.first_at(before))
    with tenancy.within(desk.book.pk):
        found, ways = paging.page(rows.defer("data", "previous_attributes"), request, prefix="evt")
    context = {
        "events": [(ids.show("evt", row.pk), row) for row in found],
        "ways": ways,
        "types": router.public_types(),
        "asked": request.GET.dict(),
        "chips": _chips(request),
        "clear_url": desk.url("events"),
    }
    return desk.render(request, "developers/events.html", context)


@require_safe
@desk_page(VIEW)
def show(request: HttpRequest, desk: Desk, event: str) -> HttpResponse:
    """An event as it is told, and to whom it was told."""
    event_id = paging.identifier("evt", event)
    with tenancy.within(desk.book.pk):
        row = Event.objects.filter(pk=event_id, is_public=True).first() if event_id else None
        if row is None:
            raise Http404
        deliveries = webhooks.deliveries_of(row)
        owed = {each.endpoint_id for each in deliveries}
        others = [each for each in webhooks.every_endpoint() if each.pk not in owed and each.is_enabled]
    context = {
        "event": row,
        "event_id": event,
        "body": pretty(event_objects.event(row, livemode=desk.book.livemode)),
        "object_url": url_of(desk, row.object_id),
        "request_url": url_of(desk, row.request_id) if row.request_id else "",
        "deliveries": [_delivery(each) for each in deliveries],
        "others": [shown_endpoint(each) for each in others],
    }
    return desk.render(request, "developers/event.html", context)


def _delivery(row: Any) -> dict[str, Any]:
    colour, word = STATUSES[row.status]
    return {
        "row": row,
        "id": ids.show("whd", row.pk),
        "endpoint": shown_endpoint(row.endpoint),
        "is_here": row.endpoint.deleted_at is None,
        "colour": colour,
        "word": word,
    }


def _chips(request: HttpRequest) -> list[Chip]:
    names = {"type": _("Type"), "object": _("Object"), "since": _("Since"), "before": _("Until")}
    return [
        Chip(title=title, value=request.GET[name][:64], remove_url=paging.with_params(request, {name: ""}))
        for name, title in names.items()
        if request.GET.get(name)
    ]
