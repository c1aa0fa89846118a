"""The diary: who comes when, over the days of the history, in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from merchant_platform.demo.buyers import Buyer
from merchant_platform.demo.patterns import Rhythm

SALE, GIVEN_UP, OPEN = "sale", "given_up", "open"

_PASSER_BY_SHARE = 0.3
_GIVEN_UP_SHARE = 0.004
_OPEN_EVERY = 2_000
# From coming in to having paid.
_AT_THE_COUNTER = timedelta(minutes=2)
_AT_HOME_SHARE = 0.88


@dataclass(slots=True, eq=False)
class Visit:
    """Somebody at the counter. `outcome`: bought, given up before paying, or still to be paid."""

    at: datetime
    local: datetime
    buyer: Buyer
    place: int
    outcome: str = SALE

    @property
    def is_weekend(self) -> bool:
        return self.local.weekday() >= 5


def days_between(start: datetime, now: datetime, zone: ZoneInfo) -> list[date]:
    """The local dates from start to now, both included."""
    first, last = start.astimezone(zone).date(), now.astimezone(zone).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def diary(
    *,
    rhythm: Rhythm,
    customers: Sequence[Buyer],
    passers_by: Sequence[Buyer],
    places: int,
    count: int,
    start: datetime,
    now: datetime,
    zone: ZoneInfo,
    rng: Random,
) -> list[Visit]:
    """About `count` visits between start and now, by the shop's rhythm and each person's own."""
    dates = days_between(start, now, zone)
    busyness = rhythm.busyness(dates, rng=rng)
    # The first and the last date are there in part only; together they make one day.
    a_day = count / sum(busyness) * len(dates) / max(len(dates) - 1, 1)
    visits = []
    for number, day in enumerate(dates):
        there = [buyer for buyer in customers if buyer.first_day <= number <= buyer.last_day]
        cumulative = list(accumulate(buyer.visits_a_day for buyer in there))
        for _ in range(round(a_day * busyness[number])):
            if not there or rng.random() < _PASSER_BY_SHARE:
                buyer = rng.choice(passers_by)
            else:
                buyer = rng.choices(there, cum_weights=cumulative)[0]
            local = _moment(day, rhythm.hour(day, buyer.habit, rng=rng), zone, rng)
            at = local.astimezone(UTC)
            place = buyer.home if rng.random() < _AT_HOME_SHARE else rng.randrange(places)
            if start < at < now - _AT_THE_COUNTER:
                visits.append(Visit(at, local, buyer, place))
    visits.sort(key=lambda visit: visit.at)
    _leave_some_unpaid(visits, now=now, rng=rng)
    return visits


def _moment(day: date, hour: int, zone: ZoneInfo, rng: Random) -> datetime:
    moment = time(hour, rng.randrange(60), rng.randrange(60), rng.randrange(1000) * 1000)
    return datetime.combine(day, moment, zone)


def _leave_some_unpaid(visits: Sequence[Visit], *, now: datetime, rng: Random) -> None:
    for visit in visits:
        if rng.random() < _GIVEN_UP_SHARE and not visit.buyer.ending:
            visit.outcome = GIVEN_UP
    recent = [visit for visit in visits if now - visit.at < timedelta(days=1)] or visits[-1:]
    for visit in rng.sample(recent, min(len(recent), len(visits) // _OPEN_EVERY + 1)):
        visit.outcome = OPEN
