"""What staff type about a programme: a few fields for each kind of rule, and a row for each tier."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.loyalty.models import Programme
from members.loyalty.terms import CALENDAR, LIFETIME, POINTS, ROLLING, SPEND, Terms
from members.offers import queries as offers
from members.web import item_rules
from members.web.offer_fields import DAYS
from members.web.programme_fields import whole
from merchant_platform.kernel import money
from payments.web.dashboard.product_forms import amount_words
from security.web.forms import DeskForm

TIER_ROWS, CATEGORY_ROWS = 4, 3
_KEY = re.compile(r"[^a-z0-9]+")


class ProgrammeForm(DeskForm):
    """A programme. What is left empty is no rule. It asks for products, so it is made and checked in a unit of work."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("Members read it."))
    spend_points = whole(gettext_lazy("Points"), 1, 100_000)
    spend_per = forms.CharField(max_length=20, required=False, label=gettext_lazy("For each"))
    visit_points = whole(gettext_lazy("First order of a day"), 1, 100_000, hint=gettext_lazy("Points"))
    first_points = whole(gettext_lazy("First order ever"), 1, 1_000_000, hint=gettext_lazy("Points"))
    birthday_percent = whole(gettext_lazy("Birthday"), 101, 1_000, hint=gettext_lazy("200 is double points on the day"))
    hour_percent = whole(gettext_lazy("Percent in these hours"), 101, 1_000)
    hour_from = whole(gettext_lazy("From hour"), 0, 23)
    hour_to = whole(gettext_lazy("To hour"), 1, 24)
    hour_weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("On"),
        choices=DAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked: every day."),
    )
    tier_by = forms.ChoiceField(
        label=gettext_lazy("Counted by"),
        choices=((SPEND, gettext_lazy("Money spent")), (POINTS, gettext_lazy("Points earned"))),
    )
    tier_window = forms.ChoiceField(
        label=gettext_lazy("Over"),
        choices=(
            (ROLLING, gettext_lazy("The last days")),
            (CALENDAR, gettext_lazy("The calendar year")),
            (LIFETIME, gettext_lazy("All time")),
        ),
    )
    tier_days = whole(gettext_lazy("How many days"), 1, 3_650, required=True)
    grace_days = whole(
        gettext_lazy("Days of grace"), 0, 365, hint=gettext_lazy("A tier is kept so much longer."), required=True
    )
    pending_days = whole(
        gettext_lazy("Days until points can be spent"),
        0,
        365,
        hint=gettext_lazy("The time in which orders are given back."),
        required=True,
    )
    lifetime_days = whole(gettext_lazy("Days until points expire"), 1, 36_500, hint=gettext_lazy("Empty: never."))
    notice_days = whole(gettext_lazy("Days of notice before"), 0, 365, required=True)
    redeem_points = whole(
        gettext_lazy("Points"), 0, 1_000_000, hint=gettext_lazy("0: points pay for rewards alone."), required=True
    )
    redeem_worth = forms.CharField(max_length=20, required=False, label=gettext_lazy("Are worth"))
    is_transferable = forms.BooleanField(label=gettext_lazy("Members may give points to each other"), required=False)

    def __init__(
        self, *args: Any, currency: str, terms: Terms, programme: Programme | None = None, **options: Any
    ) -> None:
        self.currency = currency
        items = item_rules.kept(terms)
        # The products that the terms name, by id.
        self.products = offers.product_names([each["product"] for each in items])
        options["initial"] = {**_initial(terms, currency, programme), **item_rules.initial(items, self.products)}
        super().__init__(*args, **options)
        self.fields.update(item_rules.fields(len(items)))

    @property
    def tier_rows(self) -> list[list[Any]]:
        """The fields of each tier, for the page."""
        return [[self[f"tier{row}_{name}"] for name in _TIER] for row in range(TIER_ROWS)]

    @property
    def category_rows(self) -> list[list[Any]]:
        return [[self[f"category{row}_{name}"] for name in ("name", "percent")] for row in range(CATEGORY_ROWS)]

    @property
    def item_rows(self) -> list[list[Any]]:
        rows = range(sum(name.startswith("item") for name in self.fields) // 2)
        return [[self[f"item{row}_{name}"] for name in ("product", "points")] for row in rows]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name in ("spend_per", "redeem_worth", *(f"tier{row}_threshold" for row in range(TIER_ROWS))):
            if name.startswith("tier") and given.get("tier_by") == POINTS:
                continue
            if text := given.get(name):
                try:
                    given[name] = money.typed(text, self.currency)
                except money.NotAnAmount as wrong:
                    self.add_error(name, amount_words(wrong.reason, self.currency))
        self._need_both(given, "spend_points", "spend_per")
        self._need_both(given, "redeem_points", "redeem_worth")
        for row in range(CATEGORY_ROWS):
            self._need_both(given, f"category{row}_name", f"category{row}_percent")
        for row in range(len(self.item_rows)):
            self._need_both(given, f"item{row}_product", f"item{row}_points")
        self.items, mistakes = item_rules.read(given, self.products)
        for name, words in mistakes:
            self.add_error(name, words)
        for row in range(TIER_ROWS):
            self._need_both(given, f"tier{row}_name", f"tier{row}_threshold")
            if given.get("tier_by") == POINTS and (text := given.get(f"tier{row}_threshold")):
                if str(text).isdecimal() and len(text) <= 9:
                    given[f"tier{row}_threshold"] = int(text)
                else:
                    self.add_error(f"tier{row}_threshold", _("Write a whole number."))
        if given.get("hour_percent") and (given.get("hour_from") is None or given.get("hour_to") is None):
            self.add_error("hour_from", _("Say from which hour to which."))
        return given

    def _need_both(self, given: dict[str, Any], first: str, second: str) -> None:
        if bool(given.get(first)) != bool(given.get(second)) and first not in self.errors and second not in self.errors:
            self.add_error(second if given.get(first) else first, _("Fill this in too, or leave both empty."))

    def terms(self) -> dict[str, Any]:
        """The terms of a valid form, as the room reads them."""
        given = self.cleaned_data
        tiers, percents = [], []
        for row in range(TIER_ROWS):
            if not given.get(f"tier{row}_name"):
                continue
            name = given[f"tier{row}_name"]
            key = given.get(f"tier{row}_key") or _KEY.sub("_", name.lower()).strip("_") or f"tier_{row + 1}"
            benefits = [each.strip() for each in given.get(f"tier{row}_benefits", "").split(";") if each.strip()]
            threshold = given[f"tier{row}_threshold"]
            tiers.append({"key": key, "name": name, "threshold": threshold, "benefits": benefits})
            if given.get(f"tier{row}_percent"):
                percents.append({"kind": "tier", "tier": key, "percent": given[f"tier{row}_percent"]})
        return {
            "rules": [*self._rules(), *percents, *self.items],
            "tiers": tiers,
            **{name: given[name] for name in _PLAIN},
            "redeem_minor": given["redeem_worth"] or 0,
        }

    def _rules(self) -> list[dict[str, Any]]:
        given = self.cleaned_data
        rules: list[dict[str, Any]] = []
        if given.get("spend_points"):
            rules.append({"kind": "spend", "points": given["spend_points"], "per_minor": given["spend_per"]})
        for kind in ("visit", "first"):
            if given.get(f"{kind}_points"):
                rules.append({"kind": kind, "points": given[f"{kind}_points"]})
        if given.get("birthday_percent"):
            rules.append({"kind": "birthday", "percent": given["birthday_percent"]})
        if given.get("hour_percent"):
            rules.append(
                {
                    "kind": "hour",
                    "percent": given["hour_percent"],
                    "from": given["hour_from"],
                    "to": given["hour_to"],
                    "weekdays": sorted(int(day) for day in given["hour_weekdays"]),
                }
            )
        for row in range(CATEGORY_ROWS):
            if given.get(f"category{row}_name"):
                rules.append(
                    {
                        "kind": "category",
                        "category": given[f"category{row}_name"],
                        "percent": given[f"category{row}_percent"],
                    }
                )
        return rules


_PLAIN = (
    *("tier_by", "tier_window", "tier_days", "grace_days", "pending_days", "lifetime_days", "notice_days"),
    *("redeem_points", "is_transferable"),
)
_TIER = ("name", "threshold", "percent", "benefits", "key")


def _tier_fields(row: int) -> dict[str, forms.Field]:
    return {
        f"tier{row}_name": forms.CharField(label=gettext_lazy("Tier"), max_length=100, required=False),
        f"tier{row}_threshold": forms.CharField(label=gettext_lazy("Reached with"), max_length=20, required=False),
        f"tier{row}_percent": whole(gettext_lazy("Earns percent"), 101, 1_000),
        f"tier{row}_benefits": forms.CharField(
            label=gettext_lazy("Benefits, with ; between them"), max_length=500, required=False
        ),
        # A tier keeps its key when it gets another name, and members keep the tier.
        f"tier{row}_key": forms.CharField(max_length=100, required=False, widget=forms.HiddenInput),
    }


def _category_fields(row: int) -> dict[str, forms.Field]:
    return {
        f"category{row}_name": forms.CharField(
            label=gettext_lazy("Category"),
            max_length=100,
            required=False,
            widget=forms.TextInput(attrs={"list": "categories", "autocomplete": "off", "translate": "no"}),
        ),
        f"category{row}_percent": whole(gettext_lazy("Earns percent"), 101, 1_000),
    }


# The rows' fields are the form's own.
for _row in range(TIER_ROWS):
    ProgrammeForm.base_fields.update(_tier_fields(_row))
for _row in range(CATEGORY_ROWS):
    ProgrammeForm.base_fields.update(_category_fields(_row))


def _initial(terms: Terms, currency: str, programme: Programme | None) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(terms, name) for name in _PLAIN}
    found["name"] = programme.name if programme else ""
    found["redeem_worth"] = money.to_type(terms.redeem_minor, currency) if terms.redeem_minor else ""
    categories = iter(range(CATEGORY_ROWS))
    for rule in terms.rules:
        kind = rule["kind"]
        if kind == "spend":
            found |= {"spend_points": rule["points"], "spend_per": money.to_type(rule["per_minor"], currency)}
        elif kind in ("visit", "first"):
            found[f"{kind}_points"] = rule["points"]
        elif kind == "birthday":
            found["birthday_percent"] = rule["percent"]
        elif kind == "hour":
            found |= {f"hour_{name}": rule[name] for name in ("percent", "from", "to")}
            found["hour_weekdays"] = [str(day) for day in rule["weekdays"]]
        elif kind == "category" and (row := next(categories, None)) is not None:
            found |= {f"category{row}_name": rule["category"], f"category{row}_percent": rule["percent"]}
    percents = {rule["tier"]: rule["percent"] for rule in terms.rules if rule["kind"] == "tier"}
    for row, tier in enumerate(terms.tiers[:TIER_ROWS]):
        threshold = tier.threshold if terms.tier_by == POINTS else money.to_type(tier.threshold, currency)
        found |= {
            f"tier{row}_name": tier.name,
            f"tier{row}_key": tier.key,
            f"tier{row}_threshold": threshold,
            f"tier{row}_percent": percents.get(tier.key),
            f"tier{row}_benefits": "; ".join(tier.benefits),
        }
    return found


class BudgetForm(DeskForm):
    """How many points may be granted from now on."""

    points = whole(gettext_lazy("Points that may be granted"), 0, 1_000_000_000, required=True)


class AdjustForm(DeskForm):
    """Points for a member, or fewer, and why."""

    points = whole(
        gettext_lazy("Points"),
        -1_000_000_000,
        1_000_000_000,
        hint=gettext_lazy("Below zero takes points away."),
        required=True,
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)
