"""The relay: hands events to the handlers they are owed to, at least once, in any order.

Claiming is one statement with SKIP LOCKED, so any number of relays share the work. A
handler runs in the event's book as the app role, and its effect commits together with
the done mark; one that fails is tried again later, more and more slowly, and in the end
is set aside as dead, where a person finds it.

Events of one book go to a handler that can take many in one transaction. Where that
fails each is tried alone, so that none suffers for another.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, connections

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events import router
from merchant_platform.kernel.events.models import Delivery, Event

logger = logging.getLogger(__name__)

BATCH = 500
# As many as one transaction does at the most: what it locks, others wait for.
TOGETHER_MAX = 100
LEASE = timedelta(minutes=2)
RETRY_AFTER = (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)  # seconds after each failed attempt
ATTEMPTS_MAX = len(RETRY_AFTER) + 1
ERROR_LENGTH = 500


class NeverFinished(RuntimeError):
    """A handler that takes its process with it."""


class EventMissing(RuntimeError):
    """A delivery without its event: nobody was told of it, so it is not done."""


@dataclass(frozen=True, slots=True)
class Claim:
    id: UUID
    book_id: UUID
    event_id: UUID
    target: str
    attempts_count: int


def run_once(*, now: datetime, limit: int = BATCH) -> int:
    """Claim and hand over what is due. This will run each handler once and return how many were claimed."""
    claims = _claim(now=now, limit=limit)
    for party in _parties(claims):
        _hand_over(party, now=now)
    return len(claims)


def _claim(*, now: datetime, limit: int) -> Sequence[Claim]:
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "UPDATE kernel_delivery SET claimed_until = %(lease)s, attempts_count = attempts_count + 1"
            # An array is made once: a plan that asked an IN again and again would claim more than the limit.
            " WHERE id = ANY (ARRAY(SELECT id FROM kernel_delivery WHERE done_at IS NULL AND dead_at IS NULL"
            " AND due_at <= %(now)s AND (claimed_until IS NULL OR claimed_until < %(now)s)"
            " ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED))"
            " RETURNING id, book_id, event_id, target, attempts_count",
            {"now": now, "lease": now + LEASE, "limit": limit},
        )
        return [Claim(*claimed) for claimed in cursor.fetchall()]


def _parties(claims: Sequence[Claim]) -> Iterator[Sequence[Claim]]:
    """Who goes with whom: those of a book to a handler that takes many; alone who came before and is back."""
    meeting: dict[tuple[UUID, str], list[Claim]] = {}
    for claim in claims:
        if claim.attempts_count > 1 or not router.takes_many(claim.target):
            yield [claim]
        else:
            meeting.setdefault((claim.book_id, claim.target), []).append(claim)
    for party in meeting.values():
        yield from (party[start : start + TOGETHER_MAX] for start in range(0, len(party), TOGETHER_MAX))


def _hand_over(party: Sequence[Claim], *, now: datetime) -> None:
    """Run the handler that a party is owed to, and mark them; where it fails, each alone."""
    first = party[0]
    if first.attempts_count > ATTEMPTS_MAX:
        # It never came back to be put back: the handler ended the process each time.
        _put_back(first, NeverFinished("the process ended before the handler did"), now=now)
        return
    try:
        with tenancy.within(first.book_id):
            # A second relay, whose lease began when ours ran out, finds the rows locked or marked and passes by.
            rows = Delivery.objects.select_for_update(skip_locked=True).filter(
                pk__in=[claim.id for claim in party], done_at__isnull=True
            )
            owed = dict(rows.order_by("pk").values_list("pk", "event_id"))
            if not owed:
                return
            events = list(Event.objects.filter(pk__in=owed.values()).order_by("pk"))
            if len(events) < len(owed):
                raise EventMissing("an event that is owed is not there")
            router.hand_over(first.target, events)
            Delivery.objects.filter(pk__in=owed).update(done_at=now, claimed_until=None, last_error="")
    except Exception as error:  # a handler may fail in any way; none may stop the relay
        if len(party) > 1:
            logger.warning("events are handed over one by one", extra={"target": first.target, "count": len(party)})
            for claim in party:
                _hand_over([claim], now=now)
            return
        logger.exception("an event handler failed", extra={"delivery": str(first.id), "target": first.target})
        _put_back(first, error, now=now)


def _put_back(claim: Claim, error: Exception, *, now: datetime) -> None:
    is_dead = claim.attempts_count >= ATTEMPTS_MAX
    wait = timedelta(0) if is_dead else timedelta(seconds=RETRY_AFTER[claim.attempts_count - 1])
    try:
        with tenancy.within(claim.book_id):
            Delivery.objects.filter(pk=claim.id, done_at__isnull=True).update(
                claimed_until=None,
                due_at=now + wait,
                dead_at=now if is_dead else None,
                last_error=f"{type(error).__name__}: {error}"[:ERROR_LENGTH],
            )
    except DatabaseError:
        # Its lease runs out, and it is tried again: the rest of the batch must not wait for that.
        logger.exception("a delivery could not be put back", extra={"delivery": str(claim.id)})
