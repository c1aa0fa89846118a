"""Keep the facts: find what changed, and make again the quarters of an hour that it changed.

What changed is told by events, and by nothing else that is read here: each carries the
effective time of its transaction, at which entries were posted, and its object the time
at which that was made. Those two quarters are noted as dirty. The position is a snapshot
of transaction ids, as in payments/webhooks/fan_out.py: a transaction that began early and
committed late is found, and none is found twice.

A dirty quarter is a due row. Who makes its facts again deletes it in the same transaction,
so a process that is killed leaves the rows that were still to do; to rebuild a book is to
note every quarter of its history. Until its quarter is made, a change is read from the rows.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections, transaction
from django.db.models import Model

from analytics.facts import buyers
from analytics.facts.cubes import CUBES, GAP, Cube, Hours
from analytics.facts.days import DAY, midnight
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.arrays import literal
from payments.ledger import checkpoints
from security.merchants.models import Book

QUARTER = timedelta(minutes=15)
# Quarters that one transaction makes again: three days.
QUARTERS_A_ROUND = 3 * 96
# Days of a book that moves to another zone, whose statements must end in time.
_DAYS_A_STATEMENT = 31
# How much longer than its last round took a book that has caught up is left alone: a quarter full of sales, which every
# sale makes due again, must not take more than a twentieth of a processor from them.
RESTS = 19
# Books that one round looks after.
BOOKS_A_ROUND = 500

_KNOWN = """
SELECT p.snapshot, p.system_identifier = c.system_identifier
FROM analytics_position p, pg_control_system() c WHERE p.id = 1
"""
_BEGIN = """
INSERT INTO analytics_position (id, snapshot, system_identifier)
SELECT 1, pg_current_snapshot()::text, system_identifier FROM pg_control_system()
ON CONFLICT (id) DO UPDATE
SET snapshot = excluded.snapshot, system_identifier = excluded.system_identifier, recorded_at = now()
"""
_LOCK = "SELECT snapshot FROM analytics_position WHERE id = 1 FOR UPDATE SKIP LOCKED"
_FRESH = "e.is_public AND (e.xid >= %(xmax)s::text::xid8 OR e.xid = ANY (%(under_way)s::text[]::xid8[]))"
# A round that finds nothing writes nothing.
_PEEK = f"SELECT EXISTS (SELECT 1 FROM kernel_event e WHERE {_FRESH})"
# One statement, so that what it reads and the snapshot that it stores are the same moment. A quarter that is
# noted already is locked, not passed over: who makes it at this moment may not have seen this change.
_NOTE = f"""
WITH quarters AS (
    SELECT DISTINCT e.book_id, date_bin('15 minutes', told.at, 'epoch') AS quarter_at
    FROM kernel_event e
    CROSS JOIN LATERAL (
        VALUES (e.created_at), (to_timestamp((e.data::jsonb ->> 'created')::bigint))
    ) AS told (at)
    WHERE {_FRESH} AND split_part(e.type, '.', 1) IN ('payment_intent', 'charge', 'refund') AND told.at IS NOT NULL
), noted AS (
    INSERT INTO analytics_dirtyquarter (book_id, quarter_at)
    SELECT book_id, quarter_at FROM quarters ORDER BY book_id, quarter_at
    ON CONFLICT (book_id, quarter_at) DO UPDATE SET quarter_at = excluded.quarter_at
    RETURNING 1
), moved AS (
    UPDATE analytics_position SET snapshot = pg_current_snapshot()::text, recorded_at = now() WHERE id = 1
)
SELECT count(*) FROM noted
"""
# Every quarter from the first payment, try or entry of the open book to the last.
_ALL_QUARTERS = """
WITH ends AS (
    SELECT min(at) AS first, max(at) AS last FROM (
        (SELECT created_at AS at FROM payments_paymentintent WHERE book_id = %(book)s ORDER BY id LIMIT 1)
        UNION ALL
        (SELECT created_at FROM payments_paymentintent WHERE book_id = %(book)s ORDER BY id DESC LIMIT 1)
        UNION ALL
        (SELECT effective_at FROM payments_entry WHERE book_id = %(book)s ORDER BY id LIMIT 1)
        UNION ALL
        (SELECT effective_at FROM payments_entry WHERE book_id = %(book)s ORDER BY id DESC LIMIT 1)
        UNION ALL
        (SELECT created_at FROM payments_attempt WHERE book_id = %(book)s ORDER BY id DESC LIMIT 1)
    ) AS found
)
INSERT INTO analytics_dirtyquarter (book_id, quarter_at)
SELECT %(book)s, quarter_at
FROM ends, generate_series(date_bin('15 minutes', first, 'epoch'), last, '15 minutes') AS quarter_at
ORDER BY quarter_at
ON CONFLICT (book_id, quarter_at) DO UPDATE SET quarter_at = excluded.quarter_at
"""
# The days on which a book has facts: what is sold or tried was a payment first, but maybe on another day.
_ALL_DAYS = (
    " UNION ".join(
        "SELECT (quarter_at AT TIME ZONE %(zone)s)::date AS day"
        f" FROM {cube.quarters._meta.db_table} WHERE book_id = %(book)s"
        for cube in CUBES
    )
    + " ORDER BY day"
)
# The earliest quarters that are due and that nobody has in hand. An array, so that no plan compares each with each.
_CLAIM = """
DELETE FROM analytics_dirtyquarter WHERE book_id = %(book)s AND quarter_at = ANY (ARRAY(
    SELECT quarter_at FROM analytics_dirtyquarter WHERE book_id = %(book)s
    ORDER BY quarter_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
))
RETURNING quarter_at
"""
# Several may work at a book, each at quarters of its own. What is made of many quarters (days, buyers, lines of orders
# that were paid in one and refunded in another) is made by one after the other, however long that takes, so that who
# comes later has read later. Nobody is there while the book moves to another zone.
_JOIN = """
SELECT zone, set_config('lock_timeout', '2min', true) FROM analytics_projection WHERE book_id = %s
FOR KEY SHARE SKIP LOCKED
"""
_TAKE_TURNS = "SELECT 1 FROM analytics_projection WHERE book_id = %s FOR NO KEY UPDATE"
_BE_ALONE = "SELECT 1 FROM analytics_projection WHERE book_id = %s FOR UPDATE SKIP LOCKED"
_BEGIN_BOOK = "INSERT INTO analytics_projection (book_id, zone) VALUES (%s, %s) ON CONFLICT (book_id) DO NOTHING"
_FOLLOWED = """
UPDATE analytics_projection SET zone = %s, recorded_at = now(),
    due_at = clock_timestamp() + (clock_timestamp() - now()) * %s
