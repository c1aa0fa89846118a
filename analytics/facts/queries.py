"""Ask the facts: sums of stretches of time, exact at the moment of asking.

One statement reads the facts that stand, and the rows themselves where they do not: the
quarters that are noted as dirty, those that events of transactions beyond the position
changed (the tail), the quarter in which a stretch ends, and everything of a book that
nobody has begun to follow. Both are of one snapshot, so that nothing is counted twice
and nothing is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connections

from analytics.facts.cubes import BUYERS, ID_AT, Cube
from analytics.facts.models import REACH_DAYS
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.arrays import literal


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time that begins at a midnight of the zone. `day` where it is that whole day and nothing else."""

    number: int
    since: datetime
    until: datetime
    day: date | None = None


# `known` is one row: what of the facts may be believed. Bounds are plain columns, since under row-level security an
# expression in their place would reach no index.
_KNOWN = """
WITH known AS MATERIALIZED (
    SELECT coalesce(p.system_identifier = c.system_identifier AND b.book_id IS NOT NULL, false) AS is_followed,
        b.zone = %(zone)s AS has_days, p.snapshot::pg_snapshot AS seen
    FROM pg_control_system() c
    LEFT JOIN analytics_position p ON p.id = 1
    LEFT JOIN analytics_projection b ON b.book_id = %(book)s
), stretch AS MATERIALIZED (
    SELECT number, since, until, day, date_bin('15 minutes', until, 'epoch') AS last_quarter
    FROM unnest(%(numbers)s::int[], %(sinces)s::timestamptz[], %(untils)s::timestamptz[], %(days)s::date[])
        AS s (number, since, until, day)
    WHERE since < until
), dirty AS MATERIALIZED (
    SELECT quarter_at FROM analytics_dirtyquarter
    WHERE book_id = %(book)s AND quarter_at > %(first)s::timestamptz - interval '15 minutes' AND quarter_at < %(last)s
    UNION
    SELECT quarter_at FROM known k CROSS JOIN LATERAL facts_changed_quarters_v1(%(book)s, k.seen) AS quarter_at
    WHERE k.is_followed
), clean AS MATERIALIZED (
    SELECT s.number, s.since, s.until, s.day, s.last_quarter,
        k.has_days AND s.day IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM dirty d WHERE d.quarter_at < s.until AND d.quarter_at > s.since - interval '15 minutes'
        ) AS is_day
    FROM stretch s CROSS JOIN known k WHERE k.is_followed
)
"""
_IDS = f"{ID_AT.format(at='since')} AS first_id, {ID_AT.format(at='until')} AS last_id"
_ASK = f"""
{_KNOWN}, part AS (
    SELECT number, since, until FROM stretch WHERE NOT (SELECT is_followed FROM known)
    UNION ALL
    SELECT c.number, greatest(c.since, d.quarter_at), least(c.until, d.quarter_at + interval '15 minutes')
    FROM clean c JOIN dirty d ON d.quarter_at < c.until AND d.quarter_at > c.since - interval '15 minutes'
    UNION ALL
    SELECT c.number, c.last_quarter, c.until FROM clean c
    WHERE c.last_quarter < c.until
        AND NOT EXISTS (SELECT 1 FROM dirty d WHERE d.quarter_at = c.last_quarter)
), gap AS MATERIALIZED (
    SELECT number, {_IDS} FROM part
)
"""
# Customers of some days: what is kept of them (`stood`) says too little and too much of days that changed since, and of
# one that is asked for in part. So those days are read from the rows, and who is in one and not in the other is looked
# for on the other days of the same whole. `zone_day` names a day of the merchant's also where it is asked for in part.
_BUYERS = f"""
{_KNOWN}, piece AS MATERIALIZED (
    SELECT number, (%(wholes)s::int[])[number + 1] AS whole, (since AT TIME ZONE %(zone)s)::date AS zone_day,
        since, until, is_day
    FROM (
        SELECT number, since, until, is_day FROM clean
        UNION ALL
        SELECT number, since, until, false FROM stretch WHERE NOT (SELECT is_followed FROM known)
    ) AS known_of
), gap AS MATERIALIZED (
    SELECT number, {_IDS} FROM piece WHERE NOT is_day
), real AS MATERIALIZED (
    SELECT DISTINCT number, currency, customer_id FROM ({BUYERS}) AS rows (number, at, currency, customer_id)
)
"""
_COUNT_BUYERS = f"""
{_BUYERS}, whole AS MATERIALIZED (
    SELECT whole, min(zone_day) AS first_day, max(zone_day) AS last_day,
        array(SELECT zone_day FROM piece o WHERE o.whole = p.whole AND NOT is_day) AS other_days
    FROM piece p GROUP BY whole
), told AS MATERIALIZED (
    SELECT p.number, p.whole, p.is_day, f.currency, f.buyers_count, CASE WHEN p.zone_day = w.first_day THEN 0 ELSE
        coalesce(f.returned_counts[least(p.zone_day - w.first_day, cardinality(f.returned_counts))], 0)
        END AS returned_count
    FROM known k JOIN piece p ON k.is_followed AND k.has_days JOIN whole w USING (whole)
    CROSS JOIN LATERAL (
        SELECT currency, buyers_count, returned_counts FROM analytics_buyercount
        WHERE book_id = %(book)s AND day = p.zone_day OFFSET 0
    ) AS f
), stood AS MATERIALIZED (
    SELECT DISTINCT p.whole, b.currency, b.customer_id
    FROM known k JOIN piece p ON k.is_followed AND k.has_days AND NOT p.is_day
    CROSS JOIN LATERAL (
        SELECT currency, customer_id FROM analytics_buyerday
        WHERE book_id = %(book)s AND day = p.zone_day OFFSET 0
    ) AS b
), moved AS MATERIALIZED (
    SELECT whole, currency, customer_id, CASE WHEN s.is_there IS NULL THEN 1 ELSE -1 END AS more
    FROM (
        SELECT DISTINCT (%(wholes)s::int[])[number + 1] AS whole, currency, customer_id, true AS is_there FROM real
    ) AS r
    FULL JOIN (SELECT *, true AS is_there FROM stood) AS s USING (whole, currency, customer_id)
    WHERE r.is_there IS NULL OR s.is_there IS NULL
), corrected AS (
    SELECT m.whole, m.currency, m.more FROM moved m JOIN whole w USING (whole)
    LEFT JOIN LATERAL (
        SELECT true AS is_there FROM known k JOIN analytics_buyerday b ON k.is_followed AND k.has_days
        WHERE b.book_id = %(book)s AND b.customer_id = m.customer_id AND b.currency = m.currency
            AND b.day >= w.first_day AND b.day <= w.last_day AND b.day <> ALL (w.other_days) LIMIT 1
    ) AS elsewhere ON true
    WHERE elsewhere.is_there IS NULL
)
SELECT number, NULL::int AS whole, currency, buyers_count AS count FROM told WHERE is_day
UNION ALL SELECT number, NULL, currency, count(*) FROM real GROUP BY number, currency
UNION ALL SELECT NULL, whole, currency, sum(count)::bigint FROM (
    SELECT whole, currency, buyers_count - returned_count AS count FROM told
    UNION ALL SELECT whole, currency, more FROM corrected
) AS parts GROUP BY whole, currency HAVING sum(count) > 0
"""
_WHO = f"""
{_BUYERS}
SELECT b.customer_id
FROM piece p
CROSS JOIN LATERAL (SELECT customer_id FROM analytics_buyerday WHERE book_id = %(book)s AND day = p.zone_day OFFSET 0) b
WHERE p.is_day
UNION SELECT customer_id FROM real
"""


