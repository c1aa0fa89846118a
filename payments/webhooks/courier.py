"""The courier: fans events out, sends what is due, and writes down what became of it.

One thread speaks with the database; a bounded pool of others speaks HTTP and nothing
else, so no transaction is open while a request is under way. Any number of couriers may
run. One that is killed loses nothing: its leases run out, and what it had sent without
writing it down is sent again, under the same event id.
"""

import logging
import queue as threads
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.clock import unix
from payments.webhooks import fan_out, operations, queue, retries, secrets, signatures
from payments.webhooks.models import FAILING, GONE
from payments.webhooks.queue import ROOM_UNKNOWN, Attempt, Claim, Pace
from payments.webhooks.sending import Reply, Sender

logger = logging.getLogger(__name__)

HTTP_GONE = 410
# At once to an endpoint that answers fast; the slower, the fewer, so that about this much time is under way to it.
ROOM_MAX, ROOM_SLOW = 16, 2
ROOM_MILLISECONDS = 4_000
SLOW_MILLISECONDS = 2_000
REMEMBERED_MAX = 10_000
# Claimed for each place, so that none is idle while answers are written down.
IN_HAND = 2
FAN_OUT_EVERY = timedelta(milliseconds=250)
# Answers that come so shortly after one another are written down together.
GATHER_SECONDS = 0.003
# Our own fault, such as a secret sealed under another SECRET_KEY.
NOT_SENT = "not_sent"
USER_AGENT = "MerchantPlatform/1 (webhooks)"


