"""The queue of deliveries: claimed by lease, read with all that a request needs, and marked, each in one statement.

A claim never takes more for an endpoint than it has room for, and slow or failing
endpoints together no more than half of the places: the others never wait for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections, transaction

from merchant_platform.kernel import ids
from merchant_platform.kernel.events import objects
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import dump
from payments.webhooks.models import FAILED, PENDING, SUCCEEDED
from payments.webhooks.sending import Reply

LEASE = timedelta(minutes=2)
# At once to one endpoint: before anything is known of it, and while it fails.
ROOM_UNKNOWN, ROOM_FAILING = 4, 1

_CLAIM = """
WITH RECURSIVE waiting AS (
    (SELECT endpoint_id FROM payments_webhookdelivery WHERE status = 'pending' ORDER BY endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM payments_webhookdelivery d
            WHERE d.status = 'pending' AND d.endpoint_id > waiting.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
    FROM waiting WHERE waiting.endpoint_id IS NOT NULL
), ready AS (
    SELECT w.id, w.failing_since IS NOT NULL OR coalesce(known.is_slow, false) AS is_held_back,
        greatest(0, CASE WHEN w.failing_since IS NULL THEN coalesce(known.room, %(room_unknown)s)
                         ELSE %(room_failing)s END - coalesce(known.in_flight, 0)) AS room
    FROM waiting
    JOIN payments_webhookendpoint w ON w.id = waiting.endpoint_id AND w.status = 'enabled' AND w.deleted_at IS NULL
    LEFT JOIN unnest(%(endpoints)s::uuid[], %(rooms)s::integer[], %(in_flight)s::integer[], %(slow)s::boolean[])
        AS known (id, room, in_flight, is_slow) ON known.id = w.id
), due AS MATERIALIZED (
    SELECT d.id, d.due_at, ready.is_held_back FROM ready CROSS JOIN LATERAL (
        SELECT id, due_at FROM payments_webhookdelivery
        WHERE endpoint_id = ready.id AND status = 'pending' AND due_at <= %(now)s
            AND (claimed_until IS NULL OR claimed_until < %(now)s)
        ORDER BY due_at, id LIMIT ready.room FOR UPDATE SKIP LOCKED
    ) d
), chosen AS (
    SELECT id FROM (
        SELECT *, row_number() OVER (PARTITION BY is_held_back ORDER BY due_at, id) AS place FROM due
    ) ranked
    WHERE NOT is_held_back OR place <= %(room_held_back)s
    ORDER BY is_held_back, due_at, id LIMIT %(room)s
), claimed AS (
    UPDATE payments_webhookdelivery SET claimed_until = %(lease)s WHERE id IN (SELECT id FROM chosen)
    RETURNING id, book_id, endpoint_id, event_id, attempts_count
)
SELECT c.id, c.book_id, c.endpoint_id, c.attempts_count, w.url, w.sealed_secret,
    CASE WHEN w.old_secret_until > %(now)s THEN w.sealed_old_secret END, w.failing_since, b.mode = 'live',
    e.id, e.type, e.created_at, e.data, e.previous_attributes, e.request_id, e.idempotency_key
FROM claimed c
JOIN payments_webhookendpoint w ON w.id = c.endpoint_id
JOIN kernel_event e ON e.id = c.event_id
JOIN security_book b ON b.id = c.book_id
ORDER BY c.id
"""
_ATTEMPTS = """
INSERT INTO payments_webhookattempt
    (id, book_id, delivery_id, number, attempted_at, duration_ms, outcome, http_status, detail, response_body,
     response_headers, next_attempt_at)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::smallint[], %s::timestamptz[], %s::integer[], %s::text[],
    %s::smallint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
"""
# Only where the lease is still this one's: what was sent again meanwhile is somebody else's to mark.
_MARK = """
UPDATE payments_webhookdelivery d
SET status = t.status, attempts_count = t.number, due_at = coalesce(t.next_at, d.due_at), claimed_until = NULL,
    finished_at = CASE WHEN t.status = 'pending' THEN NULL ELSE %(now)s END
FROM unnest(%(ids)s::uuid[], %(leases)s::timestamptz[], %(statuses)s::text[], %(numbers)s::smallint[],
    %(next)s::timestamptz[]) AS t (id, lease, status, number, next_at)
WHERE d.id = t.id AND d.claimed_until = t.lease AND d.status = 'pending'
"""
# In the order of ids, since two couriers may have heard of the same endpoints.
_HEALTH = """
WITH heard AS (
    SELECT w.id, h.failed_at FROM payments_webhookendpoint w
    JOIN unnest(%s::uuid[], %s::timestamptz[]) AS h (id, failed_at) ON h.id = w.id
    WHERE (h.failed_at IS NULL) <> (w.failing_since IS NULL) ORDER BY w.id FOR UPDATE OF w
)
UPDATE payments_webhookendpoint w SET failing_since = heard.failed_at FROM heard WHERE w.id = heard.id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery to be sent now: everything that the request needs."""

    id: UUID
    book_id: UUID
    endpoint_id: UUID
    number: int
    url: str
    sealed_secrets: tuple[str, ...]
    failing_since: datetime | None
    event_id: str
    body: bytes
    lease: datetime
    claimed_at: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """What a courier knows of an endpoint: how much may be under way to it, and how much is."""

    room: int
    in_flight: int
    is_slow: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a claim. `next_at` is None where it will not be tried again."""

    claim: Claim
    reply: Reply
    next_at: datetime | None

    @property
    def status(self) -> str:
        if self.reply.is_success:
            return SUCCEEDED
        return PENDING if self.next_at else FAILED


def claim(*, now: datetime, room: int, room_held_back: int, paces: Mapping[UUID, Pace]) -> list[Claim]:
    """Take what is due, of all books. This will lease up to `room` deliveries and read what is to be sent.

    `room_held_back` is the part of it that slow and failing endpoints may have.
    """
    lease = now + LEASE
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "now": now,
                "lease": lease,
                "room": room,
                "room_held_back": room_held_back,
                "room_unknown": ROOM_UNKNOWN,
                "room_failing": ROOM_FAILING,
                "endpoints": list(paces),
                "rooms": [pace.room for pace in paces.values()],
                "in_flight": [pace.in_flight for pace in paces.values()],
                "slow": [pace.is_slow for pace in paces.values()],
            },
        )
        return [_read(row, now=now, lease=lease) for row in cursor.fetchall()]


