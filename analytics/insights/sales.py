"""The sales report: a period's sales as a balance, and what they were made of.

Sums of the ledger's entries (analytics/facts), by the time at which it moved the money:
four statements, beside the period before up to the same hour.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from analytics.facts import queries as facts
from analytics.facts.cubes import ATTEMPTS, SALES
from analytics.facts.queries import Stretch
from analytics.insights.metrics import METRICS
from analytics.insights.periods import Period
from analytics.insights.queries import HOURS, WEEKDAYS, days_of, of_both

CURRENT = 0
# What a report can be narrowed to and kept apart by: the dimensions of the facts.
DIMENSIONS = ("store_id", "category", "method", "brand")


@dataclass(slots=True)
class Pair:
    """Sums of the period and of the one before."""

    current: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)

    def add(self, row: Mapping[str, Any], *, is_current: bool) -> None:
        """Add the measures of a row."""
        (self.current if is_current else self.before).update({name: row[name] for name in SALES.measures})

    def of(self, metric: str) -> tuple[int | None, int | None]:
        """A metric of both."""
        of = METRICS[metric].of
        return of(_known(self.current)), of(_known(self.before))


@dataclass(slots=True)
class Report:
    """What the sales page shows of one currency."""

    currency: str
    total: Pair
    by_day: Mapping[date, Pair]
    # By dimension and value; the most net sales first.
    by: Mapping[str, Sequence[tuple[str, Pair]]]
    hours: Sequence[Sequence[int]]
    # What became of tries, in both periods; and why those of this one were declined, the most frequent first.
    tries: Counter[str]
    tries_before: Counter[str]
    reasons: Sequence[tuple[str, int]]
    currencies: Sequence[str]
    # What may be chosen: everything that the two periods know of a dimension.
    choices: Mapping[str, Sequence[str]]


def report(period: Period, *, own_currency: str, currency: str = "", where: Mapping[str, str]) -> Report:
    """The report of the currency asked for where there is any of it, else of the merchant's own. Four statements.

    `where` narrows it: a dimension's value, by its name in DIMENSIONS.
    """
    zone, days = period.zone.key, list(of_both(period))
    every = facts.ask(SALES, days, zone=zone, by=["currency", *DIMENSIONS])
    currency = _chosen(every, own_currency, currency)
    rows = [row | {"store_id": str(row["store_id"])} for row in every if row["currency"] == currency]
    narrowed = {"currency": currency, **where}
    total = Pair()
    by: dict[str, dict[str, Pair]] = {name: defaultdict(Pair) for name in DIMENSIONS}
    for row in rows:
        if all(row[name] == value for name, value in where.items()):
            total.add(row, is_current=row["number"] == CURRENT)
            for name in DIMENSIONS:
                by[name][row[name]].add(row, is_current=row["number"] == CURRENT)
    tries, tries_before, reasons = _tries(days, zone, {name: v for name, v in narrowed.items() if name != "category"})
    return Report(
        currency=currency,
        total=total,
        by_day=_by_day(period, days, narrowed),
        by={name: sorted(found.items(), key=_most_first) for name, found in by.items()},
        hours=_hours(period, narrowed),
        tries=tries,
        tries_before=tries_before,
        reasons=reasons,
        currencies=sorted({row["currency"] for row in every} | {currency}),
        choices={name: sorted({row[name] for row in rows}) for name in DIMENSIONS},
    )


def _chosen(rows: Iterable[Mapping[str, Any]], own: str, asked: str) -> str:
    sales = Counter[str]()
    for row in rows:
        sales[row["currency"]] += row["charges_count"]
    if asked in sales:
        return asked
    return own if own in sales or not sales else max(sales, key=lambda code: (sales[code], code))


def _by_day(period: Period, days: Sequence[Stretch], where: Mapping[str, str]) -> Mapping[date, Pair]:
    """Each day, and beside it the day as many days before as the period has."""
    numbered = [Stretch(number, day.since, day.until, day.day) for number, day in enumerate(days)]
    found: dict[date, Pair] = {day: Pair() for day in period.dates}
    for row in facts.ask(SALES, numbered, zone=period.zone.key, where=where):
        place = row["number"] % period.days
        found[date.fromordinal(period.first.toordinal() + place)].add(row, is_current=row["number"] == place)
    return found


def _hours(period: Period, where: Mapping[str, str]) -> Sequence[Sequence[int]]:
    counts = [[0] * HOURS for _ in range(WEEKDAYS)]
    measure = "baskets_count" if "category" in where else "charges_count"
    days = list(days_of(period))
    for weekday, hour, count in facts.by_hour(SALES, measure, days, zone=period.zone.key, where=where):
        counts[weekday - 1][hour] = count
    return counts


def _tries(
    days: Sequence[Stretch], zone: str, where: Mapping[str, str]
) -> tuple[Counter[str], Counter[str], Sequence[tuple[str, int]]]:
    current, before, reasons = Counter[str](), Counter[str](), Counter[str]()
    for row in facts.ask(ATTEMPTS, days, zone=zone, by=["outcome", "reason"], where=where):
        (current if row["number"] == CURRENT else before)[row["outcome"]] += row["attempts_count"]
        if row["number"] == CURRENT and row["reason"]:
            reasons[row["reason"]] += row["attempts_count"]
    return current, before, sorted(reasons.items(), key=lambda each: (-each[1], each[0]))


def _most_first(each: tuple[str, Pair]) -> tuple[int, str]:
    return -(METRICS["net_sales"].of(_known(each[1].current)) or 0), each[0]


def _known(sums: Counter[str]) -> Mapping[str, int]:
    return {name: sums[name] for name in SALES.measures}
