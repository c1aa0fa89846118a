"""What the form of an offer asks for, by kind, and what it says of what cannot be."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy

from members.offers import frames

TEXT_MAX = 4_000
DAYS = tuple((str(number), name) for number, name in WEEKDAYS.items())
FIGURES: dict[str, Any] = {
    "frequency": gettext_lazy("Orders in a year, at least"),
    "spent_minor": gettext_lazy("Spent in a year, at least"),
    "recency_days": gettext_lazy("Days since the last order, at least"),
    "favourite_category": gettext_lazy("Favourite category"),
    "churn_risk": gettext_lazy("Risk of staying away in percent, at least"),
}
TIME = forms.TimeInput(attrs={"type": "time", "class": "input"}, format="%H:%M")
WHEN = forms.DateTimeInput(attrs={"type": "datetime-local", "class": "input"}, format="%Y-%m-%dT%H:%M")
_DECIMAL = {"inputmode": "decimal", "class": "input"}


def decimal_field(label: Any, *, required: bool = True, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=30, required=required, widget=forms.TextInput(attrs=_DECIMAL), **options
    )


def count_field(label: Any, *, required: bool = True, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=2_000_000_000,
        required=required,
        widget=forms.NumberInput(attrs={"class": "input"}),
        **options,
    )


def lines_field(label: Any, *, required: bool = False, rows: int = 3, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=TEXT_MAX, required=required, widget=forms.Textarea(attrs={"rows": rows}), **options
    )


# What each kind asks for besides what all do.
EFFECTS: dict[str, Callable[[], dict[str, forms.Field]]] = {
    frames.PERCENT: lambda: {"percent": decimal_field(gettext_lazy("Percent off"))},
    frames.AMOUNT: lambda: {"amount": decimal_field(gettext_lazy("Amount off"))},
    frames.SPEND: lambda: {
        "tiers": lines_field(
            gettext_lazy("Tiers"),
            required=True,
            help_text=gettext_lazy("One a line: what has to be spent, then what comes off. Such as 100 10."),
        )
    },
    frames.BUY_GET: lambda: {
        "buy": count_field(gettext_lazy("Buy")),
        "get": count_field(gettext_lazy("Get")),
        "percent": decimal_field(gettext_lazy("Percent off those"), help_text=gettext_lazy("100 is free.")),
        "times_max": count_field(gettext_lazy("Times at the most in one order"), required=False),
        "get_products": lines_field(
            gettext_lazy("Get which products"),
            rows=2,
            help_text=gettext_lazy("By name, one a line. Empty: the cheapest of those that were bought."),
        ),
    },
    frames.BUNDLE: lambda: {
        "parts": lines_field(
            gettext_lazy("What is in the set"),
            required=True,
            help_text=gettext_lazy("One a line: how many of which product. Such as 1 Oat latte."),
        ),
        "price": decimal_field(gettext_lazy("Price of the set")),
        "times_max": count_field(gettext_lazy("Sets at the most in one order"), required=False),
    },
    frames.TIER_PRICE: lambda: {
        "tiers": lines_field(
            gettext_lazy("Tiers"),
            required=True,
            help_text=gettext_lazy("One a line: from how many on, then the price of each. Such as 3 25."),
        )
    },
    frames.FLASH: lambda: {
        "price": decimal_field(gettext_lazy("Price of each")),
        "units_max": count_field(gettext_lazy("How many there are"), required=False),
        "units_per_order": count_field(gettext_lazy("How many at the most in one order"), required=False),
    },
    frames.PERSONAL: lambda: {},
}
# The form's field of a part of the terms, where they differ; and what is said of what cannot be.
FIELDS = {"budget_minor": "budget", "hours": "from_time", "bearers": "store_share"}
_LIMIT = gettext_lazy("This limit is a number above zero.")
_AMOUNT = gettext_lazy("Write an amount above zero.")
_NUMBER = gettext_lazy("Write a number from 1 to 100.")
TERMS_WRONG = gettext_lazy("This offer cannot be as it is written. Look at its figures once more.")
TERMS_WORDS: dict[str, Any] = {
    "percent": gettext_lazy("A percentage is above 0 and at most 100."),
    "margin_floor": gettext_lazy("A margin floor is from 0% to less than 100%."),
    "tiers": gettext_lazy(
        "Each tier takes off no more than what has to be spent, and whoever spends more saves no less."
    ),
    "ends_at": gettext_lazy("An offer ends after it begins."),
    "parts": gettext_lazy("Look at what is in the set once more: up to twenty parts, each once."),
    "hours": gettext_lazy("Look at the hours once more: they begin at one time and end at another."),
    "amount": _AMOUNT,
    "price": _AMOUNT,
    "minimum": _AMOUNT,
    "discount_max": _AMOUNT,
    "buy": _NUMBER,
    "get": _NUMBER,
    **dict.fromkeys(
        ("redemptions_max", "customer_max", "units_max", "budget_minor", "times_max", "units_per_order"), _LIMIT
    ),
}
