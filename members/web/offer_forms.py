"""What staff type about offers: amounts in major units, goods by their names, tiers a line each."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from members.offers import codes, frames, queries
from members.offers import operations as offers
from members.offers.frames import Hours, Terms
from members.offers.models import Offer
from members.offers.operations import Draft, Limits
from members.offers.terms import FEATURES, WORD_FEATURES, InvalidTerms
from merchant_platform.kernel import ids, money
from merchant_platform.kernel.errors import PlatformError
from payments.web.dashboard.product_forms import read_amount
from security.merchants.models import Store
from security.web.forms import DeskForm

TEXT_MAX = 4_000
DAYS = (
    ("0", gettext_lazy("Monday")),
    ("1", gettext_lazy("Tuesday")),
    ("2", gettext_lazy("Wednesday")),
    ("3", gettext_lazy("Thursday")),
    ("4", gettext_lazy("Friday")),
    ("5", gettext_lazy("Saturday")),
    ("6", gettext_lazy("Sunday")),
)
FIGURES: dict[str, Any] = {
    "frequency": gettext_lazy("Orders in a year, at least"),
    "spent_minor": gettext_lazy("Spent in a year, at least"),
    "recency_days": gettext_lazy("Days since the last order, at least"),
    "favourite_category": gettext_lazy("Favourite category"),
    "churn_risk": gettext_lazy("Risk of staying away in percent, at least"),
}
_COUNTED = re.compile(r"\s*(?P<count>[0-9]{1,4})\s*[x×]?\s+(?P<name>.+?)\s*")
_TIME = forms.TimeInput(attrs={"type": "time", "class": "input"}, format="%H:%M")
_WHEN = forms.DateTimeInput(attrs={"type": "datetime-local", "class": "input"}, format="%Y-%m-%dT%H:%M")
_DECIMAL = {"inputmode": "decimal", "class": "input"}


def _decimal(label: Any, *, required: bool = True, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=30, required=required, widget=forms.TextInput(attrs=_DECIMAL), **options
    )


def _count(label: Any, *, required: bool = True, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=2_000_000_000,
        required=required,
        widget=forms.NumberInput(attrs={"class": "input"}),
        **options,
    )


def _lines(label: Any, *, required: bool = False, rows: int = 3, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=TEXT_MAX, required=required, widget=forms.Textarea(attrs={"rows": rows}), **options
    )


# What each kind asks for besides what all do.
EFFECTS: dict[str, Callable[[], dict[str, forms.Field]]] = {
    frames.PERCENT: lambda: {"percent": _decimal(gettext_lazy("Percent off"))},
    frames.AMOUNT: lambda: {"amount": _decimal(gettext_lazy("Amount off"))},
    frames.SPEND: lambda: {
        "tiers": _lines(
            gettext_lazy("Tiers"),
            required=True,
            help_text=gettext_lazy("One a line: what has to be spent, then what comes off. Such as 100 10."),
        )
    },
    frames.BUY_GET: lambda: {
        "buy": _count(gettext_lazy("Buy")),
        "get": _count(gettext_lazy("Get")),
        "percent": _decimal(gettext_lazy("Percent off those"), help_text=gettext_lazy("100 is free.")),
        "times_max": _count(gettext_lazy("Times at the most in one order"), required=False),
        "get_products": _lines(
            gettext_lazy("Get which products"),
            rows=2,
            help_text=gettext_lazy("By name, one a line. Empty: the cheapest of those that were bought."),
        ),
    },
    frames.BUNDLE: lambda: {
        "parts": _lines(
            gettext_lazy("What is in the set"),
            required=True,
            help_text=gettext_lazy("One a line: how many of which product. Such as 1 Oat latte."),
        ),
        "price": _decimal(gettext_lazy("Price of the set")),
        "times_max": _count(gettext_lazy("Sets at the most in one order"), required=False),
    },
    frames.TIER_PRICE: lambda: {
        "tiers": _lines(
            gettext_lazy("Tiers"),
            required=True,
            help_text=gettext_lazy("One a line: from how many on, then the price of each. Such as 3 25."),
        )
    },
    frames.FLASH: lambda: {
        "price": _decimal(gettext_lazy("Price of each")),
        "units_max": _count(gettext_lazy("How many there are"), required=False),
        "units_per_order": _count(gettext_lazy("How many at the most in one order"), required=False),
    },
    frames.PERSONAL: lambda: {},
}
RULES = 3
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


class OfferForm(DeskForm):
    """An offer of one kind. `draft()` is what it says, once it is valid."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("Customers read it on the pay page.")
    )
    trigger = forms.ChoiceField(
        label=gettext_lazy("How it applies"),
        choices=((frames.AUTOMATIC, gettext_lazy("By itself")), (frames.CODE, gettext_lazy("By a code"))),
    )
    code = forms.CharField(
        label=gettext_lazy("First code"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Where codes lead to it; more can be made later."),
    )
    products = _lines(
        gettext_lazy("Products"), rows=2, help_text=gettext_lazy("By name, one a line. Empty: everything.")
    )
    categories = forms.CharField(
        label=gettext_lazy("Categories"),
        max_length=TEXT_MAX,
        required=False,
        help_text=gettext_lazy("With commas between them."),
    )
    minimum = _decimal(gettext_lazy("Least sum of the order"), required=False)
    discount_max = _decimal(gettext_lazy("Most that comes off an order"), required=False)
    margin_floor = _decimal(
        gettext_lazy("Least margin in percent"),
        required=False,
        help_text=gettext_lazy("No product goes below it, as far as its cost is known."),
    )
    stacking = forms.ChoiceField(
        label=gettext_lazy("Together with others"),
        choices=(("joint", gettext_lazy("Joins other offers")), ("exclusive", gettext_lazy("Stands alone"))),
    )
    priority = forms.IntegerField(
        label=gettext_lazy("Place in the order"),
        min_value=0,
        max_value=9_999,
        initial=100,
        widget=forms.NumberInput(attrs={"class": "input"}),
        help_text=gettext_lazy("The smaller number applies first."),
    )
    starts_at = forms.DateTimeField(label=gettext_lazy("Begins"), required=False, widget=_WHEN)
    ends_at = forms.DateTimeField(label=gettext_lazy("Ends"), required=False, widget=_WHEN)
    days = forms.MultipleChoiceField(
        label=gettext_lazy("Days"), choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    from_time = forms.TimeField(label=gettext_lazy("From what time"), required=False, widget=_TIME)
    to_time = forms.TimeField(label=gettext_lazy("Until what time"), required=False, widget=_TIME)
    first_only = forms.BooleanField(label=gettext_lazy("For a first purchase alone"), required=False)
    stores = forms.MultipleChoiceField(
        label=gettext_lazy("Stores"), required=False, widget=forms.CheckboxSelectMultiple
    )
    member_tiers = forms.MultipleChoiceField(
        label=gettext_lazy("For members of these tiers alone"), required=False, widget=forms.CheckboxSelectMultiple
    )
    store_share = forms.IntegerField(
        label=gettext_lazy("What the stores bear, in percent"),
        min_value=0,
        max_value=100,
        required=False,
        widget=forms.NumberInput(attrs={"class": "input"}),
        help_text=gettext_lazy("Shared evenly among the stores ticked above; the business bears the rest."),
    )
    redemptions_max = _count(gettext_lazy("Uses in all"), required=False)
    customer_max = _count(gettext_lazy("Uses by one customer"), required=False)
    budget = _decimal(gettext_lazy("Budget"), required=False)

    def __init__(
        self,
        *args: Any,
        kind: str,
        currency: str,
        zone: ZoneInfo,
        now: datetime,
        stores: Sequence[Store],
        tiers: Mapping[str, str],
        offer: Offer | None = None,
        **options: Any,
    ) -> None:
        self.kind, self.currency, self.zone, self.now = kind, currency, zone, now
        self.rules: list[dict[str, Any]] = []
        # A page shows times by the minute; one that nobody touched stays as it is.
        self.kept = {"starts_at": offer.starts_at, "ends_at": offer.ends} if offer else {}
        super().__init__(*args, **options)
        effect = EFFECTS[kind]()
        self.fields = {**effect, **self.fields}
        self.fields = {"name": self.fields.pop("name"), **self.fields}
        for name, field in effect.items():
            field.widget.attrs.setdefault("class", "input")
            if field.required:
                field.error_messages["required"] = _("Fill this in.")
            self.initial.setdefault(name, "100" if (kind, name) == (frames.BUY_GET, "percent") else None)
        self.effect_names = list(effect)
        self.fields["stores"].choices = [(ids.show("sto", store.pk), store.name) for store in stores]  # type: ignore[attr-defined]
        if not stores:
            del self.fields["stores"], self.fields["store_share"]
        # A tier that the programme lost stays on the offer until somebody unticks it: else it would be for everybody.
        gone = {each: _("A tier that is gone") for each in self.initial.get("member_tiers", ()) if each not in tiers}
        self.tiers = {**tiers, **gone}
        self.fields["member_tiers"].choices = list(self.tiers.items())  # type: ignore[attr-defined]
        if not self.tiers:
            del self.fields["member_tiers"]
        if offer is not None:
            del self.fields["trigger"], self.fields["code"]
        if kind == frames.BUNDLE:
            del self.fields["products"], self.fields["categories"]
        if kind == frames.PERSONAL:
            self._read_rules()

    @property
    def _effects(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            frames.PERCENT: self._percent,
            frames.AMOUNT: self._fixed,
            frames.SPEND: self._spend,
            frames.BUY_GET: self._buy_get,
            frames.BUNDLE: self._bundle,
            frames.TIER_PRICE: self._tier_price,
            frames.FLASH: self._flash,
            frames.PERSONAL: self._personal,
        }

    @property
    def figures(self) -> list[tuple[str, Any]]:
        """What a rule may look at."""
        return list(FIGURES.items())

    @property
    def effect_fields(self) -> list[Any]:
        return [self[name] for name in self.effect_names]

    def clean_code(self) -> str:
        text = self.cleaned_data["code"].strip()
        if text and not codes.CODE.fullmatch(text):
            raise ValidationError(_("A code has letters, digits and dashes."))
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("starts_at", "ends_at"):
            if name in self.kept and name not in self.changed_data:
                cleaned[name] = self.kept[name]
            elif cleaned.get(name):
                cleaned[name] = cleaned[name].replace(tzinfo=self.zone)
        if bool(cleaned.get("from_time")) != bool(cleaned.get("to_time")):
            self.add_error("to_time", _("Hours begin and end."))
        if cleaned.get("days") and not cleaned.get("from_time"):
            self.add_error("from_time", _("Hours begin and end."))
        if cleaned.get("store_share") and not cleaned.get("stores"):
            self.add_error("store_share", _("Tick the stores that bear it."))
        if not self.errors:
            try:
                cleaned["terms"] = self._terms(cleaned)
                cleaned["limits"] = self._limits(cleaned)
            except _Wrong as wrong:
                self.add_error(wrong.field if wrong.field in self.fields else None, wrong.words)
            else:
                try:
                    offers.check(Draft(cleaned["terms"], cleaned["limits"]), self.now)
                except InvalidTerms as wrong:
                    self.refuse(wrong)
        return cleaned

    def draft(self) -> Draft:
        """What a valid form says."""
        return Draft(terms=self.cleaned_data["terms"], limits=self.cleaned_data["limits"])

    def refuse(self, refused: PlatformError, fields: Mapping[str, str] | None = None) -> None:
        """A room's refusal, at the field that it is about; what terms say wrongly, in the words of the desk."""
        name = FIELDS.get(refused.param or "", refused.param)
        if not isinstance(refused, InvalidTerms):
            super().refuse(refused, FIELDS)
            return
        self.add_error(name if name in self.fields else None, str(TERMS_WORDS.get(refused.param or "", TERMS_WRONG)))

    def _terms(self, given: dict[str, Any]) -> Terms:
        hours: tuple[Hours, ...] = ()
        if given.get("from_time") and given.get("to_time"):
            days = tuple(int(day) for day in given["days"]) or tuple(range(7))
            until = _minute(given["to_time"]) or 1440
            hours = (Hours(days=days, from_minute=_minute(given["from_time"]), to_minute=until),)
        stores = tuple(given.get("stores", ()))
        share = given.get("store_share") or 0
        bearers = [(frames.MERCHANT, (100 - share) * len(stores))] if share < 100 and stores and share else []
        bearers += [(store, share) for store in stores if share]
        has_amounts = self.kind in (frames.PERCENT, frames.BUY_GET, frames.PERSONAL)
        minimum = self._amount(given, "minimum") or 0
        most = self._amount(given, "discount_max")
        needs_currency = not has_amounts or minimum or most is not None or given.get("budget")
        return Terms(
            name=given["name"],
            kind=self.kind,
            effect=self._effects[self.kind](given),
            trigger=given.get("trigger") or self.initial.get("trigger") or frames.AUTOMATIC,
            currency=self.currency if needs_currency else None,
            priority=given["priority"],
            is_exclusive=given["stacking"] == "exclusive",
            products=tuple(self._products(given.get("products", ""), "products")),
            categories=tuple(each.strip() for each in re.split("[,，、]", given.get("categories", "")) if each.strip()),
            stores=stores,
            member_tiers=tuple(given.get("member_tiers", ())),
            hours=hours,
            minimum_minor=minimum,
            is_first_only=given["first_only"],
            discount_max_minor=most,
            margin_floor_ppm=self._ppm(given, "margin_floor") if given.get("margin_floor") else None,
            bearers=tuple(bearers) or ((frames.MERCHANT, 1),),
        )

    def _limits(self, given: dict[str, Any]) -> Limits:
        return Limits(
            starts_at=given.get("starts_at"),
            ends_at=given.get("ends_at"),
            redemptions_max=given.get("redemptions_max"),
            customer_max=given.get("customer_max"),
            budget_minor=self._amount(given, "budget"),
            units_max=given.get("units_max"),
        )

    # --- effects, by kind ---

    def _percent(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"off_ppm": self._ppm(given, "percent")}

    def _fixed(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"off_minor": self._amount(given, "amount")}

    def _spend(self, given: dict[str, Any]) -> dict[str, Any]:
        rows = self._pairs(given, _("Write two amounts on each line, such as 100 10."))
        return {
            "tiers": [
                {"from_minor": self._read("tiers", start), "off_minor": self._read("tiers", off)} for start, off in rows
            ]
        }

    def _buy_get(self, given: dict[str, Any]) -> dict[str, Any]:
        return {
            "buy": given["buy"],
            "get": given["get"],
            "off_ppm": self._ppm(given, "percent"),
            "times_max": given.get("times_max"),
            "get_products": self._products(given.get("get_products", ""), "get_products"),
            "get_categories": [],
        }

    def _bundle(self, given: dict[str, Any]) -> dict[str, Any]:
        found = [_COUNTED.fullmatch(line) for line in _split(given["parts"])]
        if not all(found):
            raise _Wrong("parts", _("Write how many of which product on each line, such as 1 Oat latte."))
        named = [(int(each["count"]), each["name"]) for each in found if each]
        products = self._products("\n".join(name for _count_, name in named), "parts")
        return {
            "parts": [
                {"product": product, "quantity": count} for (count, _name), product in zip(named, products, strict=True)
            ],
            "price_minor": self._amount(given, "price"),
            "times_max": given.get("times_max"),
        }

    def _tier_price(self, given: dict[str, Any]) -> dict[str, Any]:
        words = _("Write a number and a price on each line, such as 3 25.")
        rows = self._pairs(given, words)
        if not all(start.isdecimal() and len(start) < 5 for start, _price in rows):
            raise _Wrong("tiers", words)
        return {
            "tiers": [{"from_quantity": int(start), "unit_minor": self._read("tiers", price)} for start, price in rows]
        }

    def _flash(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"unit_minor": self._amount(given, "price"), "units_per_order": given.get("units_per_order")}

    def _personal(self, given: dict[str, Any]) -> dict[str, Any]:
        rules = []
        for row in self.rules:
            if not any(row[name] for name in ("value", "percent", "points")):
                continue
            if row["feature"] not in FEATURES:
                raise _Wrong("", _("Choose a figure from the list."))
            rule: dict[str, Any] = {"feature": row["feature"]}
            if row["feature"] in WORD_FEATURES:
                rule["equals"] = row["value"]
            elif row["feature"] == "spent_minor":
                rule["at_least"] = self._read("", row["value"])
            elif row["value"].isdecimal() and len(row["value"]) < 7:
                rule["at_least"] = int(row["value"])
            else:
                raise _Wrong("", _("Write a whole number in each rule."))
            if row["percent"]:
                rule["off_ppm"] = _ppm(row["percent"], "")
            if row["points"]:
                if not (row["points"].isdecimal() and len(row["points"]) < 8):
                    raise _Wrong("", _("Write a whole number of points."))
                rule["bonus_points"] = int(row["points"])
            rules.append(rule)
        if not rules:
            raise _Wrong("", _("Give at least one rule."))
        return {"rules": rules}

    # --- what was typed ---

    def _read_rules(self) -> None:
        names = ("feature", "value", "percent", "points")
        if self.is_bound:
            columns = [self.data.getlist(f"rule_{name}") for name in names]  # type: ignore[attr-defined]
            typed = [[text[:100].strip() for text in row] for row in zip(*columns, strict=False)]
            self.rules = [dict(zip(names, row, strict=True)) for row in typed[:RULES]]
        else:
            self.rules = list(self.initial.get("rules", ()))
        known = list(FEATURES)
        while len(self.rules) < RULES:
            self.rules.append({"feature": known[len(self.rules)], "value": "", "percent": "", "points": ""})

    def _amount(self, given: dict[str, Any], name: str) -> Any:
        return self._read(name, given[name]) if given.get(name) else None

    def _read(self, name: str, text: str) -> int:
        try:
            return read_amount(text, self.currency)
        except ValidationError as wrong:
            raise _Wrong(name, wrong.messages[0]) from wrong

    def _ppm(self, given: dict[str, Any], name: str) -> int:
        return _ppm(given[name], name)

    def _pairs(self, given: dict[str, Any], words: str) -> list[list[str]]:
        # As people write it: 100 10, and in Chinese 满100减10 or 满3件每件25元.
        rows = [re.split(r"[\s:：=>→满减件每元-]+", line.strip("满元 ")) for line in _split(given["tiers"])]
        if not rows or any(len(row) != 2 for row in rows):
            raise _Wrong("tiers", words)
        return rows

    def _products(self, text: str, field: str) -> list[str]:
        names = _split(text)
        found = queries.products_named(names)
        unknown = [name for name in names if name not in found]
        if unknown:
            words = ngettext(
                "There is no product of this name: {names}",
                "There are no products of these names: {names}",
                len(unknown),
            )
            raise _Wrong(field, words.format(names=", ".join(unknown[:5])))
        return [found[name] for name in names]


class _Wrong(Exception):
    """Something typed cannot be read."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field, self.words = field, words


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


def _ppm(text: str, name: str) -> int:
    typed = text.strip().removesuffix("%").strip()
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", typed):
        raise _Wrong(name, _("Write a percentage such as 12.5."))
    return int(Decimal(typed) * 10_000)


def _plain(ppm: int) -> str:
    return f"{ppm / 10_000:.4f}".rstrip("0").rstrip(".")


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _typed(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """A time as it stands in a field: to the minute, by the clock on the merchant's wall."""
    return at.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None) if at else None


def _minute(time: Any) -> int:
    return time.hour * 60 + time.minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
