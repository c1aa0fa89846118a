"""Taxes by rate: what was sold, given back and taxed, day by day, spread over lines as the sales cube spreads it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connections

from analytics.facts.cubes import SALES, SALES_BY_RATE
from analytics.insights.periods import Period
from analytics.insights.queries import days_of
from merchant_platform.kernel import ids, tenancy

_OF_A_DAY = f"""
WITH gap AS MATERIALIZED (SELECT 0 AS number, %(first)s::uuid AS first_id, %(last)s::uuid AS last_id),
cells (number, at, {", ".join(SALES.dimensions)}, {", ".join(SALES.measures)}, rate) AS ({SALES_BY_RATE})
SELECT rate, sum(collected_minor), sum(refunded_minor), sum(tax_minor) FROM cells
WHERE currency = %(currency)s GROUP BY rate
"""


@dataclass(frozen=True, slots=True)
class Taxed:
    """What was sold on a day at one rate, in tenths of a per cent. Of a refund in parts, the tax is a fraction."""

    day: date
    rate: int
    collected_minor: int
    refunded_minor: int
    tax: Decimal


def by_day(period: Period, *, currency: str) -> Iterator[list[Taxed]]:
    """Each day of a period, by rate. One statement a day, which reads that day's entries."""
    for stretch in days_of(period):
        assert stretch.day is not None, "the days of a period are whole"
        with connections["default"].cursor() as cursor:
            cursor.execute(
                _OF_A_DAY,
                {
                    "book": tenancy.book_id(),
                    "currency": currency,
                    "first": ids.first_at(stretch.since),
                    "last": ids.first_at(stretch.until),
                },
            )
            yield [
                Taxed(stretch.day, rate, int(collected), int(refunded), Decimal(tax))
                for rate, collected, refunded, tax in cursor.fetchall()
            ]
