"""Webhook endpoints and deliveries as the API shows them."""

from collections.abc import Sequence
from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.webhooks.models import PENDING, WebhookAttempt, WebhookDelivery, WebhookEndpoint


def endpoint(row: WebhookEndpoint, *, livemode: bool) -> dict[str, Any]:
    """Without its secret, which only its creation and its rotation show."""
    return {
        "id": ids.show("we", row.pk),
        "object": "webhook_endpoint",
        "api_version": row.api_version,
        "application": None,
        "created": unix(row.created_at),
        "description": row.description,
        "disabled_reason": row.disabled_reason or None,
        "enabled_events": row.enabled_events,
        "failing_since": unix(row.failing_since) if row.failing_since else None,
        "livemode": livemode,
        "metadata": row.metadata,
        "status": row.status,
        "url": row.url,
    }


def deleted(row: WebhookEndpoint) -> dict[str, Any]:
    return {"id": ids.show("we", row.pk), "object": "webhook_endpoint", "deleted": True}


def delivery(row: WebhookDelivery, attempts: Sequence[WebhookAttempt], *, livemode: bool) -> dict[str, Any]:
    """A delivery with its attempts, the first one first. `row.event` is loaded."""
    return {
        "id": ids.show("whd", row.pk),
        "object": "webhook_delivery",
        "attempts": [attempt(each) for each in attempts],
        "attempts_count": row.attempts_count,
        "created": unix(row.created_at),
        "event": ids.show("evt", row.event_id),
        "event_type": row.event.type,
        "livemode": livemode,
        "next_attempt": unix(row.due_at) if row.status == PENDING else None,
        "status": row.status,
        "webhook_endpoint": ids.show("we", row.endpoint_id),
    }


def attempt(row: WebhookAttempt) -> dict[str, Any]:
    return {
        "id": ids.show("wha", row.pk),
        "object": "webhook_attempt",
        "created": unix(row.attempted_at),
        "detail": row.detail or None,
        "duration_ms": row.duration_ms,
        "http_status": row.http_status,
        "next_attempt": unix(row.next_attempt_at) if row.next_attempt_at else None,
        "number": row.number,
        "outcome": row.outcome,
        "response_body": row.response_body,
    }