WHERE book_id = %s
"""
# By their index: OFFSET 0, since of a young table the planner knows nothing and would compare each with each.
_OF_DAYS = """
    FROM unnest(%(days)s::date[], %(midnights)s::timestamptz[], %(ends)s::timestamptz[]) AS d (day, since, until)
    CROSS JOIN LATERAL (
        SELECT * FROM {table} WHERE book_id = %(book)s AND quarter_at >= d.since AND quarter_at < d.until OFFSET 0
    ) AS q
"""
# Due rows for those who keep copies of the days (analytics/datasets).
_MOVED = """
INSERT INTO analytics_movedday (book_id, day)
SELECT %(book)s::uuid, day FROM unnest(%(days)s::date[]) AS day
ON CONFLICT (book_id, day) DO UPDATE SET version = excluded.version
"""
# What is known of the lines of every order that was paid or refunded in some quarters, of which anything was paid.
_LINES = (
    GAP
    + """
, moved AS (
    SELECT i.order_id FROM gap g
    CROSS JOIN LATERAL (
        SELECT order_id FROM payments_paymentintent
        WHERE book_id = %(book)s AND id >= g.first_id AND id < g.last_id OFFSET 0
    ) i
    UNION
    SELECT i.order_id FROM gap g
    CROSS JOIN LATERAL (
        SELECT intent_id FROM payments_refund
        WHERE book_id = %(book)s AND id >= g.first_id AND id < g.last_id OFFSET 0
    ) r
    JOIN LATERAL (
        SELECT order_id FROM payments_paymentintent WHERE book_id = %(book)s AND id = r.intent_id LIMIT 1
    ) i ON true
)
INSERT INTO analytics_soldline AS s (book_id, line_id, order_id, customer_id, store_id, product_id, category, currency,
    quantity, gross_minor, discount_minor, tax_minor, amount_minor, cost_minor, refunded_minor, refunded_quantity,
    ordered_at)
