"""What each kind of offer would take off, before anything limits it. Pure (docs/algorithms/offers.md).

An effect looks at what the offers before it left of each line, and wishes: at most so
much of these lines, so much in all. The engine grants.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from members.offers import frames
from members.offers.frames import Line, NearMiss, Offer
from merchant_platform.kernel.decisions.rules import Reason
from merchant_platform.kernel.money import rate_of, share_of


@dataclass(slots=True)
class State:
    """A cart under way: its lines in one order whatever the asker's, and what is left of each."""

    lines: Sequence[Line]
    left: list[int]
    # What must stay of each, by the strictest offer that touched it.
    floors: list[int]
    currency: str
    features: Any


@dataclass(slots=True)
class Wish:
    """At most `wants` of each line by its place, `total_minor` in all. A refusal says why it is nothing."""

    wants: dict[int, int] = field(default_factory=dict)
    total_minor: int = 0
    units: int = 0
    bonus_points: int = 0
    reason: Reason | None = None
    refusal: str | None = None
    near_misses: list[NearMiss] = field(default_factory=list)


def wish(offer: Offer, places: Sequence[int], state: State) -> Wish:
    """What an offer would take of the lines at `places`, those that it is for."""
    return _EFFECTS[offer.terms.kind](offer, places, state)


def _percent(offer: Offer, places: Sequence[int], state: State) -> Wish:
    return _of_all(places, state, off_ppm=offer.terms.effect["off_ppm"])


def _amount(offer: Offer, places: Sequence[int], state: State) -> Wish:
    wants = {i: state.left[i] for i in places}
    return Wish(wants, min(offer.terms.effect["off_minor"], sum(wants.values())))


def _spend(offer: Offer, places: Sequence[int], state: State) -> Wish:
    """The highest tier that the discounted sum reaches; the next one is a near miss."""
    wants = {i: state.left[i] for i in places}
    spent = sum(wants.values())
    tiers = sorted(offer.terms.effect["tiers"], key=lambda tier: tier["from_minor"])
    reached = [tier for tier in tiers if tier["from_minor"] <= spent]
    result = Wish(wants, min(reached[-1]["off_minor"], spent) if reached else 0)
    if not reached:
        result.refusal = "offer_below_threshold"
    if len(reached) < len(tiers):
        following = tiers[len(reached)]
        result.near_misses.append(
            _near(
                offer,
                state,
                missing_minor=following["from_minor"] - spent,
                discount_minor=following["off_minor"],
            )
        )
    return result


def _personal(offer: Offer, places: Sequence[int], state: State) -> Wish:
    """The first rule that the member's figures meet."""
    if state.features is None:
        return Wish(refusal="offer_needs_consent")
    for rule in offer.terms.effect["rules"]:
        value = state.features.get(rule["feature"])
        if value is None or not _meets(rule, value):
            continue
        result = _of_all(places, state, off_ppm=rule.get("off_ppm", 0))
        result.bonus_points = rule.get("bonus_points", 0)
        result.reason = Reason(f"personal_{rule['feature']}", {"value": value})
        return result
    return Wish(refusal="offer_not_for_habits")


def _buy_get(offer: Offer, places: Sequence[int], state: State) -> Wish:
    """For each whole multiple of X bought, the Y cheapest at a discount: of the same things, or of others."""
    effect = offer.terms.effect
    buy, get, times_max = effect["buy"], effect["get"], effect.get("times_max") or None
    others = matcher(effect.get("get_products", ()), effect.get("get_categories", ()))
    mine = set(places)
    bought = sum(state.lines[i].quantity for i in places)
    if others is None:
        given_places, size = list(places), buy + get
    else:
        given_places = [i for i, line in enumerate(state.lines) if i not in mine and others(line)]
        size = buy
    times = bought // size
    if times_max is not None:
        times = min(times, times_max)
    result = Wish()
    for i, count in _cheapest(given_places, state, times * get):
        result.wants[i] = rate_of(share_of(state.left[i], count, state.lines[i].quantity), effect["off_ppm"])
        result.units += count
    result.total_minor = sum(result.wants.values())
    if bought and (times_max is None or times < times_max):
        result.near_misses.append(_near(offer, state, missing_count=size - bought % size))
    if not times:
        result.refusal = "offer_too_few"
    elif not result.units:
        result.refusal = "offer_nothing_to_give"
    return result


def _bundle(offer: Offer, places: Sequence[int], state: State) -> Wish:
    """Whole sets at the price of a set, of the dearest things that fit."""
    effect = offer.terms.effect
    parts = sorted(effect["parts"], key=lambda part: part.get("product") is None)
    times = min(
        sum(state.lines[i].quantity for i in places if _fits(part, state.lines[i])) // part["quantity"]
        for part in parts
    )
    times = min(times, effect.get("times_max") or times)
    for count in range(times, 0, -1):
        used = _sets(parts, places, state, count)
        if used is None:
            continue
        wants = {i: share_of(state.left[i], taken, state.lines[i].quantity) for i, taken in used.items()}
        total = sum(wants.values()) - count * effect["price_minor"]
        return Wish(wants, total, units=count) if total > 0 else Wish(refusal="offer_nothing_to_give")
    return Wish(refusal="offer_too_few")


