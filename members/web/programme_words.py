"""Programmes in words: rules, entries of a statement, and runs."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

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


def rule_words(rule: Mapping[str, Any], currency: str, terms: Terms) -> str:
    """A rule as a sentence."""
    kind = rule["kind"]
    if kind == "spend":
        amount = Money(rule["per_minor"], currency).text(locale())
        return _("{points} points for each {amount}").format(points=rule["points"], amount=amount)
    if kind == "visit":
        return _("{points} points for the first order of a day").format(**rule)
    if kind == "first":
        return _("{points} points for a member's first order").format(**rule)
    if kind == "item":
        return _("{points} points for each {product}").format(**rule)
    if kind == "category":
        return _("{percent} % of the points for {category}").format(**rule)
    if kind == "hour":
        return _("{percent} % of the points from {start}:00 to {end}:00").format(
            percent=rule["percent"], start=rule["from"], end=rule["to"]
        )
    if kind == "birthday":
        return _("{percent} % of the points on a birthday").format(**rule)
    name = next((tier.name for tier in terms.tiers if tier.key == rule["tier"]), rule["tier"])
    return _("{percent} % of the points for {tier}").format(percent=rule["percent"], tier=name)