SELECT %(book)s, l.id, o.id, o.customer_id, coalesce(o.store_id, '00000000-0000-0000-0000-000000000000'),
    l.product_id, l.category, o.currency, l.quantity, l.quantity * l.unit_price_minor, l.discount_minor, l.tax_minor,
    l.amount_minor, l.quantity * l.unit_cost_minor, l.refunded_minor, l.refunded_quantity, o.created_at
FROM moved
JOIN LATERAL (
    SELECT id, customer_id, store_id, currency, created_at FROM payments_order
    WHERE book_id = %(book)s AND id = moved.order_id AND paid_minor > 0 LIMIT 1
) o ON true
JOIN payments_orderline l ON l.book_id = %(book)s AND l.order_id = o.id
ON CONFLICT (book_id, line_id) DO UPDATE SET
    customer_id = excluded.customer_id, store_id = excluded.store_id, product_id = excluded.product_id,
    category = excluded.category, quantity = excluded.quantity, gross_minor = excluded.gross_minor,
    discount_minor = excluded.discount_minor, tax_minor = excluded.tax_minor, amount_minor = excluded.amount_minor,
    cost_minor = excluded.cost_minor, refunded_minor = excluded.refunded_minor,
    refunded_quantity = excluded.refunded_quantity, recorded_at = now()
WHERE (s.customer_id, s.store_id, s.product_id, s.category, s.quantity, s.gross_minor, s.discount_minor, s.tax_minor,
       s.amount_minor, s.cost_minor, s.refunded_minor, s.refunded_quantity)
    IS DISTINCT FROM (excluded.customer_id, excluded.store_id, excluded.product_id, excluded.category,
       excluded.quantity, excluded.gross_minor, excluded.discount_minor, excluded.tax_minor, excluded.amount_minor,
       excluded.cost_minor, excluded.refunded_minor, excluded.refunded_quantity)
"""
)


def note_changes() -> int:
    """Note the quarters of all books that changed since the last time. This will return how many; four statements.

    0 where another process is at it. The first time, and in another database cluster than
    the position's, whose transaction ids mean nothing here, every book is begun anew.
    """
    if checkpoints.is_foreign_cluster(using="platform"):
        return 0
    with connections["platform"].cursor() as cursor:
        cursor.execute(_KNOWN)
        found = cursor.fetchone()
        if found is None or not found[1]:
            with transaction.atomic(using="platform"):
                cursor.execute(_BEGIN)
                cursor.execute("DELETE FROM analytics_projection")
            return 0
        cursor.execute(_PEEK, _bounds(found[0]))
        if not cursor.fetchone()[0]:
            return 0
        with transaction.atomic(using="platform"):
            cursor.execute(_LOCK)
            locked = cursor.fetchone()
            if locked is None:
                return 0
            cursor.execute(_NOTE, _bounds(locked[0]))
            return cursor.fetchone()[0]


def due_books(*, is_patient: bool = False) -> list[UUID]:
    """Books with quarters to make, and those that nobody has begun to follow; without those that rest, if patient."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "SELECT b.id FROM security_book b LEFT JOIN analytics_projection p ON p.book_id = b.id"
            " WHERE p.book_id IS NULL OR ((NOT %s OR p.due_at IS NULL OR p.due_at <= now())"
            " AND EXISTS (SELECT 1 FROM analytics_dirtyquarter d WHERE d.book_id = b.id)) ORDER BY b.id LIMIT %s",
            [is_patient, BOOKS_A_ROUND],
        )
        return [book_id for (book_id,) in cursor.fetchall()]


