"""An offer that stands, as its form shows it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from members.offers import frames
from members.offers.frames import Terms
from members.offers.models import Offer
from merchant_platform.kernel import money


def initial_of(offer: Offer, *, currency: str, zone: ZoneInfo, names: dict[str, str]) -> dict[str, Any]:
    """What a form shows of an offer that stands. `names` are those of its products, by id."""
    terms = Terms.read(offer.terms)
    effect = terms.effect

    def amount(minor: int | None) -> str:
        return "" if minor is None else money.to_type(minor, currency)

    shown: dict[str, Any] = {
        "name": terms.name,
        "trigger": terms.trigger,
        "products": "\n".join(names.get(each, each) for each in terms.products),
        "categories": ", ".join(terms.categories),
        "minimum": amount(terms.minimum_minor or None),
        "discount_max": amount(terms.discount_max_minor),
        "margin_floor": "" if terms.margin_floor_ppm is None else _plain(terms.margin_floor_ppm),
        "stacking": "exclusive" if terms.is_exclusive else "joint",
        "priority": terms.priority,
        "starts_at": _typed(offer.starts_at, zone),
        "ends_at": _typed(offer.ends, zone),
        "first_only": terms.is_first_only,
        "stores": terms.stores,
        "member_tiers": terms.member_tiers,
        "redemptions_max": offer.redemptions_max,
        "customer_max": offer.customer_max,
        "budget": amount(offer.budget_minor),
        "units_max": offer.units_max,
    }
    if terms.hours:
        hours = terms.hours[0]
        shown |= {
            "days": [str(day) for day in hours.days],
            "from_time": _clock(hours.from_minute),
            "to_time": _clock(hours.to_minute % 1440),
        }
    by_bearer = dict(terms.bearers)
    if set(by_bearer) != {frames.MERCHANT}:
        borne = sum(weight for bearer, weight in by_bearer.items() if bearer != frames.MERCHANT)
        shown["store_share"] = borne * 100 // sum(by_bearer.values())
    shown |= {
        frames.PERCENT: lambda: {"percent": _plain(effect["off_ppm"])},
        frames.AMOUNT: lambda: {"amount": amount(effect["off_minor"])},
        frames.SPEND: lambda: {
            "tiers": "\n".join(f"{amount(each['from_minor'])} {amount(each['off_minor'])}" for each in effect["tiers"])
        },
        frames.BUY_GET: lambda: {
            "buy": effect["buy"],
            "get": effect["get"],
            "percent": _plain(effect["off_ppm"]),
            "times_max": effect.get("times_max"),
            "get_products": "\n".join(names.get(each, each) for each in effect.get("get_products", ())),
        },
        frames.BUNDLE: lambda: {
            "parts": "\n".join(
                f"{each['quantity']} {names.get(each['product'], each['product'])}" for each in effect["parts"]
            ),
            "price": amount(effect["price_minor"]),
            "times_max": effect.get("times_max"),
        },
        frames.TIER_PRICE: lambda: {
            "tiers": "\n".join(f"{each['from_quantity']} {amount(each['unit_minor'])}" for each in effect["tiers"])
        },
        frames.FLASH: lambda: {
            "price": amount(effect["unit_minor"]),
            "units_per_order": effect.get("units_per_order"),
        },
        frames.PERSONAL: lambda: {"rules": [_rule(each, amount) for each in effect["rules"]]},
    }[terms.kind]()
    return shown


def _rule(rule: dict[str, Any], amount: Callable[[int | None], str]) -> dict[str, Any]:
    value = rule.get("equals", rule.get("at_least", ""))
    return {
        "feature": rule["feature"],
        "value": amount(value) if rule["feature"] == "spent_minor" else str(value),
        "percent": _plain(rule["off_ppm"]) if rule.get("off_ppm") else "",
        "points": str(rule.get("bonus_points") or ""),
    }


def _plain(ppm: int) -> str:
    return f"{ppm / 10_000:.4f}".rstrip("0").rstrip(".")


def _typed(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A time as it stands in a field: to the minute, by the clock on the merchant's wall."""
    return at.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None) if at else None


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
