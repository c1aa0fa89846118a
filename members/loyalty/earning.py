"""How many points an order earns: a pure rule with a version, and its words.

Each rule of the programme that applies gives a whole number of points, rounded down, and
is a reason of the verdict; together they are what the order earns. Multipliers add what
is over a hundred per cent of the spend rules' points, so that two of them do not multiply
each other. Worked tables: docs/algorithms/points.md.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import ngettext_lazy

from merchant_platform.kernel.decisions.rules import Inputs, Reason, Verdict, rule, words

# Points of a product's rule: the rule, the order's lines of that product, the money that counts in all.
_Items = Callable[[Mapping[str, Any], list[Mapping[str, Any]], int], int]
RULE = "points_earned"
EARNED, NOTHING = "earned", "nothing"


@rule(RULE, version=2)
def points_earned(inputs: Inputs) -> Verdict:
    """What the terms give for one order. `counted_minor` is the money that counts, a line each, of its `amount_minor`.

    A product earns as far as it was paid for: one that was a gift, or paid with points, gives none.
    """
    return _earned(inputs, _paid_items)


@rule(RULE, version=1)
def points_earned_by_all_items(inputs: Inputs) -> Verdict:
    """As it was before: where any money was paid, each product of the order earned, also one that was a gift."""
    return _earned(inputs, _all_items)


def _earned(inputs: Inputs, items: _Items) -> Verdict:
    order, member = inputs["order"], inputs["member"]
    counted = sum(line["counted_minor"] for line in order["lines"])
    reasons = [
        Reason(f"points_{each['kind']}", {**_values(each), "points": points})
        for each in inputs["rules"]
        if (points := _points(each, inputs["rules"], counted, order, member, items)) > 0
    ]
    return Verdict(EARNED if reasons else NOTHING, reasons)


def total(verdict: Verdict) -> int:
    """The points of a verdict: what its reasons give together."""
    return sum(reason.values["points"] for reason in verdict.reasons)


def _points(
    each: Mapping[str, Any],
    rules: list[Mapping[str, Any]],
    counted: int,
    order: Mapping[str, Any],
    member: Mapping[str, Any],
    items: _Items,
) -> int:
    kind = each["kind"]
    if kind == "spend":
        return counted * each["points"] // each["per_minor"]
    if kind == "visit":
        return each["points"] if member["is_first_today"] and counted else 0
    if kind == "first":
        return each["points"] if member["is_first"] and counted else 0
    if kind == "item":
        return items(each, [line for line in order["lines"] if line["product"] == each["product"]], counted)
    if kind == "category":
        part = sum(line["counted_minor"] for line in order["lines"] if line["category"] == each["category"])
        return _extra(part, each["percent"], rules)
    applies = {
        "hour": each.get("from", 0) <= order["hour"] < each.get("to", 0)
        and (not each.get("weekdays") or order["weekday"] in each["weekdays"]),
        "tier": member["tier"] == each.get("tier"),
        "birthday": member["is_birthday"],
    }[kind]
    return _extra(counted, each["percent"], rules) if applies else 0


def _paid_items(each: Mapping[str, Any], lines: list[Mapping[str, Any]], counted: int) -> int:
    """For each one bought, by the share of its line's amount that counts."""
    return sum(
        each["points"] * line["quantity"] * line["counted_minor"] // line["amount_minor"]
        for line in lines
        if line["counted_minor"] > 0
    )


def _all_items(each: Mapping[str, Any], lines: list[Mapping[str, Any]], counted: int) -> int:
    return each["points"] * sum(line["quantity"] for line in lines) if counted else 0


def _extra(counted: int, percent: int, rules: list[Mapping[str, Any]]) -> int:
    """What a multiplier adds to the points of the spend rules."""
    return sum(
        counted * each["points"] * (percent - 100) // (each["per_minor"] * 100)
        for each in rules
        if each["kind"] == "spend"
    )


def _values(each: Mapping[str, Any]) -> dict[str, Any]:
    """What a reason's words need of its rule."""
    return {name: value for name, value in each.items() if name in ("percent", "category", "tier")}


words(
    "points_spend",
    customer=ngettext_lazy("{points} point for what you paid.", "{points} points for what you paid.", "points"),
    cashier=ngettext_lazy("{points} point for the amount paid.", "{points} points for the amount paid.", "points"),
    merchant=ngettext_lazy(
        "{points} point by the rule for money spent.", "{points} points by the rule for money spent.", "points"
    ),
)
words(
    "points_visit",
    customer=ngettext_lazy("{points} point for your visit.", "{points} points for your visit.", "points"),
    cashier=ngettext_lazy(
        "{points} point for the first order of the day.", "{points} points for the first order of the day.", "points"
    ),
    merchant=ngettext_lazy(
        "{points} point by the rule for a day's first order.",
        "{points} points by the rule for a day's first order.",
        "points",
    ),
)
words(
    "points_item",
    customer=ngettext_lazy("{points} point for what you chose.", "{points} points for what you chose.", "points"),
    cashier=ngettext_lazy(
        "{points} point for a product that earns extra.", "{points} points for a product that earns extra.", "points"
    ),
    merchant=ngettext_lazy(
        "{points} point by the rule for a product.", "{points} points by the rule for a product.", "points"
    ),
)
words(
    "points_category",
    customer=ngettext_lazy("{points} extra point for {category}.", "{points} extra points for {category}.", "points"),
    cashier=ngettext_lazy("{points} extra point for {category}.", "{points} extra points for {category}.", "points"),
    merchant=ngettext_lazy(
        "{points} extra point: {category} earns {percent}%.",
        "{points} extra points: {category} earns {percent}%.",
        "points",
    ),
)
words(
    "points_hour",
    customer=ngettext_lazy("{points} extra point for the hour.", "{points} extra points for the hour.", "points"),
    cashier=ngettext_lazy(
        "{points} extra point: this hour earns more.", "{points} extra points: this hour earns more.", "points"
    ),
    merchant=ngettext_lazy(
        "{points} extra point: the hour earns {percent}%.",
        "{points} extra points: the hour earns {percent}%.",
        "points",
    ),
)
words(
    "points_tier",
    customer=ngettext_lazy("{points} extra point for your tier.", "{points} extra points for your tier.", "points"),
    cashier=ngettext_lazy(
        "{points} extra point for the member's tier.", "{points} extra points for the member's tier.", "points"
    ),
    merchant=ngettext_lazy(
        "{points} extra point: the tier earns {percent}%.",
        "{points} extra points: the tier earns {percent}%.",
        "points",
    ),
)
words(
    "points_birthday",
    customer=ngettext_lazy(
        "{points} extra point for your birthday.", "{points} extra points for your birthday.", "points"
    ),
    cashier=ngettext_lazy(
        "{points} extra point: it is the member's birthday.",
        "{points} extra points: it is the member's birthday.",
        "points",
    ),
    merchant=ngettext_lazy(
        "{points} extra point: birthdays earn {percent}%.",
        "{points} extra points: birthdays earn {percent}%.",
        "points",
    ),
)
words(
    "points_first",
    customer=ngettext_lazy("{points} point to welcome you.", "{points} points to welcome you.", "points"),
    cashier=ngettext_lazy("{points} point for the first order.", "{points} points for the first order.", "points"),
    merchant=ngettext_lazy(
        "{points} point by the rule for a first order.", "{points} points by the rule for a first order.", "points"
    ),
)
