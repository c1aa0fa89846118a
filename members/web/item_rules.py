"""The rows of a programme's editor that name products: picked by name from the catalogue, kept by id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.loyalty.terms import Terms
from members.offers import queries as offers
from members.web.programme_fields import whole
from payments.catalog import queries as catalog

# Spare rows under those that are filled, and how many there are at the most: terms have at most thirty rules.
SPARE_ROWS, ROWS_MAX = 3, 12
PICKED_MAX = 200
NAME_LENGTH_MAX = 250


@dataclass(frozen=True, slots=True)
class Goods:
    """What the browser proposes in the fields: any other name of the catalogue can be typed."""

    products: Sequence[str]
    categories: Sequence[str]


def goods() -> Goods:
    """The first of the products on sale by name, and their categories. One statement."""
    rows = catalog.products(is_active=True).order_by("name_key", "pk").values_list("name", "category")[:PICKED_MAX]
    found = list(rows)
    return Goods(
        list(dict.fromkeys(name for name, _category in found)), sorted({category for _name, category in found} - {""})
    )


def kept(terms: Terms) -> list[Mapping[str, Any]]:
    """The rules of the terms that name a product."""
    return [each for each in terms.rules if each["kind"] == "item"]


def fields(count: int) -> dict[str, forms.Field]:
    """The fields of so many filled rows and some spare ones."""
    found: dict[str, forms.Field] = {}
    for row in range(min(count + SPARE_ROWS, max(count, ROWS_MAX))):
        found[f"item{row}_product"] = forms.CharField(
            label=gettext_lazy("Product"),
            max_length=NAME_LENGTH_MAX,
            required=False,
            widget=forms.TextInput(
                attrs={"class": "input", "list": "products", "autocomplete": "off", "translate": "no"}
            ),
        )
        found[f"item{row}_points"] = whole(gettext_lazy("Points for each one"), 1, 100_000)
        found[f"item{row}_points"].widget.attrs["class"] = "input"
    return found


def initial(rules: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, Any]:
    """What the rows show of the rules that stand."""
    return {
        f"item{row}_{name}": value
        for row, rule in enumerate(rules)
        for name, value in (("product", names.get(rule["product"], rule["product"])), ("points", rule["points"]))
    }


def read(given: Mapping[str, Any], names: Mapping[str, str]) -> tuple[list[dict[str, Any]], list[tuple[str, Any]]]:
    """The rules that filled rows say, and what is wrong, a field each. One statement.

    `names` are those of the products that the terms name already: such a name stays that
    product's, also where another has it too, or it is sold no more.
    """
    typed = {
        field: text
        for field, text in given.items()
        if field.startswith("item") and field.endswith("_product") and text and given.get(f"{field[:-7]}points")
    }
    ids_by_name = {**offers.products_named(list(typed.values())), **{name: each for each, name in names.items()}}
    rules, wrong, seen = [], [], set()
    for field, text in typed.items():
        product = ids_by_name.get(text)
        if product is None:
            wrong.append((field, _("There is no product of this name. Choose one from the list.")))
        elif product in seen:
            wrong.append((field, _("This product stands above already.")))
        else:
            seen.add(product)
            rules.append({"kind": "item", "product": product, "points": given[f"{field[:-7]}points"]})
    return rules, wrong
