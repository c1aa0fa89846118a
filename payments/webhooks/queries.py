"""Questions about endpoints and what they were sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.models import Event
from payments.webhooks.models import PENDING, WebhookAttempt, WebhookDelivery, WebhookEndpoint

# A list that is asked by what only attempts know looks at so many deliveries at a time, however few it finds.
LOOKED_AT_MAX = 2_000
# Counted no further: a progress bar needs no more.
WAITING_MAX = 20_000
TRIED_AGAIN = 2

_LOOK = """
SELECT d.id, d.attempts_count, a.http_status, a.duration_ms FROM (
    SELECT id, attempts_count FROM payments_webhookdelivery
    WHERE book_id = %(book)s AND endpoint_id = %(endpoint)s AND id < %(below)s AND id >= %(since)s {status}
    ORDER BY id DESC LIMIT %(looked_at)s
) d LEFT JOIN LATERAL (
    SELECT http_status, duration_ms FROM payments_webhookattempt
    WHERE book_id = %(book)s AND delivery_id = d.id ORDER BY id DESC LIMIT 1
) a ON true
"""


@dataclass(frozen=True, slots=True)
class WantedDeliveries:
    """What a list of deliveries is asked by. What is None or empty is not asked."""

    status: str = ""
    # 0 is no answer at all, 2 to 5 the first digit of the last answer's status.
    answer_class: int | None = None
    slower_than_ms: int | None = None
    was_retried: bool = False
    since: datetime | None = None
    before: datetime | None = None

    @property
    def asks_attempts(self) -> bool:
        return self.answer_class is not None or self.slower_than_ms is not None or self.was_retried


@dataclass(frozen=True, slots=True)
class FoundDeliveries:
    """A page of deliveries with their events, and from where the next one goes on; None at the end."""

    rows: Sequence[WebhookDelivery]
    last: dict[UUID, tuple[int | None, int | None]]
    goes_on_below: UUID | None


def find(endpoint_id: UUID) -> WebhookEndpoint | None:
    """An endpoint of the open book that was not deleted."""
    return WebhookEndpoint.objects.filter(pk=endpoint_id, deleted_at__isnull=True).first()


def every_endpoint() -> list[WebhookEndpoint]:
    """The endpoints of the open book, the newest first: no more than a book may have."""
    return list(WebhookEndpoint.objects.filter(deleted_at__isnull=True).order_by("-pk"))


def delivery(delivery_id: UUID) -> WebhookDelivery | None:
    """A delivery of the open book with its event and endpoint."""
    return WebhookDelivery.objects.select_related("event", "endpoint").filter(pk=delivery_id).first()


def deliveries_of(event: Event) -> list[WebhookDelivery]:
    """To whom an event is owed: no more than a book has had endpoints for it."""
    endpoints = WebhookEndpoint.objects.order_by("-pk").values_list("pk", flat=True)[:100]
    return list(
        WebhookDelivery.objects.select_related("endpoint", "event")
        .filter(book_id=event.book_id, endpoint_id__in=list(endpoints), event_id=event.pk)
        .order_by("-pk")
    )


def deliveries(*, endpoint_id: UUID, wanted: WantedDeliveries, below: UUID | None, limit: int) -> FoundDeliveries:
    """A page of an endpoint's deliveries, newest first; two statements, whatever is asked.

    A question that only attempts can answer looks at LOOKED_AT_MAX deliveries and tells where it stopped.
    """
    looked_at = LOOKED_AT_MAX if wanted.asks_attempts else limit + 1
    bounds = [below, ids.first_at(wanted.before) if wanted.before else None]
    parameters: dict[str, Any] = {
        "book": tenancy.book_id(),
        "endpoint": endpoint_id,
        "below": min([bound for bound in bounds if bound] or [UUID(int=(1 << 128) - 1)]),
        "since": ids.first_at(wanted.since) if wanted.since else UUID(int=0),
        "status": wanted.status,
        "looked_at": looked_at,
    }
    statement = _LOOK.format(status="AND status = %(status)s" if wanted.status else "")
    where, named = _asked(wanted)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"WITH looked AS MATERIALIZED ({statement}),"
            " ends AS (SELECT count(*) AS count, min(id::text)::uuid AS lowest FROM looked)"
            " SELECT id, http_status, duration_ms, ends.count, ends.lowest FROM ends"
            f" LEFT JOIN looked ON {where} ORDER BY id DESC NULLS LAST LIMIT %(limit)s",
            {**parameters, **named, "limit": limit + 1},
        )
        found = cursor.fetchall()
    looked_count, lowest = found[0][3], found[0][4]
    shown = [row for row in found if row[0] is not None][:limit]
    has_more = sum(row[0] is not None for row in found) > limit
    goes_on = shown[-1][0] if has_more else lowest if looked_count == LOOKED_AT_MAX and wanted.asks_attempts else None
    rows = WebhookDelivery.objects.select_related("event").in_bulk([row[0] for row in shown])
    return FoundDeliveries(
        rows=[rows[row[0]] for row in shown if row[0] in rows],
        last={row[0]: (row[1], row[2]) for row in shown},
        goes_on_below=goes_on,
    )


def waiting_count(endpoint_id: UUID) -> int:
    """How many deliveries an endpoint is still owed, up to WAITING_MAX."""
    return WebhookDelivery.objects.filter(endpoint_id=endpoint_id, status=PENDING)[:WAITING_MAX].count()


def attempts_of(deliveries: Sequence[WebhookDelivery]) -> dict[UUID, list[WebhookAttempt]]:
    """The attempts of deliveries, by delivery, the first one first: one statement for a page."""
    found: dict[UUID, list[WebhookAttempt]] = {row.pk: [] for row in deliveries}
    for attempt in WebhookAttempt.objects.filter(delivery_id__in=list(found)).order_by("attempted_at", "pk"):
        found[attempt.delivery_id].append(attempt)
    return found


def _asked(wanted: WantedDeliveries) -> tuple[str, dict[str, int]]:
    conditions, named = ["true"], {}
    if wanted.answer_class == 0:
        conditions.append("http_status IS NULL AND duration_ms IS NOT NULL")
    elif wanted.answer_class is not None:
        conditions.append("http_status / 100 = %(answer_class)s")
        named["answer_class"] = wanted.answer_class
    if wanted.slower_than_ms is not None:
        conditions.append("duration_ms >= %(slower_than)s")
        named["slower_than"] = wanted.slower_than_ms
    if wanted.was_retried:
        conditions.append("attempts_count >= %(tried_again)s")
        named["tried_again"] = TRIED_AGAIN
    return " AND ".join(conditions), named
