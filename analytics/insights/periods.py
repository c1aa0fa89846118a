"""Periods of whole days in a merchant's zone, and the period before each, so that equal is compared with equal.

A day begins at the merchant's midnight: on the days that the clocks change it has 23 or
25 hours, and a period is the time between two midnights, never a number of hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.facts.days import midnight

# A leap year. The sums read every payment of the period.
DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class Period:
    """The days `first` to `last`, both included, in a zone, seen at `now`."""

    first: date
    last: date
    zone: ZoneInfo
    now: datetime

    @classmethod
    def of_days(cls, days: int, *, zone: ZoneInfo, now: datetime, ago: int = 0) -> "Period":
        """The last `days` days up to today, or to the day that was `ago` days before it."""
        last = now.astimezone(zone).date() - timedelta(days=ago)
        return cls(last - timedelta(days=days - 1), last, zone, now)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def dates(self) -> Iterator[date]:
        return (self.first + timedelta(days=number) for number in range(self.days))

    @property
    def starts_at(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The midnight after the last day, which is no part of the period."""
        return midnight(self.last + timedelta(days=1), self.zone)

    @property
    def is_over(self) -> bool:
        return self.ends_at <= self.now

    @property
    def before(self) -> "Period":
        """As many days before the first."""
        shift = timedelta(days=self.days)
        return Period(self.first - shift, self.last - shift, self.zone, self.now)

    @property
    def compared_until(self) -> datetime:
        """Where the comparison with the period before ends: a day that is not over is compared up to this hour."""
        if self.is_over:
            return self.before.ends_at
        local = self.now.astimezone(self.zone)
        return datetime.combine(local.date() - timedelta(days=self.days), local.time(), self.zone)
