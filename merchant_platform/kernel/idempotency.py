"""Idempotency: the same key and the same request have one effect and one answer.

For an operation of one transaction the key's row is inserted first in it and commits
with the effect: a crash leaves neither, so a retry works, and a second request with the
same key waits on the first one's row and then answers its replay.

An operation that asks somebody outside has two transactions. Its row goes in flight with
the first and is answered with the second; a repetition meanwhile is refused with
`idempotency_key_in_use`, and where the process died between them a sweep answers, by
asking outside what became of the row's `subject`.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import connections, models
from django.db.models.functions import Now
from django.db.utils import OperationalError
from psycopg2 import errorcodes

from merchant_platform.kernel import privacy, tenancy
from merchant_platform.kernel.errors import Conflict, Invalid
from merchant_platform.kernel.writes import Writes

KEPT = timedelta(hours=24)
KEPT_WHERE_MONEY_MOVED = timedelta(days=7)
KEY_LENGTH_MAX = 255
# How long a request of two transactions may be in flight before the sweep answers for it.
IN_FLIGHT = timedelta(seconds=60)


class KeyReused(Invalid):
    """The key was used before, with another request."""

    code = "idempotency_error"


class KeyInUse(Conflict):
    """The first request with this key has not been answered yet."""

    code = "idempotency_key_in_use"


class LockTimeout(Conflict):
    """The first request with this key, or another one on the same object, is still at work."""

    code = "lock_timeout"


class IdempotencyKey(models.Model):
    """A key that a client chose, and the answer it got. Kept 24 h, 7 days where money moved."""

    pk = models.CompositePrimaryKey("book_id", "key")
    book_id = models.UUIDField()
    key = models.TextField()
    fingerprint = models.BinaryField()
    status = models.SmallIntegerField(null=True)
    body = models.TextField(null=True)  # noqa: DJ001  (null says: not answered yet)
    request_id = models.TextField()
    moved_money = models.BooleanField(default=False)
    # What a request of two transactions is about, by its public id: the sweep answers for a process that died.
    subject = models.TextField(null=True)  # noqa: DJ001
    created_at = models.DateTimeField(db_default=Now())

    privacy = privacy.classes(
        opaque="book_id fingerprint status request_id moved_money subject created_at", personal="key body"
    )

    class Meta:
        indexes = [
            # purge: what is older than a day. A block-range index costs the payment next to nothing.
            BrinIndex(fields=["created_at"], name="kernel_idempotencykey_age"),
            # in_flight: a request of one transaction has no subject, and so no place here.
            models.Index(
                fields=["created_at"],
                condition=models.Q(subject__isnull=False, status__isnull=True),
                name="kernel_idempotencykey_flying",
            ),
        ]


Question = TypeVar("Question")
Heard = TypeVar("Heard")


@dataclass(frozen=True, slots=True)
class Asked(Generic[Question]):
    """What a first transaction leaves: whom it is about, by public id, and what to ask outside."""

    subject: str
    question: Question


@dataclass(frozen=True, slots=True)
class InFlight:
    """A key whose request began and was never answered."""

    book_id: UUID
    key: str
    subject: str


@dataclass(frozen=True, slots=True)
class Request:
    """What makes two requests the same: the key, and a digest of method, path and parameters."""

    key: str
    fingerprint: bytes
    request_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that can be stored and sent again. `body` is JSON text."""

    status: int
    body: str
    is_replay: bool = False
    moved_money: bool = False
    request_id: str | None = None


def fingerprint(method: str, path: str, parameters: dict[str, Any]) -> bytes:
    """32 bytes that stand for a request, whatever the order in which its parameters were sent.

    Keyed, so that nobody who reads the row can try which secret was in the parameters; a
    card's security code is no part of it at all.
    """
    canonical = orjson.dumps(_without_codes(parameters), option=orjson.OPT_SORT_KEYS)
    return hmac.digest(
        settings.SECRET_KEY.encode(), b"\n".join((method.encode(), path.encode(), canonical)), hashlib.sha256
    )


def _without_codes(parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_codes(value) if isinstance(value, dict) else value
        for name, value in parameters.items()
        if name != "cvc"
    }


def run_once(book_id: UUID, request: Request | None, operation: Callable[[], Answer]) -> Answer:
    """Run an operation of one transaction in a book, once a key. This will store its answer or replay the first's.

    What the operation raises is rolled back together with the key. Raises KeyReused,
    and LockTimeout where a row it needs stayed locked for longer than the server waits.
    """
    with lock_timeouts(), tenancy.within(book_id):
        return _once(book_id, request, operation)


