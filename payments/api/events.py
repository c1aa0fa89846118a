"""/v1/events: the outbox itself, so it is never late."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import API_VERSION, Call, door, endpoint
from merchant_platform.kernel.api.params import InvalidParameter, Listed, ListParams, UpTo
from merchant_platform.kernel.clock import unix
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from payments.api.addresses import not_here, path_id

# Every type that is told today: what `payment_intent.*` stands for.
TYPES = (
    "charge.captured",
    "charge.expired",
    "charge.failed",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "charge.updated",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.created",
    "customer.deleted",
    "customer.updated",
    "order.created",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "price.created",
    "price.updated",
    "product.created",
    "product.deleted",
    "product.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "setup_intent.canceled",
    "setup_intent.created",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
)
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
    """Events as the API shows them: the stored object in its envelope."""
    return [
        {
            "id": ids.show("evt", row.pk),
            "object": "event",
            "api_version": API_VERSION,
            "created": unix(row.created_at),
            "data": {"object": load(row.data)}
            | ({"previous_attributes": load(row.previous_attributes)} if row.previous_attributes else {}),
            "livemode": livemode,
            "pending_webhooks": 0,
            "request": {"id": row.request_id, "idempotency_key": row.idempotency_key},
            "type": row.type,
        }
        for row in rows
    ]


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
    return wanted | {known for known in TYPES if known.startswith(prefixes)}


urlpatterns = [
    door("events", GET=list_),
    door("events/<id>", GET=retrieve),
]
