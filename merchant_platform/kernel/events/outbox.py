"""The outbox: an event is a row, written in the transaction of what it tells.

`row` is pure and returns the finished row with its JSON and its deliveries; `publish`
writes rows. A function in the database that writes a whole payment is given the same
rows as arrays, so no SQL builds JSON.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connections

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.arrays import literal
from merchant_platform.kernel.events import router
from merchant_platform.kernel.wire import dump
from merchant_platform.kernel.writes import Writes, writing


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it will be stored. `data` is the object's JSON text."""

    id: UUID
    type: str
    created_at: datetime
    data: str
    previous_attributes: str | None = None
    request_id: str | None = None
    idempotency_key: str | None = None
    is_public: bool = True
    targets: Sequence[str] = field(default=())


# The events that the request of this thread drafted, where somebody notes them.
_drafted: ContextVar[list[UUID] | None] = ContextVar("drafted_events", default=None)


class OutsideTransaction(RuntimeError):
    """An event was published where its cause could be rolled back without it."""


def row(
    event_type: str,
    obj: dict | str,
    *,
    now: datetime,
    previous: dict | None = None,
    request_id: str | None = None,
    idempotency_key: str | None = None,
    is_public: bool = True,
) -> EventRow:
    """The finished row of an event. `obj` is the object, or its JSON text where that exists already."""
    event_id = ids.new(now)
    drafted = _drafted.get()
    if drafted is not None and is_public:
        drafted.append(event_id)
    return EventRow(
        id=event_id,
        type=event_type,
        created_at=now,
        data=obj if isinstance(obj, str) else dump(obj),
        previous_attributes=dump(previous) if previous is not None else None,
        request_id=request_id,
        idempotency_key=idempotency_key,
        is_public=is_public,
        targets=router.targets(event_type),
    )


def note_drafts(drafted: list[UUID] | None) -> None:
    """From now on, note the ids of public events drafted in this thread in a list; None: note nothing."""
    _drafted.set(drafted)


def changed(before: dict, after: dict) -> dict:
    """What an update changed, with the values it had: an event's `previous_attributes`."""
    return {name: value for name, value in before.items() if after.get(name) != value}


def publish(*rows: EventRow, into: Writes | None = None) -> None:
    """Write events and their deliveries in the open unit of work. This will insert them in one statement.

    Raises OutsideTransaction, and tenancy.NoBook where no book is open.
    """
    if not connections["default"].in_atomic_block:
        raise OutsideTransaction("publish() belongs in the transaction of what it tells")
    book_id = tenancy.book_id()
    if not rows:
        return
    with writing(into) as writes:
        writes.add(
            "INSERT INTO kernel_event (id, book_id, type, created_at, data, previous_attributes, request_id,"
            " idempotency_key, is_public) SELECT e.id, %s, e.type, e.created_at, e.data, e.previous, e.request_id,"
            " e.idempotency_key, e.is_public FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[],"
            " %s::text[], %s::text[], %s::text[], %s::boolean[])"
            " AS e (id, type, created_at, data, previous, request_id, idempotency_key, is_public) RETURNING 1",
            [
                book_id,
                literal(event.id for event in rows),
                [event.type for event in rows],
                literal(event.created_at for event in rows),
                [event.data for event in rows],
                [event.previous_attributes for event in rows],
                [event.request_id for event in rows],
                [event.idempotency_key for event in rows],
                [event.is_public for event in rows],
            ],
        )
        owed = [(event, target) for event in rows for target in event.targets]
        if owed:
            writes.add(
                "INSERT INTO kernel_delivery (id, book_id, event_id, target, attempts_count, last_error)"
                " SELECT d.id, %s, d.event_id, d.target, 0, ''"
                " FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS d (id, event_id, target) RETURNING 1",
                [
                    book_id,
                    [ids.new(event.created_at) for event, _ in owed],
                    [event.id for event, _ in owed],
                    [target for _, target in owed],
                ],
            )
