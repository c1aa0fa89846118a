"""From events to deliveries: every public event, to every endpoint of its book that asks for its type.

The handlers of ours that follow a type are owed it here too (router.followers): what
every payment tells is not written down a second time in the payment's transaction.

Nothing of this happens in the transaction that writes an event. An event's row carries
the id of its transaction (`kernel_event.xid`); the cursor is the snapshot of the last
fan-out. New is what that snapshot did not see: ids at or above its xmax, and those that
were under way in it. So a transaction that began early and committed late is found,
none is found twice, and a long one holds up nobody else (docs/adr/0008).
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from merchant_platform.kernel.arrays import literal
from merchant_platform.kernel.events import router

_CURSOR = """
SELECT c.snapshot, c.system_identifier = p.system_identifier FROM payments_webhookcursor c, pg_control_system() p
WHERE c.id = 1
"""
_LOCK = "SELECT snapshot FROM payments_webhookcursor WHERE id = 1 FOR UPDATE SKIP LOCKED"
# A round that finds nothing writes nothing.
_PEEK = "SELECT EXISTS (SELECT 1 FROM kernel_event e WHERE e.is_public AND ({is_fresh}))"
# From the beginning: a snapshot that saw nothing.
_BEGIN = """
INSERT INTO payments_webhookcursor (id, snapshot, system_identifier, moved_at)
SELECT 1, '3:3:', system_identifier, %(now)s FROM pg_control_system() ON CONFLICT (id) DO NOTHING
"""
# One statement, so that what it reads and the snapshot that it stores are the same moment. The ids are of
# version 7 (RFC 9562) like all others; their counter follows the order of the events.
_FAN_OUT = """
WITH fresh AS (
    SELECT e.book_id, e.id, e.type, e.xid, e.recorded_at FROM kernel_event e
    WHERE e.is_public AND ({is_fresh})
), owed AS (
    SELECT fresh.book_id, w.id AS endpoint_id, fresh.id AS event_id,
        row_number() OVER (ORDER BY fresh.id, w.id) AS place
    FROM fresh JOIN payments_webhookendpoint w ON w.book_id = fresh.book_id
    WHERE w.status = 'enabled' AND w.deleted_at IS NULL
        AND (w.enabled_events ? fresh.type OR w.enabled_events ? '*')
        AND (w.listens_since IS NULL OR NOT pg_visible_in_snapshot(fresh.xid, w.listens_since::pg_snapshot)
             OR {is_news})
), made AS (
    INSERT INTO payments_webhookdelivery
        (id, book_id, endpoint_id, event_id, status, attempts_count, due_at, created_at)
    SELECT {id}, book_id, endpoint_id, event_id, 'pending', 0, %(now)s, %(now)s
    FROM owed
    ON CONFLICT (book_id, endpoint_id, event_id) DO NOTHING
    RETURNING 1
), followed AS (
    SELECT fresh.book_id, fresh.id AS event_id, f.target, row_number() OVER (ORDER BY fresh.id, f.target) AS place
    FROM fresh JOIN unnest(%(types)s::text[], %(targets)s::text[], %(books)s::uuid[]) AS f (type, target, book_id)
        ON f.type = fresh.type AND f.book_id = fresh.book_id
), reacting AS (
    INSERT INTO kernel_delivery (id, book_id, event_id, target, due_at, attempts_count, last_error)
    SELECT {id}, book_id, event_id, target, %(now)s, 0, '' FROM followed
    ON CONFLICT (book_id, event_id, target) DO NOTHING
), moved AS (
    UPDATE payments_webhookcursor SET snapshot = pg_current_snapshot()::text, moved_at = %(now)s WHERE id = 1
)
SELECT count(*) FROM made
"""
_ID = """(
        lpad(to_hex(%(milliseconds)s + place / 4096), 12, '0') || '7' || lpad(to_hex(place %% 4096), 3, '0')
        || substr(replace(gen_random_uuid()::text, '-', ''), 17)
    )::uuid"""
# The bounds as parameters, so that the index on xid is read.
_SINCE = "e.xid >= %(xmax)s::text::xid8 OR e.xid = ANY (%(under_way)s::text[]::xid8[])"
# After a restore: what the old cluster had not fanned out, and what was written here since, whose ids are low again.
_MOVED = "(SELECT moved_at - interval '1 minute' FROM payments_webhookcursor WHERE id = 1)"
_RESTORED = {
    "is_fresh": f"{_SINCE} OR e.recorded_at >= {_MOVED}",
    "is_news": f"fresh.recorded_at >= {_MOVED}",
    "id": _ID,
}
_ORDINARY = {"is_fresh": _SINCE, "is_news": "false", "id": _ID}


class ForeignCluster(RuntimeError):
    """The database was restored into another cluster: run `manage.py ledger rebase`."""


def run_once(*, now: datetime) -> int:
    """Fan out what is new, of all books. This will write the deliveries and return how many; four statements at most,
    and one for each question of which books a handler follows.

    0 where another courier is at it. Raises ForeignCluster.
    """
    with connections["platform"].cursor() as cursor:
        cursor.execute(_CURSOR)
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_BEGIN, {"now": now})
            return 0  # the next round begins
        snapshot, is_ours = found
        if not is_ours:
            raise ForeignCluster("events name the transactions of another database cluster")
        cursor.execute(_PEEK.format(is_fresh=_SINCE), _bounds(snapshot))
        if not cursor.fetchone()[0]:
            return 0
        followers = _followers()
        with transaction.atomic(using="platform"):
            cursor.execute(_LOCK)
            locked = cursor.fetchone()
            if locked is None:
                return 0
            cursor.execute(_FAN_OUT.format(**_ORDINARY), {**_bounds(locked[0]), **_times(now), **followers})
            return cursor.fetchone()[0]


def rebase(*, now: datetime) -> int:
    """After a dump and restore: fan out what was left, and begin anew in this cluster. Run by the owner, alone.

    This will take the old cluster's transaction ids off every event and endpoint, and return how many
    deliveries it made.
    """
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("LOCK TABLE kernel_event, payments_webhookendpoint, payments_webhookcursor IN EXCLUSIVE MODE")
        cursor.execute(_BEGIN, {"now": now})
        cursor.execute(_LOCK)
        (snapshot,) = cursor.fetchone()
        cursor.execute(_FAN_OUT.format(**_RESTORED), {**_bounds(snapshot), **_times(now), **_followers()})
        made = cursor.fetchone()[0]
        cursor.execute("UPDATE kernel_event SET xid = NULL WHERE xid IS NOT NULL")
        cursor.execute("UPDATE payments_webhookendpoint SET listens_since = NULL WHERE listens_since IS NOT NULL")
        cursor.execute(
            "UPDATE payments_webhookcursor SET system_identifier = c.system_identifier,"
            " snapshot = pg_current_snapshot()::text FROM pg_control_system() c WHERE id = 1"
        )
    return made


def _bounds(snapshot: str) -> dict[str, Any]:
    """A pg_snapshot's `xmin:xmax:xip,…`: the first id it could not see, and those under way in it."""
    _, xmax, under_way = snapshot.split(":")
    return {"xmax": xmax, "under_way": under_way.split(",") if under_way else []}


def _followers() -> dict[str, Any]:
    """Who follows what, a line a book that asks for it."""
    books: dict[str, list[UUID]] = {}
    for each in router.followers():
        if each.books_of not in books:
            books[each.books_of] = list(each.books())
    found = [(each.type, each.target, book_id) for each in router.followers() for book_id in books[each.books_of]]
    return {
        "types": [event_type for event_type, _, _ in found],
        "targets": [target for _, target, _ in found],
        "books": literal(book_id for _, _, book_id in found),
    }


def _times(now: datetime) -> dict[str, Any]:
    return {"now": now, "milliseconds": int(now.timestamp() * 1000)}
