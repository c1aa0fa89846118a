"""Short words for carts and offers, as the engine sees them."""

from typing import Any

from members.offers.frames import Cart, Line, Offer, Terms


def line(key: str, unit_minor: int, quantity: int = 1, **fields: Any) -> Line:
    return Line(key=key, quantity=quantity, unit_minor=unit_minor, **fields)


def cart(*lines: Line, **fields: Any) -> Cart:
    return Cart(currency=fields.pop("currency", "CNY"), lines=lines, **fields)


def offer(name: str, kind: str, effect: dict[str, Any], *, limits: dict[str, Any] | None = None, **terms: Any) -> Offer:
    """An offer whose id is its name."""
    return Offer(id=name, version=1, terms=Terms(name=name, kind=kind, effect=effect, **terms), **(limits or {}))


def percent(name: str, percent: int, **terms: Any) -> Offer:
    return offer(name, "percent", {"off_ppm": percent * 10_000}, **terms)


def spend(name: str, *tiers: tuple[int, int], **terms: Any) -> Offer:
    effect = {"tiers": [{"from_minor": start, "off_minor": off} for start, off in tiers]}
    return offer(name, "spend", effect, **terms)


def buy_get(name: str, buy: int, get: int, times_max: int | None = None, **terms: Any) -> Offer:
    effect = {"buy": buy, "get": get, "off_ppm": 1_000_000, "times_max": times_max}
    return offer(name, "buy_get", {**effect, **terms.pop("others", {})}, **terms)
