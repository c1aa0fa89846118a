"""Ask the facts: sums of stretches of time, exact at the moment of asking.

One statement reads the facts that stand, and the rows themselves where they do not: the
hours that are noted as dirty, those that events of transactions beyond the position
changed (the tail), the quarter in which a stretch ends, and everything of a book that
nobody has begun to follow. Both are of one snapshot, so that nothing is counted twice
and nothing is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connections

from analytics.facts.cubes import Cube
from analytics.facts.operations import ID_AT
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
_ASK = f"""
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
    SELECT hour_at FROM analytics_dirtyhour
    WHERE book_id = %(book)s AND hour_at > %(first)s::timestamptz - interval '1 hour' AND hour_at < %(last)s
    UNION
    SELECT hour_at FROM known k CROSS JOIN LATERAL facts_changed_hours_v1(%(book)s, k.seen) AS hour_at
    WHERE k.is_followed
), clean AS MATERIALIZED (
    SELECT s.number, s.since, s.until, s.day, s.last_quarter,
        k.has_days AND s.day IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM dirty d WHERE d.hour_at < s.until AND d.hour_at > s.since - interval '1 hour'
        ) AS is_day
    FROM stretch s CROSS JOIN known k WHERE k.is_followed
), part AS (
    SELECT number, since, until FROM stretch WHERE NOT (SELECT is_followed FROM known)
    UNION ALL
    SELECT c.number, greatest(c.since, d.hour_at), least(c.until, d.hour_at + interval '1 hour')
    FROM clean c JOIN dirty d ON d.hour_at < c.until AND d.hour_at > c.since - interval '1 hour'
    UNION ALL
    SELECT c.number, c.last_quarter, c.until FROM clean c
    WHERE c.last_quarter < c.until
        AND NOT EXISTS (SELECT 1 FROM dirty d WHERE d.hour_at = date_bin('1 hour', c.last_quarter, 'epoch'))
), gap AS MATERIALIZED (
    SELECT number, {ID_AT.format(at="since")} AS first_id, {ID_AT.format(at="until")} AS last_id FROM part
)
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
    SELECT ((hour_at + number * interval '15 minutes') AT TIME ZONE %(zone)s)::date
    FROM (
        SELECT hour_at FROM analytics_dirtyhour WHERE book_id = %(book)s
        UNION
        SELECT facts_changed_hours_v1(%(book)s, k.seen)
    ) AS dirty, generate_series(0, 3) AS number
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
    distinct: str = "",
    wholes: Sequence[int] = (),
) -> list[dict[str, Any]]:
    """The measures of a cube in the open book, by stretch and by dimensions. One statement.

    `where` names what a dimension has to be. `is_hourly` keeps them apart by the weekday
    (1 is Monday) and the hour of the zone as well; days are then no use. `distinct` asks
    how many different values of a dimension there are, in the place of the measures; as
    such counts cannot be added, `wholes` says which whole each stretch is part of, and
    rows of those come along, without a `number`.
    """
    dimensions, measures = ", ".join(cube.dimensions), ", ".join(cube.measures)
    keys = ["number", *by]
    selected = ", ".join(keys)
    if is_hourly:
        selected += (
            ", extract(isodow FROM at AT TIME ZONE %(zone)s)::int AS weekday"
            ", extract(hour FROM at AT TIME ZONE %(zone)s)::int AS hour"
        )
        keys += ["weekday", "hour"]
    assert set(by) | set(where or {}) <= set(cube.dimensions)
    assert not distinct or len(wholes) == len(stretches)
    narrowed = " AND ".join(f"{name} = %({name})s" for name in where or {}) or "true"
    sums = ", ".join(f"sum({each})::bigint AS {each}" for each in cube.measures)
    days, quarters = cube.days._meta.db_table, cube.quarters._meta.db_table
    whole_days = (
        ""
        if is_hourly
        else (
            f" UNION ALL SELECT c.number, NULL, {dimensions}, {measures} FROM clean c"
            f" JOIN {days} f ON f.book_id = %(book)s AND f.day = c.day WHERE c.is_day"
        )
    )
    statement = (
        f"{_ASK}, cells (number, at, {dimensions}, {measures}) AS ({cube.rows}"
        f" UNION ALL SELECT c.number, f.quarter_at, {dimensions}, {measures} FROM clean c"
        f" JOIN {quarters} f ON f.book_id = %(book)s AND f.quarter_at >= c.since AND f.quarter_at < c.last_quarter"
        f" WHERE {'true' if is_hourly else 'NOT c.is_day'}"
        f" AND date_bin('1 hour', f.quarter_at, 'epoch') NOT IN (SELECT hour_at FROM dirty)"
        f"{whole_days})"
    )
    if distinct:
        statement += _count_distinct(distinct, by, narrowed)
    else:
        statement += (
            f" SELECT {selected}, {sums} FROM cells WHERE {narrowed}"
            f" GROUP BY {', '.join(keys)} ORDER BY {', '.join(keys)}"
        )
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
                "wholes": literal(wholes),
                **(where or {}),
            },
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _count_distinct(dimension: str, by: Sequence[str], narrowed: str) -> str:
    """Different values by stretch, and by the whole that stretches are part of. Every row is read once, and hashed."""
    keys = "".join(f", {each}" for each in by)
    return (
        f", seen AS MATERIALIZED (SELECT DISTINCT number{keys}, {dimension} FROM cells WHERE {narrowed})"
        f" SELECT number, NULL::int AS whole{keys}, count(*) AS count FROM seen GROUP BY number{keys}"
        f" UNION ALL SELECT NULL, whole{keys}, count(*) FROM ("
        f"SELECT DISTINCT w.whole{keys}, {dimension} FROM seen"
        f" JOIN unnest(%(numbers)s::int[], %(wholes)s::int[]) AS w (number, whole) USING (number)"
        f") AS part GROUP BY whole{keys}"
    )
