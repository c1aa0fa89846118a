"""When people come and what they take: pure draws from a given source of chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate
from random import Random

MORNING, NOON, AFTERNOON, EVENING = "morning", "noon", "afternoon", "evening"
HABITS = (MORNING, NOON, AFTERNOON, EVENING, "any")
LINES_MAX = 4
# How much likelier a person comes at the part of the day it is used to.
_HABIT_FACTOR = 4.0
_RAINY_SHARE, _RAINY_FACTOR = 0.06, 0.72
_USUAL_SHARE = 0.55
_PAIR_SHARE = 0.5


def part_of_day(hour: int) -> str:
    return MORNING if hour < 11 else NOON if hour < 14 else AFTERNOON if hour < 18 else EVENING


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How busy a shop is by hour, by weekday (Monday first) and over time."""

    weekday_hours: Mapping[int, float]
    weekend_hours: Mapping[int, float]
    days: Sequence[float]
    # How much busier the last day is than the first.
    growth: float

    def busyness(self, dates: Sequence[date], *, rng: Random) -> list[float]:
        """A weight a day: its weekday, the trend, the weather."""
        last = max(len(dates) - 1, 1)
        return [
            self.days[day.weekday()]
            * (1 + self.growth * position / last)
            * rng.uniform(0.92, 1.08)
            * (_RAINY_FACTOR if rng.random() < _RAINY_SHARE else 1)
            for position, day in enumerate(dates)
        ]

    def hour(self, day: date, habit: str, *, rng: Random) -> int:
        hours = self.weekend_hours if day.weekday() >= 5 else self.weekday_hours
        weights = [weight * (_HABIT_FACTOR if part_of_day(hour) == habit else 1) for hour, weight in hours.items()]
        return rng.choices(list(hours), weights)[0]


@dataclass(frozen=True, slots=True)
class Goods:
    """A product of the assortment. `appeal` is how often it is taken among its category."""

    name: str
    category: str
    price_minor: int
    cost_minor: int
    appeal: float = 1.0
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Taste:
    """What goes into a basket: a first thing by the part of the day, then what goes well with it."""

    # Part of the day to category to weight.
    first: Mapping[str, Mapping[str, float]]
    # First category to (second category, how likely in which parts of the day).
    companions: Mapping[str, Sequence[tuple[str, Mapping[str, float]]]]
    # Names that are often taken together.
    pairs: Mapping[str, str] = field(default_factory=dict)
    second_of_the_same: float = 0.10


class Counter:
    """The assortment as the counter sees it: by category, ready to be drawn from."""

    def __init__(self, goods: Sequence[Goods], taste: Taste) -> None:
        self.goods, self.taste = goods, taste
        self.shelves: dict[str, tuple[list[int], list[float]]] = {}
        for category in dict.fromkeys(item.category for item in goods):
            places = [place for place, item in enumerate(goods) if item.category == category]
            self.shelves[category] = (places, list(accumulate(goods[place].appeal for place in places)))
        place_of = {item.name: place for place, item in enumerate(goods)}
        self.pairs = {place_of[one]: place_of[other] for one, other in taste.pairs.items()}

    def favourites(self, *, rng: Random) -> dict[str, int]:
        """What one person usually takes, by category."""
        return {category: self._draw(category, rng) for category in self.shelves}

    def basket(self, hour: int, usual: Mapping[str, int], *, is_weekend: bool, rng: Random) -> dict[int, int]:
        """Places in the assortment to quantities, one to LINES_MAX of them."""
        part = part_of_day(hour)
        by_category = self.taste.first[part]
        category = rng.choices(list(by_category), list(by_category.values()))[0]
        first = self._choose(category, usual, rng)
        basket = {first: 1}
        company = 1.6 if is_weekend else 1.0
        for other, likelihood in self.taste.companions.get(category, ()):
            if len(basket) < LINES_MAX and rng.random() < likelihood.get(part, 0) * company:
                pair = self.pairs.get(first)
                is_pair = pair is not None and self.goods[pair].category == other and rng.random() < _PAIR_SHARE
                basket.setdefault(pair if is_pair and pair is not None else self._choose(other, usual, rng), 1)
        for place in basket:
            if rng.random() < self.taste.second_of_the_same * company:
                basket[place] += 1
        return basket

    def _choose(self, category: str, usual: Mapping[str, int], rng: Random) -> int:
        if rng.random() < _USUAL_SHARE and category in usual:
            return usual[category]
        return self._draw(category, rng)

    def _draw(self, category: str, rng: Random) -> int:
        places, cumulative = self.shelves[category]
        return rng.choices(places, cum_weights=cumulative)[0]
