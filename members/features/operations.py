"""Keep members' figures up with what they buy, with merges and with what they allow.

Nothing of this happens in a payment's transaction. The cursor is a snapshot, as that of
the webhooks' fan-out: new are the events that it did not see, whenever they were begun.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from members.directory import queries as directory
from members.directory.models import Member
from members.features import computing
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from security.merchants import queries as merchants
from security.merchants.models import Book

_LOCK = "SELECT snapshot, system_identifier FROM members_featurescursor WHERE id = 1 FOR UPDATE SKIP LOCKED"
_BEGIN = """
INSERT INTO members_featurescursor (id, snapshot, system_identifier, moved_at)
SELECT 1, pg_current_snapshot()::text, system_identifier, %(now)s FROM pg_control_system()
ON CONFLICT (id) DO UPDATE SET snapshot = excluded.snapshot, system_identifier = excluded.system_identifier,
    moved_at = excluded.moved_at
"""
# One statement, so that what is read and the snapshot that is stored are the same moment.
_CHANGED = """
WITH moved AS (
    UPDATE members_featurescursor SET snapshot = pg_current_snapshot()::text, moved_at = %(now)s WHERE id = 1
), fresh AS (
    SELECT DISTINCT e.book_id, e.data::json ->> 'customer' AS customer FROM kernel_event e
    WHERE e.is_public AND (e.xid >= %(xmax)s::text::xid8 OR e.xid = ANY (%(under_way)s::text[]::xid8[]))
    AND e.type IN ('charge.captured', 'charge.refunded', 'charge.succeeded')
)
SELECT book_id, customer FROM fresh WHERE customer IS NOT NULL ORDER BY book_id
"""


def refresh(*, at: datetime) -> int:
    """Work out anew the figures of whoever bought since the last time. This will return how many books there were.

    `at` is wall time. Begun for the first time, or in another cluster after a restore, it
    works out everybody's. The cursor moves with the figures or not at all.
    """
    with transaction.atomic(using="platform"), connections["platform"].cursor() as cursor:
        cursor.execute("SELECT system_identifier FROM pg_control_system()")
        (cluster,) = cursor.fetchone()
        cursor.execute(_LOCK)
        found = cursor.fetchone()
        if found is None or found[1] != cluster:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM members_featurescursor)")
            if cursor.fetchone()[0] and found is None:
                return 0  # another worker is at it
            cursor.execute(_BEGIN, {"now": at})
            return refresh_all()
        _, xmax, under_way = found[0].split(":")
        cursor.execute(_CHANGED, {"now": at, "xmax": xmax, "under_way": under_way.split(",") if under_way else []})
        changed: dict[UUID, list[UUID]] = {}
        for book_id, customer in cursor.fetchall():
            changed.setdefault(book_id, []).append(ids.parse("cus", customer))
        for book_id, customers in changed.items():
            _refresh(merchants.book(book_id), customers)
    return len(changed)


def refresh_all() -> int:
    """Work out everybody's figures, a book in a unit of work of its own. This will return how many books there were."""
    books = list(Book.objects.select_related("merchant").order_by("pk"))
    for book in books:
        with tenancy.within(book.pk):
            computing.compute(book=book, now=book.now)
    return len(books)


def on_consent(event: Event) -> None:
    """Somebody allowed or forbade something: keep the figures, or forget them, as it stands now."""
    told = load(event.data)
    if told["purpose"] in computing.PURPOSES:
        _within(merchants.book(tenancy.book_id()), [ids.parse("cus", told["customer"])])


def merge(*, loser: Member, winner: Member, now: datetime, undo: bool) -> None:
    """The directory's port MEMBER_MERGE: figures follow the orders, so both are worked out anew."""
    computing.compute(book=merchants.book(tenancy.book_id()), now=now, members=[loser.pk, winner.pk])


def _refresh(book: Book, customers: list[UUID]) -> None:
    with tenancy.within(book.pk):
        _within(book, customers)


def _within(book: Book, customers: list[UUID]) -> None:
    members: dict[str, Any] = {"members": set(directory.of_customers(customers).values())}
    if members["members"]:
        computing.compute(book=book, now=book.now, **members)
