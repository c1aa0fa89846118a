"""Programmes in words: rules, entries of a statement, and runs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from members.loyalty.models import Run
from members.loyalty.terms import Terms
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale

# Entries of a statement, and kinds of rule, as people say them.
KINDS: dict[str, Any] = {
    "spend": gettext_lazy("Money spent"),
    "visit": gettext_lazy("First order of a day"),
    "item": gettext_lazy("Products"),
    "category": gettext_lazy("Categories"),
    "hour": gettext_lazy("Hours"),
    "tier": pgettext_lazy("of members", "Tiers"),
    "birthday": gettext_lazy("Birthdays"),
    "first": gettext_lazy("First orders"),
    "points_earned": gettext_lazy("Earned"),
    "points_bonus": gettext_lazy("Bonus of an offer"),
    "points_matured": gettext_lazy("Can be spent now"),
    "points_spent": pgettext_lazy("points", "Spent"),
    "points_returned": gettext_lazy("Given back"),
    "points_reversed": gettext_lazy("Taken back after a refund"),
    "points_restored": gettext_lazy("Restored"),
    "points_expired": gettext_lazy("Expired"),
    "points_adjusted": gettext_lazy("Adjusted"),
    "points_transferred": gettext_lazy("Transferred"),
    "points_merged": gettext_lazy("Moved between memberships"),
}
RUNS: dict[str, Any] = {
    Run.MATURE: gettext_lazy("Points become spendable"),
    Run.EXPIRE: gettext_lazy("Points expire"),
    Run.NOTICE: gettext_lazy("Members are told what will expire"),
    Run.TIERS: gettext_lazy("Tiers end"),
    Run.RETIER: gettext_lazy("Tiers follow new terms"),
    Run.BACKFILL: gettext_lazy("Earlier orders earn"),
}


def rule_words(rule: Mapping[str, Any], currency: str, terms: Terms, products: Mapping[str, str]) -> str:
    """A rule as a sentence; `products` are the names of those that rules name, by id."""
    kind = rule["kind"]
    if kind in ("spend", "visit", "first", "item"):
        return _granting(rule, currency, products)
    # 150 percent is 1.5: people speak of double points, not of 200 percent.
    times = f"{Decimal(rule['percent']) / 100:f}"
    if kind == "category":
        return _("{times}× points for {category}").format(times=times, category=rule["category"])
    if kind == "hour":
        return _("{times}× points from {start}:00 to {end}:00").format(times=times, start=rule["from"], end=rule["to"])
    if kind == "birthday":
        return _("{times}× points on a birthday").format(times=times)
    name = next((tier.name for tier in terms.tiers if tier.key == rule["tier"]), rule["tier"])
    return _("{times}× points for {tier}").format(times=times, tier=name)


def _granting(rule: Mapping[str, Any], currency: str, products: Mapping[str, str]) -> str:
    """A rule that gives so many points for something."""
    kind, points = rule["kind"], rule["points"]
    values: dict[str, Any] = {"points": points}
    if kind == "spend":
        values["amount"] = Money(rule["per_minor"], currency).text(locale())
        words = ngettext("{points} point for each {amount}", "{points} points for each {amount}", points)
    elif kind == "visit":
        words = ngettext(
            "{points} point for the first order of a day", "{points} points for the first order of a day", points
        )
    elif kind == "first":
        words = ngettext(
            "{points} point for a member's first order", "{points} points for a member's first order", points
        )
    else:
        values["product"] = products.get(rule["product"], rule["product"])
        words = ngettext("{points} point for each {product}", "{points} points for each {product}", points)
    return words.format(**values)