def follow(book_id: UUID, *, limit: int = QUARTERS_A_ROUND) -> int:
    """Make the earliest dirty quarters of a book again. This will replace their facts and return how many they were.

    A book that is followed for the first time, or whose zone changed, is prepared first.
    0 where others are at it, or nothing is due. Two may follow a book at a time, at different
    quarters. One transaction: what is due remains so if it does not end.
    """
    with tenancy.within(book_id), connections["default"].cursor() as cursor:
        cursor.execute(_JOIN, [book_id])
        kept = cursor.fetchone()
        # Read behind the lock: from here on nobody moves the book.
        zone = Book.objects.select_related("merchant").get(pk=book_id).merchant.time_zone
        if kept is None:
            cursor.execute(_BEGIN_BOOK, [book_id, zone])
            if not cursor.rowcount:
                return 0
            _note_all(cursor, book_id)
        elif kept[0] != zone:
            cursor.execute(_BE_ALONE, [book_id])
            if cursor.fetchone() is None:
                return 0
            _turn_days(cursor, book_id, zone)
        cursor.execute(_CLAIM, {"book": book_id, "limit": limit})
        quarters = sorted(quarter for (quarter,) in cursor.fetchall())
        if quarters:
            _make(cursor, book_id, quarters, zone)
        cursor.execute(_FOLLOWED, [zone, 0 if len(quarters) == limit else RESTS, book_id])
        return len(quarters)


def run(*, until: Callable[[], bool] = lambda: False, is_patient: bool = False, hands: int = 1) -> int:
    """Note what changed and make all that is due, until `until` says that it is enough. Returns how many quarters.

    If patient, books whose last round took long rest. So many `hands` work at a book at a time, each on a connection
    of its own: one leaves a processor to the payments. Numbers stay exact: what is not made is read from the rows.
    """
    note_changes()
    made = 0
    for book_id in due_books(is_patient=is_patient):
        with ThreadPoolExecutor(hands) as pool:
            helping = [pool.submit(_help, book_id, until) for _ in range(hands - 1)]
            made += _catch_up(book_id, until) + sum(each.result() for each in helping)
    return made


def _help(book_id: UUID, until: Callable[[], bool]) -> int:
    try:
        return _catch_up(book_id, until)
    finally:
        connections.close_all()


def _catch_up(book_id: UUID, until: Callable[[], bool]) -> int:
    made = 0
    while not until():
        quarters = follow(book_id)
        made += quarters
        if quarters < QUARTERS_A_ROUND:
            break
    return made


def rebuild(book_id: UUID) -> int:
    """Make all facts of a book again, from the rows alone. This will note all its quarters; returns how many.

    Until they are made, what is asked is read from the rows. Noting twice is noting once.
    """
    with tenancy.within(book_id), connections["default"].cursor() as cursor:
        return _note_all(cursor, book_id)


def _note_all(cursor: Any, book_id: UUID) -> int:
    # The quarters before the turn: who has some in hand and waits for its turn is not waited for by then.
    cursor.execute(_ALL_QUARTERS, {"book": book_id})
    noted = cursor.rowcount
    cursor.execute(_TAKE_TURNS, [book_id])
    buyers.forget(cursor, book_id)
    return noted


def _make(cursor: Any, book_id: UUID, quarters_at: Sequence[datetime], zone: str) -> None:
    """Replace the facts of some quarters, and those of the merchant's days that they are part of."""
    stretches = _stretches(quarters_at)
    days = sorted({quarter.astimezone(ZoneInfo(zone)).date() for quarter in quarters_at})
    asked = {
        "book": book_id,
        "quarters": literal(quarters_at),
        "sinces": literal(since for since, _ in stretches),
        "untils": literal(until for _, until in stretches),
    }
    for cube in CUBES:
        cursor.execute(
            f"DELETE FROM {_table(cube.quarters)}"
            " WHERE book_id = %(book)s AND quarter_at = ANY (%(quarters)s::timestamptz[])",
            asked,
        )
        cursor.execute(_fill_quarters(cube), asked)
    cursor.execute(_TAKE_TURNS, [book_id])
    _make_days(cursor, book_id, days, zone)
    buyers.make(cursor, book_id, days, zone)
    cursor.execute(_LINES, asked)
    cursor.execute(_MOVED, {"book": book_id, "days": days})


def _make_days(cursor: Any, book_id: UUID, days: Sequence[date], zone: str) -> None:
    """Replace the sums of some of the merchant's days by those of their quarters."""
    asked = {
        "book": book_id,
        "days": list(days),
        "zone": zone,
        "midnights": literal(midnight(day, ZoneInfo(zone)) for day in days),
        "ends": literal(midnight(day + DAY, ZoneInfo(zone)) for day in days),
    }
    for table in _DAY_TABLES:
        cursor.execute(f"DELETE FROM {table} WHERE book_id = %(book)s AND day = ANY (%(days)s)", asked)
    for cube in CUBES:
        cursor.execute(_fill_days(cube), asked)
        if cube.hours:
            cursor.execute(_fill_hours(cube, cube.hours), asked)


