"""Keep who paid on each day of the merchant's, and how many of them had paid shortly before.

How many customers a period had cannot be added up from its days: who paid on two is one.
It can from those who paid on a day and on no day of the period before it. So each buyer of
a day knows their previous day (BuyerDay), and each day counts its buyers by how long ago
that was (BuyerCount): the customers of a period are a sum of one number a day.

The days are read whole from the rows, and only who is not there yet is written, so that
one more sale of a busy day writes one row. A day that a sale was added to or taken from
changes the previous day of the same customer's next one, and that day's counts.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from analytics.facts.cubes import BUYERS, GAP
from analytics.facts.days import DAY, midnight
from analytics.facts.models import REACH_DAYS
from merchant_platform.kernel.arrays import literal

# Of a book that moves to another zone, in one statement.
_DAYS_AT_ONCE = 14
_FORGET = ("DELETE FROM analytics_buyerday WHERE book_id = %s", "DELETE FROM analytics_buyercount WHERE book_id = %s")
# What is returned are the changes that a later day may follow.
_KEEP = f"""
{GAP}, paid AS MATERIALIZED (
    SELECT day, currency, customer_id, lag(day) OVER (PARTITION BY customer_id, currency ORDER BY day) AS paid_before
    FROM (
        SELECT DISTINCT (at AT TIME ZONE %(zone)s)::date AS day, currency, customer_id
        FROM ({BUYERS}) AS rows (number, at, currency, customer_id)
    ) AS days
), stood AS MATERIALIZED (
    SELECT wanted.day, b.currency, b.customer_id FROM unnest(%(days)s::date[]) AS wanted (day)
    CROSS JOIN LATERAL (
        SELECT currency, customer_id FROM analytics_buyerday WHERE book_id = %(book)s AND day = wanted.day OFFSET 0
    ) AS b
), newest AS MATERIALIZED (
    SELECT day FROM analytics_buyerday WHERE book_id = %(book)s ORDER BY day DESC LIMIT 1
), differs AS MATERIALIZED (
    SELECT day, currency, customer_id, bool_or(is_paid) AS is_paid, max(paid_before) AS paid_before
    FROM (
        SELECT day, currency, customer_id, true AS is_paid, paid_before FROM paid
        UNION ALL
        SELECT day, currency, customer_id, false, NULL FROM stood
    ) AS every
    GROUP BY day, currency, customer_id HAVING count(*) = 1
), gone AS (
    DELETE FROM analytics_buyerday b USING differs d
    WHERE b.book_id = %(book)s AND b.day = d.day AND b.currency = d.currency AND b.customer_id = d.customer_id
        AND NOT d.is_paid
    RETURNING b.day, b.currency, b.customer_id
), come AS (
    INSERT INTO analytics_buyerday (book_id, day, currency, customer_id, previous_day)
    SELECT %(book)s, d.day, d.currency, d.customer_id, greatest(d.paid_before, earlier.day)
    FROM differs d
    LEFT JOIN LATERAL (
        SELECT b.day FROM analytics_buyerday b
        WHERE b.book_id = %(book)s AND b.customer_id = d.customer_id AND b.currency = d.currency AND b.day < d.day
            AND b.day <> ALL (%(days)s::date[])
        ORDER BY b.day DESC LIMIT 1
    ) AS earlier ON true
    WHERE d.is_paid
    RETURNING day, currency, customer_id
)
SELECT c.day, c.currency, c.customer_id
FROM (SELECT * FROM gone UNION ALL SELECT * FROM come) AS c JOIN newest n ON c.day < n.day
"""
_FOLLOW_ON = """
WITH next AS (
    SELECT DISTINCT changed.currency, changed.customer_id, after.day
    FROM unnest(%(changed)s::date[], %(currencies)s::text[], %(customers)s::uuid[])
        AS changed (day, currency, customer_id)
    CROSS JOIN LATERAL (
        SELECT b.day FROM analytics_buyerday b
        WHERE b.book_id = %(book)s AND b.customer_id = changed.customer_id AND b.currency = changed.currency
            AND b.day > changed.day
        ORDER BY b.day LIMIT 1
    ) AS after
)
UPDATE analytics_buyerday b SET previous_day = (
    SELECT e.day FROM analytics_buyerday e
    WHERE e.book_id = %(book)s AND e.customer_id = b.customer_id AND e.currency = b.currency AND e.day < b.day
    ORDER BY e.day DESC LIMIT 1
)
FROM next n
WHERE b.book_id = %(book)s AND b.day = n.day AND b.currency = n.currency AND b.customer_id = n.customer_id
RETURNING b.day
"""
_UNCOUNT = "DELETE FROM analytics_buyercount WHERE book_id = %(book)s AND day = ANY (%(days)s::date[])"
_COUNT = f"""
WITH pause AS MATERIALIZED (
    SELECT wanted.day, b.currency, wanted.day - b.previous_day AS days, count(*) AS count
    FROM unnest(%(days)s::date[]) AS wanted (day)
    CROSS JOIN LATERAL (
        SELECT currency, previous_day FROM analytics_buyerday WHERE book_id = %(book)s AND day = wanted.day OFFSET 0
    ) AS b
    GROUP BY wanted.day, b.currency, days
), counted AS (
    SELECT day, currency, sum(count) AS count, max(days) FILTER (WHERE days <= {REACH_DAYS}) AS longest
    FROM pause GROUP BY day, currency
), upto AS (
    SELECT c.day, c.currency, number,
        (sum(coalesce(p.count, 0)) OVER (PARTITION BY c.day, c.currency ORDER BY number))::int AS count
    FROM counted c CROSS JOIN LATERAL generate_series(1, c.longest) AS number
    LEFT JOIN pause p ON p.day = c.day AND p.currency = c.currency AND p.days = number
), returned AS (
    SELECT day, currency, array_agg(count ORDER BY number) AS counts FROM upto GROUP BY day, currency
)
INSERT INTO analytics_buyercount (book_id, day, currency, buyers_count, returned_counts)
SELECT %(book)s, c.day, c.currency, c.count, coalesce(r.counts, '{{}}')
FROM counted c LEFT JOIN returned r USING (day, currency)
"""


def forget(cursor: Any, book_id: UUID) -> None:
    """Take away all that is kept of a book. Its quarters have to be noted as dirty in the same transaction."""
    for statement in _FORGET:
        cursor.execute(statement, [book_id])


def make(cursor: Any, book_id: UUID, days: Sequence[date], zone: str) -> None:
    """Make some days again, which are in order, and what of later days follows from them."""
    wanted = list(days)
    stretches = _stretches(wanted, ZoneInfo(zone))
    asked: dict[str, Any] = {
        "book": book_id,
        "zone": zone,
        "days": wanted,
        "sinces": literal(since for since, _ in stretches),
        "untils": literal(until for _, until in stretches),
    }
    cursor.execute(_KEEP, asked)
    changed = cursor.fetchall()
    if changed:
        names = ("changed", "currencies", "customers")
        cursor.execute(
            _FOLLOW_ON, asked | dict(zip(names, (list(each) for each in zip(*changed, strict=True)), strict=True))
        )
        asked["days"] = sorted({*wanted, *(day for (day,) in cursor.fetchall())})
    cursor.execute(_UNCOUNT, asked)
    cursor.execute(_COUNT, asked)


def turn(cursor: Any, book_id: UUID, days: Sequence[date], zone: str) -> None:
    """The merchant moved to another zone: make its days, all of them, again of the rows."""
    forget(cursor, book_id)
    for first in range(0, len(days), _DAYS_AT_ONCE):
        make(cursor, book_id, days[first : first + _DAYS_AT_ONCE], zone)


def _stretches(days: Sequence[date], zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Days in order as stretches of time: those that touch are one."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and found[-1][1] == day:
            found[-1] = (found[-1][0], day + DAY)
        else:
            found.append((day, day + DAY))
    return [(midnight(first, zone), midnight(after, zone)) for first, after in found]
