"""Who buys at a shop: a few regulars, a long tail, some who stop coming, some who are new, and passers-by."""

from dataclasses import dataclass
from random import Random

from merchant_platform.demo.patterns import HABITS, Counter
from merchant_platform.demo.people import Person, invent

REVOKED, EXPIRED = "revoked", "expired"

# Share of the customers, and visits a day between these bounds.
_LOYALTY = ((0.14, (0.7, 1.3)), (0.30, (0.25, 0.5)), (0.56, (0.02, 0.14)))
_CHURNED_SHARE, _NEW_SHARE, _EARLY_SHARE = 0.16, 0.15, 0.5
_HOME_SHARES = (0.58, 0.42)
_PRUDENT_SHARE = 0.45
_LIMITED_SHARE, _LIMIT_MINOR = 0.03, 8_000
# Of those who stop coming, the share that also takes the mandate back or lets it end.
_ENDING_SHARE = 0.25


@dataclass(slots=True, eq=False)
class Buyer:
    """Somebody who comes to one shop. A passer-by has no name: the shop knows the wallet alone."""

    person: Person | None
    visits_a_day: float
    habit: str
    home: int
    usual: dict[str, int]
    first_day: int
    last_day: int
    top_up_minor: int
    # Tops up before the wallet runs short; the others find out at the till.
    is_prudent: bool
    limit_minor: int | None = None
    ending: str | None = None
    # A login of the demo world: paid for, linked, and never declined.
    is_known: bool = False


def cast(
    *, counter: Counter, places: int, days: int, customers: int, known: tuple[Person, ...], rng: Random
) -> list[Buyer]:
    """The customers of a shop over `days` days; the `known` are regulars from the first day to the last."""
    people = [*known, *invent(customers - len(known), rng=rng)]
    buyers = []
    for number, person in enumerate(people):
        is_known = number < len(known)
        buyer = _buyer(person, counter, places, days, rng)
        buyer.visits_a_day = rng.uniform(*_LOYALTY[0][1]) if is_known else _visits_a_day(rng)
        if is_known:
            buyer.is_known = buyer.is_prudent = True
        else:
            _come_and_go(buyer, days, rng)
        buyers.append(buyer)
    return buyers


def passers_by(*, counter: Counter, places: int, days: int, count: int, rng: Random) -> list[Buyer]:
    """People who pay without becoming customers."""
    return [_buyer(None, counter, places, days, rng) for _ in range(count)]


def _buyer(person: Person | None, counter: Counter, places: int, days: int, rng: Random) -> Buyer:
    return Buyer(
        person=person,
        visits_a_day=0,
        habit=rng.choice(HABITS),
        home=rng.choices(range(places), _HOME_SHARES[:places])[0],
        usual=counter.favourites(rng=rng) if person else {},
        first_day=0,
        last_day=days,
        top_up_minor=rng.choice((20_000, 30_000, 30_000, 50_000)),
        is_prudent=rng.random() < _PRUDENT_SHARE,
    )


def _visits_a_day(rng: Random) -> float:
    bounds = rng.choices([bounds for _, bounds in _LOYALTY], [share for share, _ in _LOYALTY])[0]
    return rng.uniform(*bounds)


def _come_and_go(buyer: Buyer, days: int, rng: Random) -> None:
    """Decide since when and until when somebody comes, and what becomes of the mandate."""
    kind = rng.random()
    if kind < _EARLY_SHARE:
        buyer.first_day = rng.randrange(max(days // 8, 1))
    elif kind < 1 - _NEW_SHARE:
        buyer.first_day = rng.randrange(max(days * 4 // 5, 1))
    else:
        buyer.first_day = min(days * 4 // 5 + rng.randrange(max(days // 5, 1)), days)
    if rng.random() < _CHURNED_SHARE and buyer.first_day < days // 2:
        buyer.last_day = rng.randint(buyer.first_day + 1, max(days * 3 // 4, buyer.first_day + 1))
        if rng.random() < _ENDING_SHARE:
            buyer.ending = rng.choice((REVOKED, EXPIRED))
    elif rng.random() < _LIMITED_SHARE:
        buyer.limit_minor = _LIMIT_MINOR