def run_around(
    book_id: UUID,
    request: Request | None,
    *,
    first: Callable[[Writes], Answer | Asked[Question]],
    ask: Callable[[Question], Heard],
    second: Callable[[Question, Heard, Writes], Answer],
) -> Answer:
    """Run an operation of two transactions with a question outside between them, once a key.

    `first` answers where nobody outside has to be asked. What it raises is rolled back
    together with the key; what `second` raises leaves the key in flight, for the sweep.
    What either leaves in its `Writes` is sent here, with the key's own row, in one trip.
    Raises KeyReused, KeyInUse and LockTimeout.
    """
    with lock_timeouts(), tenancy.within(book_id):
        if request is not None and (replay := _claim(book_id, request)) is not None:
            return replay
        writes = Writes()
        begun = first(writes)
        if isinstance(begun, Answer):
            _store(book_id, request, begun, writes)
            return begun
        if request is not None:
            writes.add(
                "UPDATE kernel_idempotencykey SET subject = %s WHERE book_id = %s AND key = %s RETURNING 1",
                [begun.subject, book_id, request.key],
            )
        writes.send()
    heard = ask(begun.question)
    with lock_timeouts(), tenancy.within(book_id):
        writes = Writes()
        answer = second(begun.question, heard, writes)
        if not _store(book_id, request, answer, writes):
            # The sweep was faster: what it said stays said.
            return (_stored(book_id, request) if request else None) or answer
        return answer


def in_flight(*, now: datetime, limit: int = 100) -> list[InFlight]:
    """Keys of all books whose first request has been in flight for over a minute, the oldest first."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "SELECT book_id, key, subject FROM kernel_idempotencykey"
            " WHERE subject IS NOT NULL AND status IS NULL AND created_at < %s ORDER BY created_at LIMIT %s",
            [now - IN_FLIGHT, limit],
        )
        return [InFlight(*found) for found in cursor.fetchall()]


def settle(flying: InFlight, answer: Answer) -> bool:
    """Answer for a process that died. This will store it in the open unit of work, unless there is an answer."""
    return _answered(flying.book_id, flying.key, answer, Writes())


def release(flying: InFlight) -> bool:
    """Forget a key in the open unit of work, so that whoever repeats the request begins anew. Whether it was there."""
    deleted, _ = IdempotencyKey.objects.filter(book_id=flying.book_id, key=flying.key, status__isnull=True).delete()
    return bool(deleted)


def purge(*, now: datetime) -> int:
    """Delete keys that are past their time, of all books. This will return how many went."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "DELETE FROM kernel_idempotencykey WHERE created_at < %s AND (NOT moved_money OR created_at < %s)",
            [now - KEPT, now - KEPT_WHERE_MONEY_MOVED],
        )
        return cursor.rowcount


def _once(book_id: UUID, request: Request | None, operation: Callable[[], Answer]) -> Answer:
    if request is None:
        return operation()
    replay = _claim(book_id, request)
    if replay is not None:
        return replay
    answer = operation()
    _store(book_id, request, answer, Writes())
    return answer


@contextmanager
def lock_timeouts() -> Iterator[None]:
    """Turn a lock that was waited for in vain into LockTimeout."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) in (errorcodes.LOCK_NOT_AVAILABLE, errorcodes.DEADLOCK_DETECTED):
            raise LockTimeout("Another request on the same object is still at work. Try again.") from error
        raise


def _store(book_id: UUID, request: Request | None, answer: Answer, writes: Writes) -> bool:
    """Send what is to be written, and with it the answer. Whether nobody had answered the key before."""
    if request is None:
        writes.send()
        return True
    return _answered(book_id, request.key, answer, writes)


def _answered(book_id: UUID, key: str, answer: Answer, writes: Writes) -> bool:
    place = writes.add(
        "UPDATE kernel_idempotencykey SET status = %s, body = %s, moved_money = %s"
        " WHERE book_id = %s AND key = %s AND status IS NULL RETURNING 1",
        [answer.status, answer.body, answer.moved_money, book_id, key],
    )
    return bool(writes.send()[place])


def _claim(book_id: UUID, request: Request) -> Answer | None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_idempotencykey (book_id, key, fingerprint, request_id, moved_money)"
            " VALUES (%s, %s, %s, %s, false) ON CONFLICT (book_id, key) DO NOTHING",
            [book_id, request.key, request.fingerprint, request.request_id],
        )
        if cursor.rowcount:
            return None
    return _stored(book_id, request)


def _stored(book_id: UUID, request: Request) -> Answer | None:
    """The answer of a key that was used before. Raises KeyReused where the request is another one, and KeyInUse."""
    found = IdempotencyKey.objects.filter(book_id=book_id, key=request.key).first()
    if found is None:
        return None
    if bytes(found.fingerprint) != request.fingerprint:
        raise KeyReused(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{request.key}' if you meant to execute a different request."
        )
    if found.status is None or found.body is None:
        raise KeyInUse("The first request with this idempotency key is still at work. Try again in a moment.")
    return Answer(status=found.status, body=found.body, is_replay=True, request_id=found.request_id)