def record(attempts: Sequence[Attempt], *, now: datetime) -> None:
    """Write what became of claims, of all books: the attempts, the deliveries, the endpoints' health; in one commit."""
    if not attempts:
        return
    with transaction.atomic(using="platform"), connections["platform"].cursor() as cursor:
        cursor.execute(
            _ATTEMPTS,
            [
                [ids.new(each.claim.claimed_at) for each in attempts],
                [each.claim.book_id for each in attempts],
                [each.claim.id for each in attempts],
                [each.claim.number for each in attempts],
                [each.claim.claimed_at for each in attempts],
                [each.reply.duration_ms for each in attempts],
                [each.reply.outcome for each in attempts],
                [each.reply.http_status for each in attempts],
                [each.reply.detail for each in attempts],
                [each.reply.body for each in attempts],
                [each.reply.headers for each in attempts],
                [each.next_at for each in attempts],
            ],
        )
        cursor.execute(
            _MARK,
            {
                "now": now,
                "ids": [each.claim.id for each in attempts],
                "leases": [each.claim.lease for each in attempts],
                "statuses": [each.status for each in attempts],
                "numbers": [each.claim.number for each in attempts],
                "next": [each.next_at for each in attempts],
            },
        )
        health = _health(attempts)
        if health:
            cursor.execute(_HEALTH, [list(health), list(health.values())])


def _health(attempts: Sequence[Attempt]) -> dict[UUID, datetime | None]:
    """Endpoints of which something new was heard: when they began to fail, None for those that answered well."""
    heard: dict[UUID, datetime | None] = {}
    for each in sorted(attempts, key=lambda each: each.claim.claimed_at):
        if each.reply.is_success:
            heard[each.claim.endpoint_id] = None
        else:
            heard.setdefault(each.claim.endpoint_id, each.claim.claimed_at)
    well = {each.claim.endpoint_id for each in attempts if not each.claim.failing_since and each.reply.is_success}
    return {endpoint: failed_at for endpoint, failed_at in heard.items() if failed_at or endpoint not in well}


def _read(row: tuple, *, now: datetime, lease: datetime) -> Claim:
    (delivery, book, endpoint, attempts_count, url, secret, old_secret, failing_since, livemode, *event) = row
    names = ("id", "type", "created_at", "data", "previous_attributes", "request_id", "idempotency_key")
    told = objects.event(Event(**dict(zip(names, event, strict=True))), livemode=livemode)
    return Claim(
        id=delivery,
        book_id=book,
        endpoint_id=endpoint,
        number=attempts_count + 1,
        url=url,
        sealed_secrets=(secret, old_secret) if old_secret else (secret,),
        failing_since=failing_since,
        event_id=told["id"],
        body=dump(told).encode(),
        lease=lease,
        claimed_at=now,
    )
