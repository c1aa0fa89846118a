"""What an offer may say: every number is looked at here, whoever wrote it, before it meets a cart."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from members.offers import frames
from members.offers.frames import Terms
from merchant_platform.kernel import money
from merchant_platform.kernel.errors import Invalid
from merchant_platform.kernel.money import PPM

AMOUNT_MAX, COUNT_MAX, LIST_MAX, POINTS_MAX, NAME_LENGTH = 99_999_999, 9_999, 100, 1_000_000, 100
# Kinds whose effect is an amount, so that they need a currency.
PRICED = frozenset({frames.AMOUNT, frames.SPEND, frames.BUNDLE, frames.TIER_PRICE, frames.FLASH})
# What a personal offer may look at, as the directory reckons it; those that are words are compared whole.
FEATURES = ("frequency", "spent_minor", "recency_days", "favourite_category", "churn_risk")
WORD_FEATURES = frozenset({"favourite_category"})


class InvalidTerms(Invalid):
    """An offer says something that cannot be done."""


def check(terms: Terms) -> None:
    """Raises InvalidTerms, with the part that is wrong as its parameter."""
    if not 0 < len(terms.name) <= NAME_LENGTH:
        raise InvalidTerms(f"A name has 1 to {NAME_LENGTH} characters.", param="name")
    if terms.kind not in frames.KINDS:
        raise InvalidTerms("There is no such kind of offer.", param="kind")
    if terms.trigger not in (frames.AUTOMATIC, frames.CODE):
        raise InvalidTerms("An offer applies by itself or by a code.", param="trigger")
    if terms.currency is not None and terms.currency not in money.currencies():
        raise InvalidTerms("There is no such currency.", param="currency")
    has_amounts = terms.kind in PRICED or terms.minimum_minor or terms.discount_max_minor is not None
    if has_amounts and terms.currency is None:
        raise InvalidTerms("An offer with amounts names their currency.", param="currency")
    if not 0 <= terms.priority <= COUNT_MAX:
        raise InvalidTerms(f"The place in the order is between 0 and {COUNT_MAX}.", param="priority")
    _amount(terms.minimum_minor, terms, "minimum", least=0)
    if terms.discount_max_minor is not None:
        _amount(terms.discount_max_minor, terms, "discount_max")
    if terms.margin_floor_ppm is not None and not 0 <= terms.margin_floor_ppm < PPM:
        raise InvalidTerms("A margin floor is from 0 % to less than 100 %.", param="margin_floor")
    for names in (terms.products, terms.categories, terms.stores, terms.member_tiers, terms.hours):
        if len(names) > LIST_MAX:
            raise InvalidTerms(f"An offer names {LIST_MAX} of each at the most.", param="products")
    for hours in terms.hours:
        if not hours.days or not set(hours.days) <= set(range(7)):
            raise InvalidTerms("Hours need their days of the week.", param="hours")
        if not (0 <= hours.from_minute < 1440 and 0 < hours.to_minute <= 1440):
            raise InvalidTerms("Hours are between 00:00 and 24:00.", param="hours")
        if hours.from_minute == hours.to_minute:
            raise InvalidTerms("Hours begin at one time and end at another.", param="hours")
    weights = [weight for _, weight in terms.bearers]
    if not weights or any(not 0 < weight <= COUNT_MAX for weight in weights):
        raise InvalidTerms("Whoever bears the cost has a weight above zero.", param="bearers")
    if len({bearer for bearer, _ in terms.bearers}) != len(weights):
        raise InvalidTerms("Each bears the cost once.", param="bearers")
    _CHECKS[terms.kind](terms.effect, terms)


def _rate(value: Any, name: str, *, least: int = 1) -> None:
    if not isinstance(value, int) or not least <= value <= PPM:
        raise InvalidTerms("A percentage is above 0 and at most 100.", param=name)


def _count(value: Any, name: str, *, most: int = COUNT_MAX, may_lack: bool = False) -> None:
    if value is None and may_lack:
        return
    if not isinstance(value, int) or not 1 <= value <= most:
        raise InvalidTerms(f"This number is between 1 and {most}.", param=name)


def _amount(value: Any, terms: Terms, name: str, *, least: int = 1) -> None:
    if not isinstance(value, int) or not least <= value <= AMOUNT_MAX:
        raise InvalidTerms(f"An amount is between {least} and {AMOUNT_MAX} minor units.", param=name)
    if terms.currency is not None and value % money.step(terms.currency):
        raise InvalidTerms(f"{terms.currency} is paid in steps of {money.step(terms.currency)}.", param=name)


def _listed(effect: Mapping[str, Any], name: str) -> Sequence[Any]:
    rows = effect.get(name)
    if not isinstance(rows, list | tuple) or not 1 <= len(rows) <= 20:
        raise InvalidTerms("Give 1 to 20 of these.", param=name)
    return rows


def _percent(effect: Mapping[str, Any], terms: Terms) -> None:
    _rate(effect.get("off_ppm"), "percent")


def _fixed(effect: Mapping[str, Any], terms: Terms) -> None:
    _amount(effect.get("off_minor"), terms, "amount")


def _spend(effect: Mapping[str, Any], terms: Terms) -> None:
    tiers = _listed(effect, "tiers")
    for tier in tiers:
        _amount(tier.get("from_minor"), terms, "tiers")
        _amount(tier.get("off_minor"), terms, "tiers")
        if tier["off_minor"] > tier["from_minor"]:
            raise InvalidTerms("A tier takes off no more than what has to be spent.", param="tiers")
    _each_once(tiers, "from_minor")
    rising = sorted(tiers, key=lambda tier: tier["from_minor"])
    if any(lower["off_minor"] > higher["off_minor"] for lower, higher in itertools.pairwise(rising)):
        raise InvalidTerms("Whoever spends more saves no less.", param="tiers")


def _buy_get(effect: Mapping[str, Any], terms: Terms) -> None:
    _count(effect.get("buy"), "buy", most=LIST_MAX)
    _count(effect.get("get"), "get", most=LIST_MAX)
    _rate(effect.get("off_ppm"), "percent")
    _count(effect.get("times_max"), "times_max", may_lack=True)


def _bundle(effect: Mapping[str, Any], terms: Terms) -> None:
    for part in _listed(effect, "parts"):
        _count(part.get("quantity"), "parts", most=LIST_MAX)
        if (part.get("product") is None) == (not part.get("category")):
            raise InvalidTerms("A part of a set is a product or a category.", param="parts")
    _amount(effect.get("price_minor"), terms, "price", least=0)
    _count(effect.get("times_max"), "times_max", may_lack=True)


def _tier_price(effect: Mapping[str, Any], terms: Terms) -> None:
    tiers = _listed(effect, "tiers")
    for tier in tiers:
        _count(tier.get("from_quantity"), "tiers")
        _amount(tier.get("unit_minor"), terms, "tiers", least=0)
    _each_once(tiers, "from_quantity")


def _flash(effect: Mapping[str, Any], terms: Terms) -> None:
    _amount(effect.get("unit_minor"), terms, "price", least=0)
    _count(effect.get("units_per_order"), "units_per_order", may_lack=True)


def _personal(effect: Mapping[str, Any], terms: Terms) -> None:
    for rule in _listed(effect, "rules"):
        feature = rule.get("feature")
        if feature not in FEATURES:
            raise InvalidTerms("Nobody reckons this figure of a member.", param="rules")
        if feature in WORD_FEATURES:
            if not rule.get("equals"):
                raise InvalidTerms("Say which one it has to be.", param="rules")
        elif rule.get("at_least") is None and rule.get("at_most") is None:
            raise InvalidTerms("Say from which figure on, or up to which.", param="rules")
        _rate(rule.get("off_ppm", 0), "rules", least=0)
        points = rule.get("bonus_points", 0)
        if not isinstance(points, int) or not 0 <= points <= POINTS_MAX:
            raise InvalidTerms(f"Points are between 0 and {POINTS_MAX}.", param="rules")
        if not rule.get("off_ppm") and not points:
            raise InvalidTerms("A rule gives a discount, points, or both.", param="rules")


def _each_once(tiers: Sequence[Mapping[str, Any]], name: str) -> None:
    if len({tier[name] for tier in tiers}) != len(tiers):
        raise InvalidTerms("Two tiers begin at the same place.", param="tiers")


_CHECKS = {
    frames.PERCENT: _percent,
    frames.AMOUNT: _fixed,
    frames.SPEND: _spend,
    frames.BUY_GET: _buy_get,
    frames.BUNDLE: _bundle,
    frames.TIER_PRICE: _tier_price,
    frames.FLASH: _flash,
    frames.PERSONAL: _personal,
}
