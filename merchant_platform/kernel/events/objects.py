"""The `evt_` object: the same text wherever an event is told, so that what was delivered can be compared."""

from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import API_VERSION, load


def event(row: Event, *, livemode: bool) -> dict[str, Any]:
    """An event as the API shows it: the stored object in its envelope."""
    return {
        "id": ids.show("evt", row.pk),
        "object": "event",
        "api_version": API_VERSION,
        "created": unix(row.created_at),
        "data": {"object": load(row.data)}
        | ({"previous_attributes": load(row.previous_attributes)} if row.previous_attributes else {}),
        "livemode": livemode,
        # A number that changes while it is delivered would make each delivery another text.
        "pending_webhooks": 0,
        "request": {"id": row.request_id, "idempotency_key": row.idempotency_key},
        "type": row.type,
    }
