"""The sums behind Home: what was paid in a period, and in the period before.

They are asked of the facts (analytics/facts), which are exact at every moment: three
statements, whose price does not grow with the number of payments. A payment belongs to
the day on which it was made, in the merchant's zone, and counts with what was received of
it. Amounts of two currencies are never added.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from analytics.facts import queries as facts
from analytics.facts.cubes import PAYMENTS
from analytics.facts.days import midnight
from analytics.facts.queries import Stretch
from analytics.insights.periods import Period

HOURS, WEEKDAYS = 24, 7
_CURRENT, _BEFORE = 0, 1


@dataclass(slots=True)
class Tally:
    """What some payments of one currency come to."""

    payments: int = 0
    succeeded: int = 0
    volume_minor: int = 0
    # Different customers who paid; a guest is none.
    customers: int = 0

    @property
    def success_ppm(self) -> int | None:
        """How many of a million payments succeeded."""
        return self.succeeded * 1_000_000 // self.payments if self.payments else None

    @property
    def average_minor(self) -> int | None:
        """The average of what succeeded, to the nearest minor unit."""
        return (self.volume_minor + self.succeeded // 2) // self.succeeded if self.succeeded else None

    def count(self, payments: int, succeeded: int, volume_minor: int) -> None:
        """Count some more payments."""
        self.payments += payments
        self.succeeded += succeeded
        self.volume_minor += volume_minor


@dataclass(frozen=True, slots=True)
class Share:
    """What was paid in one way. `brand` is the card's; a wallet has none."""

    method: str
    brand: str
    payments: int
    volume_minor: int


@dataclass(slots=True)
class Comparison:
    """A period's payments of one currency beside those of the period before, in all, by day and by method."""

    current: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)
    by_day: dict[date, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_method: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))

    def on(self, day: date) -> Tally:
        return self.by_day.get(day) or Tally()

    @property
    def shares(self) -> Sequence[Share]:
        """What succeeded in the period by how it was paid, the most first."""
        shares = [
            Share(method, brand, tally.succeeded, tally.volume_minor)
            for (method, brand), tally in self.by_method.items()
            if tally.succeeded
        ]
        return sorted(shares, key=lambda share: (-share.volume_minor, share.method, share.brand))


def compare(period: Period) -> Mapping[str, Comparison]:
    """A period and the one before, by currency. Two statements; of currencies that nobody paid in there is none."""
    found: dict[str, Comparison] = defaultdict(Comparison)
    zone = period.zone.key
    days = list(of_both(period))
    each_day, wholes = _numbered(days), [day.number for day in days]
    dates = [*period.dates, *period.before.dates]
    for row in facts.ask(PAYMENTS, each_day, zone=zone, by=["currency", "method", "brand"]):
        comparison, number = found[row["currency"]], row["number"]
        counted = row["made_count"], row["succeeded_count"], row["volume_minor"]
        (comparison.current if wholes[number] == _CURRENT else comparison.before).count(*counted)
        comparison.by_day[dates[number]].count(*counted)
        if wholes[number] == _CURRENT:
            comparison.by_method[row["method"], row["brand"]].count(*counted)
    # Who paid on two days is one customer of the period: days cannot be added here.
    for row in facts.count_buyers(each_day, wholes, zone=zone):
        comparison = found[row["currency"]]
        if row["number"] is None:
            (comparison.current if row["whole"] == _CURRENT else comparison.before).customers = row["count"]
        else:
            comparison.by_day[dates[row["number"]]].customers = row["count"]
    return dict(found)


def by_hour(period: Period, *, currency: str) -> list[list[int]]:
    """How many payments succeeded by weekday (Monday first) and hour of the merchant's zone. One statement."""
    counts = [[0] * HOURS for _ in range(WEEKDAYS)]
    days, where = _numbered(days_of(period)), {"currency": currency}
    for weekday, hour, paid in facts.by_hour(PAYMENTS, "succeeded_count", days, zone=period.zone.key, where=where):
        counts[weekday - 1][hour] = paid
    return counts


def count(period: Period) -> Tally:
    """How many payments were made in a period, in all currencies, and how many succeeded: no sums. One statement."""
    tally = Tally()
    for row in facts.ask(PAYMENTS, list(days_of(period)), zone=period.zone.key):
        tally.count(row["made_count"], row["succeeded_count"], 0)
    return tally


def days_of(period: Period, number: int = _CURRENT) -> Iterator[Stretch]:
    """The days of a period, all under one number."""
    for day in period.dates:
        yield Stretch(number, midnight(day, period.zone), midnight(_next(day), period.zone), day)


def of_both(period: Period) -> Iterator[Stretch]:
    """The days of a period, and those that it is compared with; the last of them up to the hour that it is now."""
    yield from days_of(period)
    until = period.compared_until
    for stretch in days_of(period.before, _BEFORE):
        is_whole = stretch.until <= until
        yield stretch if is_whole else Stretch(_BEFORE, stretch.since, max(until, stretch.since))


def _numbered(days: Iterable[Stretch]) -> list[Stretch]:
    """The same, each under a number of its own."""
    return [Stretch(number, day.since, day.until, day.day) for number, day in enumerate(days)]


def _next(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)