def _tier_price(offer: Offer, places: Sequence[int], state: State) -> Wish:
    """The unit price of the highest number that is reached, over all that the offer is for."""
    count = sum(state.lines[i].quantity for i in places)
    tiers = sorted(offer.terms.effect["tiers"], key=lambda tier: tier["from_quantity"])
    reached = [tier for tier in tiers if tier["from_quantity"] <= count]
    result = Wish()
    if reached:
        for i in places:
            result.wants[i] = max(0, state.left[i] - state.lines[i].quantity * reached[-1]["unit_minor"])
        result.total_minor, result.units = sum(result.wants.values()), count
    else:
        result.refusal = "offer_too_few"
    if len(reached) < len(tiers):
        missing = tiers[len(reached)]["from_quantity"] - count
        result.near_misses.append(_near(offer, state, missing_count=missing))
    return result


def _flash(offer: Offer, places: Sequence[int], state: State) -> Wish:
    """A unit price for a counted number of things, while they last."""
    effect = offer.terms.effect
    limits = [limit for limit in (effect.get("units_per_order"), offer.units_left) if limit is not None]
    remaining = min(limits) if limits else sum(state.lines[i].quantity for i in places)
    result = Wish()
    for i in places:
        count = min(state.lines[i].quantity, remaining)
        saved = share_of(state.left[i], count, state.lines[i].quantity) - count * effect["unit_minor"]
        if count and saved > 0:
            result.wants[i] = saved
            result.units += count
            remaining -= count
    result.total_minor = sum(result.wants.values())
    if not result.units:
        result.refusal = "offer_sold_out" if offer.units_left == 0 else "offer_nothing_to_give"
    return result


_EFFECTS: dict[str, Callable[[Offer, Sequence[int], State], Wish]] = {
    frames.PERCENT: _percent,
    frames.AMOUNT: _amount,
    frames.SPEND: _spend,
    frames.PERSONAL: _personal,
    frames.BUY_GET: _buy_get,
    frames.BUNDLE: _bundle,
    frames.TIER_PRICE: _tier_price,
    frames.FLASH: _flash,
}


def matcher(products: Iterable[str], categories: Iterable[str]) -> Callable[[Line], bool] | None:
    """Whether a line is of these products or categories; None where nothing is named."""
    named, of = frozenset(products), frozenset(categories)
    if not named and not of:
        return None
    return lambda line: line.product in named or line.category in of


def _of_all(places: Sequence[int], state: State, *, off_ppm: int) -> Wish:
    wants = {i: state.left[i] for i in places}
    return Wish(wants, rate_of(sum(wants.values()), off_ppm))


def _meets(rule: Any, value: Any) -> bool:
    if "equals" in rule:
        return value == rule["equals"]
    at_least, at_most = rule.get("at_least"), rule.get("at_most")
    return (at_least is None or value >= at_least) and (at_most is None or value <= at_most)


def _cheapest(places: Sequence[int], state: State, count: int) -> Iterable[tuple[int, int]]:
    """Places and how many of each, the cheapest first, `count` in all where there are so many."""
    for i in sorted(places, key=lambda i: (state.left[i] * 1_000_000 // state.lines[i].quantity, i)):
        taken = min(count, state.lines[i].quantity)
        if taken:
            yield i, taken
            count -= taken


def _fits(part: Any, line: Line) -> bool:
    if part.get("product") is not None:
        return line.product == part["product"]
    return line.category == part["category"]


def _sets(parts: Sequence[Any], places: Sequence[int], state: State, count: int) -> dict[int, int] | None:
    """How many of each line make `count` sets, the dearest first; None where they do not."""
    used: dict[int, int] = {}
    for part in parts:
        needed = part["quantity"] * count
        for i in sorted(places, key=lambda i: (-(state.left[i] * 1_000_000 // state.lines[i].quantity), i)):
            if not needed:
                break
            if _fits(part, state.lines[i]):
                taken = min(needed, state.lines[i].quantity - used.get(i, 0))
                if taken:
                    used[i] = used.get(i, 0) + taken
                    needed -= taken
        if needed:
            return None
    return used


def _near(
    offer: Offer, state: State, *, missing_minor: int = 0, missing_count: int = 0, discount_minor: int = 0
) -> NearMiss:
    return NearMiss(
        offer=offer.id,
        name=offer.terms.name,
        currency=state.currency,
        missing_minor=missing_minor,
        missing_count=missing_count,
        discount_minor=discount_minor,
    )
