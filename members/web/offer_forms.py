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
from members.web.offer_fields import (
    DAYS,
    EFFECTS,
    FIELDS,
    FIGURES,
    TERMS_WORDS,
    TERMS_WRONG,
    TEXT_MAX,
    TIME,
    WHEN,
    count_field,
    decimal_field,
    lines_field,
)
from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import PlatformError
from payments.web.dashboard.product_forms import read_amount
from security.merchants.models import Store
from security.web.forms import DeskForm

_COUNTED = re.compile(r"\s*(?P<count>[0-9]{1,4})\s*[x×]?\s+(?P<name>.+?)\s*")
# How many rules a personal offer takes.
RULES = 3


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
    products = lines_field(
        gettext_lazy("Products"), rows=2, help_text=gettext_lazy("By name, one a line. Empty: everything.")
    )
    categories = forms.CharField(
        label=gettext_lazy("Categories"),
        max_length=TEXT_MAX,
        required=False,
        help_text=gettext_lazy("With commas between them."),
    )
    minimum = decimal_field(gettext_lazy("Least sum of the order"), required=False)
    discount_max = decimal_field(gettext_lazy("Most that comes off an order"), required=False)
    margin_floor = decimal_field(
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
    starts_at = forms.DateTimeField(label=gettext_lazy("Begins"), required=False, widget=WHEN)
    ends_at = forms.DateTimeField(label=gettext_lazy("Ends"), required=False, widget=WHEN)
    days = forms.MultipleChoiceField(
        label=gettext_lazy("Days"), choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    from_time = forms.TimeField(label=gettext_lazy("From what time"), required=False, widget=TIME)
    to_time = forms.TimeField(label=gettext_lazy("Until what time"), required=False, widget=TIME)
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
    redemptions_max = count_field(gettext_lazy("Uses in all"), required=False)
    customer_max = count_field(gettext_lazy("Uses by one customer"), required=False)
    budget = decimal_field(gettext_lazy("Budget"), required=False)

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
            margin_floor_ppm=_ppm("margin_floor", given["margin_floor"]) if given.get("margin_floor") else None,
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
        return {"off_ppm": _ppm("percent", given["percent"])}

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
            "off_ppm": _ppm("percent", given["percent"]),
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
                rule["off_ppm"] = _ppm("", row["percent"])
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


def _ppm(name: str, text: str) -> int:
    typed = text.strip().removesuffix("%").strip()
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", typed):
        raise _Wrong(name, _("Write a percentage such as 12.5."))
    return int(Decimal(typed) * 10_000)


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _minute(time: Any) -> int:
    return time.hour * 60 + time.minute