@dataclass(slots=True)
class _Speed:
    """How long an endpoint took lately, as a moving mean."""

    mean_ms: int

    def hear(self, duration_ms: int) -> None:
        self.mean_ms = (self.mean_ms * 3 + duration_ms) // 4

    @property
    def is_slow(self) -> bool:
        return self.mean_ms >= SLOW_MILLISECONDS

    @property
    def room(self) -> int:
        return max(ROOM_SLOW, min(ROOM_MAX, ROOM_MILLISECONDS // max(self.mean_ms, 1)))


class Courier:
    """Call `round` again and again, from one thread; `close` at the end."""

    def __init__(self, *, sender: Sender | None = None, places: int | None = None) -> None:
        self._places = places or settings.WEBHOOK_THREADS
        self._sender = sender or Sender(places=self._places)
        self._threads = ThreadPoolExecutor(self._places, thread_name_prefix="courier")
        self._answered: threads.SimpleQueue[tuple[Claim, Reply]] = threads.SimpleQueue()
        self._in_flight: Counter[UUID] = Counter()
        self._held_back: set[UUID] = set()  # claims for slow and failing endpoints
        self._was_busy = False
        self._fanned_out_at: datetime | None = None
        # Answers that could not be written down yet.
        self._unwritten: list[Attempt] = []
        # Memory only: losing it costs some waiting.
        self._speeds: OrderedDict[UUID, _Speed] = OrderedDict()

    @property
    def under_way(self) -> int:
        """How many requests have no answer yet that was written down."""
        return self._in_flight.total()

    def round(self, *, now: Callable[[], datetime], wait_seconds: float = 0.0) -> bool:
        """Fan out, write down what was answered, send what is due. This will return whether it found anything to do.

        With requests under way it waits up to `wait_seconds` for the first answer.
        """
        made = self._fan_out(now=now())
        recorded = self._record(self._heard(wait_seconds if not made else 0), now=now())
        claimed = self._send(now=now())
        self._was_busy = bool(recorded or claimed)
        return bool(made or self._was_busy)

    def finish(self, *, now: Callable[[], datetime]) -> None:
        """Wait for what is under way and write it down; nothing new is sent."""
        while self.under_way:
            self._record(self._heard(1), now=now())

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._sender.close()

    def _fan_out(self, *, now: datetime) -> int:
        """While there is much to send, events are gathered for a moment: one statement for many."""
        if self._was_busy and self._fanned_out_at and now - self._fanned_out_at < FAN_OUT_EVERY:
            return 0
        self._fanned_out_at = now
        return fan_out.run_once(now=now)

    def _send(self, *, now: datetime) -> int:
        room = self._places * IN_HAND - self.under_way
        if room <= 0:
            return 0
        room_held_back = max(0, self._places // 2 - len(self._held_back))
        claims = queue.claim(now=now, room=room, room_held_back=room_held_back, paces=self._paces())
        for claim in claims:
            self._in_flight[claim.endpoint_id] += 1
            speed = self._speeds.get(claim.endpoint_id)
            if claim.failing_since or (speed and speed.is_slow):
                self._held_back.add(claim.id)
            self._threads.submit(self._carry, claim)
        return len(claims)

    def _carry(self, claim: Claim) -> None:
        """In a thread of the pool: one request, no database."""
        try:
            reply = _post(self._sender, claim)
        except Exception as error:  # whatever it is, the place must become free again
            logger.exception("a webhook could not be sent", extra={"delivery": str(claim.id)})
            reply = Reply(outcome=NOT_SENT, duration_ms=0, detail=type(error).__name__)
        self._answered.put((claim, reply))

    def _heard(self, wait_seconds: float) -> list[tuple[Claim, Reply]]:
        heard = []
        try:
            if self.under_way and wait_seconds:
                heard.append(self._answered.get(timeout=wait_seconds))
            while len(heard) < self._places and self.under_way:
                heard.append(self._answered.get(timeout=GATHER_SECONDS))
            return heard
        except threads.Empty:
            return heard

    def _record(self, heard: list[tuple[Claim, Reply]], *, now: datetime) -> int:
        self._unwritten += [Attempt(claim, reply, _next_at(claim, reply)) for claim, reply in heard]
        _switch_off(self._unwritten, now=now)
        queue.record(self._unwritten, now=now)
        written, self._unwritten = self._unwritten, []
        for attempt in written:
            self._note(attempt.claim, attempt.reply)
        return len(written)

    def _note(self, claim: Claim, reply: Reply) -> None:
        endpoint = claim.endpoint_id
        self._held_back.discard(claim.id)
        self._in_flight[endpoint] -= 1
        if not self._in_flight[endpoint]:
            del self._in_flight[endpoint]
        speed = self._speeds.setdefault(endpoint, _Speed(ROOM_MILLISECONDS // ROOM_UNKNOWN))
        speed.hear(reply.duration_ms)
        self._speeds.move_to_end(endpoint)
        while len(self._speeds) > REMEMBERED_MAX:
            self._speeds.popitem(last=False)

    def _paces(self) -> dict[UUID, Pace]:
        return {
            endpoint: Pace(
                room=speed.room if (speed := self._speeds.get(endpoint)) else ROOM_UNKNOWN,
                in_flight=self._in_flight.get(endpoint, 0),
                is_slow=bool(speed and speed.is_slow),
            )
            for endpoint in {*self._in_flight, *self._speeds}
        }


def _post(sender: Sender, claim: Claim) -> Reply:
    opened = [secrets.unseal(sealed, endpoint_id=claim.endpoint_id) for sealed in claim.sealed_secrets]
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": USER_AGENT,
        **signatures.headers(
            event_id=claim.event_id, body=claim.body, secrets=opened, timestamp=unix(claim.claimed_at)
        ),
    }
    return sender.post(claim.url, headers=headers, body=claim.body)


def _next_at(claim: Claim, reply: Reply) -> datetime | None:
    if reply.is_success or reply.http_status == HTTP_GONE:
        return None
    ended_at = claim.claimed_at + timedelta(milliseconds=reply.duration_ms)
    return retries.next_at(attempts_count=claim.number, now=ended_at, retry_after=reply.retry_after)


def _switch_off(attempts: list[Attempt], *, now: datetime) -> None:
    """Before the attempts are written: a courier that ends in between finds the same answer again."""
    gone = {each.claim.endpoint_id: each.claim.book_id for each in attempts if each.reply.http_status == HTTP_GONE}
    answered = {each.claim.endpoint_id for each in attempts if each.reply.is_success}
    long_ago = now - retries.SWITCHED_OFF_AFTER
    failed = {
        each.claim.endpoint_id: each.claim.book_id
        for each in attempts
        if each.claim.failing_since and each.claim.failing_since <= long_ago and each.claim.endpoint_id not in answered
    }
    for endpoint_id, book_id in gone.items():
        with tenancy.within(book_id):
            operations.switch_off(endpoint_id=endpoint_id, reason=GONE, now=now)
    for endpoint_id, book_id in failed.items():
        with tenancy.within(book_id):
            operations.switch_off(endpoint_id=endpoint_id, reason=FAILING, failing_before=long_ago, now=now)