# Days of which the copies in the datasets may not be believed.
_MOVED_DAYS = """
WITH known AS MATERIALIZED (
    SELECT p.snapshot::pg_snapshot AS seen
    FROM pg_control_system() c
    JOIN analytics_position p ON p.id = 1 AND p.system_identifier = c.system_identifier
    JOIN analytics_projection b ON b.book_id = %(book)s AND b.zone = %(zone)s
)
SELECT array(
    SELECT day FROM analytics_movedday WHERE book_id = %(book)s
    UNION
    SELECT (quarter_at AT TIME ZONE %(zone)s)::date
    FROM (
        SELECT quarter_at FROM analytics_dirtyquarter WHERE book_id = %(book)s
        UNION
        SELECT facts_changed_quarters_v1(%(book)s, k.seen)
    ) AS dirty
)
FROM known k
"""


def moved_days(*, zone: str) -> set[date] | None:
    """The days of the open book, in its zone, that changed since they were last copied. One statement.

    None where nobody follows the book yet, or not in this zone: then all of them did.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute(_MOVED_DAYS, {"book": tenancy.book_id(), "zone": zone})
        found = cursor.fetchone()
        return found and set(found[0])


def ask(
    cube: Cube,
    stretches: Sequence[Stretch],
    *,
    zone: str,
    by: Sequence[str] = (),
    where: Mapping[str, Any] | None = None,
    is_hourly: bool = False,
) -> list[dict[str, Any]]:
    """The measures of a cube in the open book, by stretch and by dimensions. One statement.

    `where` names what a dimension has to be. `is_hourly` keeps them apart by the weekday
    (1 is Monday) and the hour of the zone as well; days are then no use.
    """
    dimensions, measures = ", ".join(cube.dimensions), ", ".join(cube.measures)
    assert set(by) | set(where or {}) <= set(cube.dimensions)
    narrowed = " AND ".join(f"{name} = %({name})s" for name in where or {}) or "true"
    sums = ", ".join(f"sum({each})::bigint AS {each}" for each in cube.measures)
    keys = ", ".join(["number", *by])
    if is_hourly:
        # Added up by moment first: what a clock of the zone shows takes longer to say than to add.
        statement = (
            f"{_cells(cube, 'true')}), moments AS ("
            f"SELECT at, {keys}, {sums} FROM cells WHERE {narrowed} GROUP BY at, {keys}"
            f") SELECT {keys}, extract(isodow FROM at AT TIME ZONE %(zone)s)::int AS weekday,"
            f" extract(hour FROM at AT TIME ZONE %(zone)s)::int AS hour, {sums}"
            f" FROM moments GROUP BY {keys}, weekday, hour ORDER BY {keys}, weekday, hour"
        )
    else:
        statement = (
            f"{_cells(cube, 'NOT c.is_day')} UNION ALL SELECT c.number, NULL, {dimensions}, {measures} FROM clean c"
            f" JOIN {cube.days._meta.db_table} f ON f.book_id = %(book)s AND f.day = c.day WHERE c.is_day)"
            f" SELECT {keys}, {sums} FROM cells WHERE {narrowed} GROUP BY {keys} ORDER BY {keys}"
        )
    return _rows(statement, stretches, zone, where or {})


def by_hour(
    cube: Cube, measure: str, stretches: Sequence[Stretch], *, zone: str, where: Mapping[str, str]
) -> list[tuple[int, int, int]]:
    """A count of some days that the cube keeps by the hour, as (weekday from 1 on, hour, count). One statement.

    Reads rows of days, and quarters and rows of days that changed just now or are no days
    of the merchant's.
    """
    hours = cube.hours
    assert hours is not None
    assert measure in hours.measures
    assert set(where) <= set(hours.dimensions)
    narrowed = " AND ".join(f"{name} = %({name})s" for name in where) or "true"
    statement = f"""
    {_cells(cube, "NOT c.is_day")}), counted AS (
        SELECT extract(isodow FROM at AT TIME ZONE %(zone)s)::int AS weekday,
            extract(hour FROM at AT TIME ZONE %(zone)s)::int AS hour, {measure} AS count
        FROM cells WHERE {narrowed} AND {measure} <> 0
        UNION ALL
        SELECT extract(isodow FROM c.day)::int, (h.place - 1)::int, h.count
        FROM clean c
        CROSS JOIN LATERAL (
            SELECT {measure}s AS counts FROM {hours.days._meta.db_table}
            WHERE book_id = %(book)s AND day = c.day AND {narrowed} OFFSET 0
        ) AS f
        CROSS JOIN LATERAL unnest(f.counts) WITH ORDINALITY AS h (count, place)
        WHERE c.is_day AND h.count <> 0
    )
    SELECT weekday, hour, sum(count)::bigint AS count FROM counted GROUP BY weekday, hour ORDER BY weekday, hour
    """
    return [(row["weekday"], row["hour"], row["count"]) for row in _rows(statement, stretches, zone, where)]


def count_buyers(stretches: Sequence[Stretch], wholes: Sequence[int], *, zone: str) -> list[dict[str, Any]]:
    """How many customers paid in the open book, by currency: on each day, and in each whole. One statement.

    Each stretch is a day or the beginning of one, numbered from 0 on; `wholes` says which
    whole it is part of. A whole has every day from its first to its last. Rows of a
    whole have no `number`, rows of a day no `whole`. Reads one row a day, and the rows of
    days that changed just now or are asked for in part.
    """
    assert max((wholes.count(each) for each in set(wholes)), default=0) <= REACH_DAYS
    return _rows(_COUNT_BUYERS, stretches, zone, {"wholes": literal(wholes)})


def buyers(stretches: Sequence[Stretch], *, zone: str) -> list[UUID]:
    """The customers who paid in some days, each once. One statement."""
    numbered = [Stretch(number, each.since, each.until, each.day) for number, each in enumerate(stretches)]
    rows = _rows(_WHO, numbered, zone, {"wholes": literal([0] * len(numbered))})
    return [row["customer_id"] for row in rows]


def _cells(cube: Cube, condition: str) -> str:
    """The beginning of a statement: what the rows say, and the quarters that meet a condition."""
    dimensions, measures = ", ".join(cube.dimensions), ", ".join(cube.measures)
    return (
        f"{_ASK}, cells (number, at, {dimensions}, {measures}) AS ({cube.rows}"
        f" UNION ALL SELECT c.number, f.quarter_at, {dimensions}, {measures} FROM clean c"
        f" JOIN {cube.quarters._meta.db_table} f"
        f" ON f.book_id = %(book)s AND f.quarter_at >= c.since AND f.quarter_at < c.last_quarter"
        f" WHERE {condition} AND f.quarter_at NOT IN (SELECT quarter_at FROM dirty)"
    )


def _rows(statement: str, stretches: Sequence[Stretch], zone: str, more: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            statement,
            {
                "book": tenancy.book_id(),
                "zone": zone,
                "numbers": literal(each.number for each in stretches),
                "sinces": literal(each.since for each in stretches),
                "untils": literal(each.until for each in stretches),
                "days": [each.day for each in stretches],
                "first": min(each.since for each in stretches),
                "last": max(each.until for each in stretches),
                **more,
            },
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
