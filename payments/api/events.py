"""/v1/events: the outbox itself, so it is never late."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import InvalidParameter, Listed, ListParams, UpTo
from merchant_platform.kernel.events import objects, router
from merchant_platform.kernel.events.models import Event
from payments.api.addresses import not_here, path_id

# How long an event can be listed, as with Stripe.
LISTED = timedelta(days=30)
TYPES_MAX = 20


class ListEvents(ListParams):
    type: Annotated[str, UpTo(100)] | None = None
    types: Listed[Annotated[str, UpTo(100)]] | None = None


@endpoint(permission="events:read", returns="event")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve an event"""
    row = Event.objects.filter(pk=path_id(call, "evt"), is_public=True).first()
    if row is None:
        raise not_here(call, "evt")
    return render([row], livemode=call.caller.livemode)[0]


@endpoint(permission="events:read", params=ListEvents, returns="event", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all events of the last 30 days"""
    rows = Event.objects.filter(is_public=True, pk__gte=ids.first_at(call.now - LISTED))
    wanted = _types(call.params)
    if wanted is not None:
        rows = rows.filter(type__in=wanted)
    return paging.page(
        rows,
        call.params,
        prefix="evt",
        url=call.url,
        render=lambda found: render(found, livemode=call.caller.livemode),
    )


def render(rows: Sequence[Event], *, livemode: bool) -> list[dict[str, Any]]:
    """Events as the API shows them."""
    return [objects.event(row, livemode=livemode) for row in rows]


def _types(params: ListEvents) -> set[str] | None:
    if params.type and params.types:
        raise InvalidParameter(
            "You may only specify one of these parameters: type, types.", code="parameters_exclusive"
        )
    names = params.types or ([params.type] if params.type else [])
    if len(names) > TYPES_MAX:
        raise InvalidParameter(f"You can name up to {TYPES_MAX} types.", param="types")
    if not names:
        return None
    # Names, not prefixes: only plain equality reaches the index under row-level security.
    wanted = {name for name in names if not name.endswith(".*")}
    prefixes = tuple(name[:-1] for name in names if name.endswith(".*"))
    return wanted | {known for known in router.public_types() if known.startswith(prefixes)}


urlpatterns = [
    door("events", GET=list_),
    door("events/<id>", GET=retrieve),
]
