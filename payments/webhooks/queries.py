"""Questions about endpoints and what they were sent."""

from collections.abc import Sequence
from uuid import UUID

from payments.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint


def find(endpoint_id: UUID) -> WebhookEndpoint | None:
    """An endpoint of the open book that was not deleted."""
    return WebhookEndpoint.objects.filter(pk=endpoint_id, deleted_at__isnull=True).first()


def attempts_of(deliveries: Sequence[WebhookDelivery]) -> dict[UUID, list[WebhookAttempt]]:
    """The attempts of deliveries, by delivery, the first one first: one statement for a page."""
    found: dict[UUID, list[WebhookAttempt]] = {row.pk: [] for row in deliveries}
    for attempt in WebhookAttempt.objects.filter(delivery_id__in=list(found)).order_by("attempted_at", "pk"):
        found[attempt.delivery_id].append(attempt)
    return found