def _stretches(quarters: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """Quarters in order as stretches: those that touch are one, and are read in one go."""
    found: list[tuple[datetime, datetime]] = []
    for quarter in quarters:
        if found and found[-1][1] == quarter:
            found[-1] = (found[-1][0], quarter + QUARTER)
        else:
            found.append((quarter, quarter + QUARTER))
    return found


def _turn_days(cursor: Any, book_id: UUID, zone: str) -> None:
    """The merchant moved to another zone: make all its days again of their quarters."""
    for table in _DAY_TABLES:
        cursor.execute(f"DELETE FROM {table} WHERE book_id = %s", [book_id])
    cursor.execute(_ALL_DAYS, {"book": book_id, "zone": zone})
    days = [day for (day,) in cursor.fetchall()]
    for first in range(0, len(days), _DAYS_A_STATEMENT):
        _make_days(cursor, book_id, days[first : first + _DAYS_A_STATEMENT], zone)
    buyers.turn(cursor, book_id, days, zone)


def _fill_quarters(cube: Cube) -> str:
    columns, sums = ", ".join(cube.dimensions), ", ".join(f"sum({each})" for each in cube.measures)
    return (
        f"{GAP}, rows (number, at, {columns}, {', '.join(cube.measures)}) AS ({cube.rows})"
        f" INSERT INTO {_table(cube.quarters)} (book_id, quarter_at, {columns}, {', '.join(cube.measures)})"
        f" SELECT %(book)s, date_bin('15 minutes', at, 'epoch') AS quarter_at, {columns}, {sums}"
        f" FROM rows GROUP BY quarter_at, {columns}"
    )


def _fill_days(cube: Cube) -> str:
    columns, sums = ", ".join(cube.dimensions), ", ".join(f"sum({each})" for each in cube.measures)
    return (
        f"INSERT INTO {_table(cube.days)} (book_id, day, {columns}, {', '.join(cube.measures)})"
        f" SELECT %(book)s, day, {columns}, {sums}"
        f" {_OF_DAYS.format(table=_table(cube.quarters))} GROUP BY day, {columns}"
    )


def _fill_hours(cube: Cube, hours: Hours) -> str:
    """The hours of the merchant's days, in which a day's clock may show one hour twice and another not at all.

    No join fills the hours without a row: of a young table the planner would compare each with each.
    """
    columns = ", ".join(hours.dimensions)
    arrays = ", ".join(f"{each}s" for each in hours.measures)
    sums = ", ".join(f"sum({each})::int AS {each}" for each in hours.measures)
    counts = (
        ", ".join(f"coalesce(sum({each}) FILTER (WHERE hour = {hour}), 0)::int" for hour in range(24))
        for each in hours.measures
    )
    return (
        f"INSERT INTO {_table(hours.days)} (book_id, day, {columns}, {arrays})"
        f" SELECT %(book)s, day, {columns}, {', '.join(f'ARRAY[{each}]' for each in counts)}"
        f" FROM (SELECT day, {columns}, extract(hour FROM quarter_at AT TIME ZONE %(zone)s)::int AS hour, {sums}"
        f" {_OF_DAYS.format(table=_table(cube.quarters))} GROUP BY day, {columns}, hour) AS counted"
        f" GROUP BY day, {columns} HAVING {' OR '.join(f'sum({each}) <> 0' for each in hours.measures)}"
    )


def _table(model: type[Model]) -> str:
    return model._meta.db_table


# All that is kept of the merchant's days.
_DAY_TABLES = [_table(model) for cube in CUBES for model in (cube.days, cube.hours and cube.hours.days) if model]


def _bounds(snapshot: str) -> dict[str, Any]:
    """A pg_snapshot's `xmin:xmax:xip,…`: the first id it could not see, and those under way in it."""
    _, xmax, under_way = snapshot.split(":")
    return {"xmax": xmax, "under_way": under_way.split(",") if under_way else []}
