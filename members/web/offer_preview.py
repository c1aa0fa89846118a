"""A sample cart beside the editor of an offer, priced by what stands in the form."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest

from members.offers import engine, frames, queries, why
from members.offers.frames import Cart, Code, Line
from members.offers.frames import Offer as Frame
from members.web.offer_forms import OfferForm
from merchant_platform.kernel import ids, money
from payments.catalog import queries as catalog
from payments.web.dashboard.product_forms import read_amount
from security.web.desk import Desk

ROWS, PRODUCTS_MAX, QUANTITY_MAX = 3, 50, 999
SAMPLE_MINOR = 6_000
DRAFT = "offer_draft"


def context(request: HttpRequest, desk: Desk, form: OfferForm) -> dict[str, Any]:
    """What the fragment shows: the cart's rows, and what they cost, as soon as the form can be read."""
    currency = desk.merchant.default_currency
    goods = _goods(currency)
    typed = request.POST if request.method == "POST" else {}
    rows = _rows(typed, goods, currency)
    shown: dict[str, Any] = {
        "sample_rows": rows,
        "goods": [(shown_id, line.name) for shown_id, line in goods.items()],
        "figures": _figures(typed) if form.kind == frames.PERSONAL else None,
        "with_others": bool(typed.get("with_others")),
        "sample_code": typed.get("code") or "CODE",
    }
    if not form.is_bound or not form.is_valid():
        return {**shown, "is_readable": not form.is_bound, "priced": None}
    lines = tuple(row["line"] for row in rows if row["line"] is not None)
    if not lines:
        return {**shown, "is_readable": True, "priced": None}
    asked = queries.Asked(currency=currency, lines=lines, now=desk.now, least_minor=money.step(currency))
    cart, running = queries.situation(asked)
    limits = form.draft().limits
    draft = Frame(DRAFT, 1, form.draft().terms, budget_left_minor=limits.budget_minor, units_left=limits.units_max)
    edited = typed.get("offer", "")
    others = [each for each in running if each.id != edited] if shown["with_others"] else []
    terms = draft.terms
    priced = engine.price(
        Cart(
            currency=currency,
            lines=cart.lines,
            weekday=terms.hours[0].days[0] if terms.hours else cart.weekday,
            minute=terms.hours[0].from_minute if terms.hours else cart.minute,
            store=terms.stores[0] if terms.stores else None,
            is_known=True,
            member_tiers={each: form.tiers[each] for each in terms.member_tiers[:1]},
            tier_names=form.tiers,
            features=shown["figures"],
            codes=(Code(shown["sample_code"], offer=DRAFT),) if terms.trigger == frames.CODE else (),
            least_minor=cart.least_minor,
        ),
        [draft, *others],
    )
    names = {row["line"].key: row["name"] for row in rows if row["line"] is not None}
    return {
        **shown,
        "is_readable": True,
        "priced": priced,
        "priced_lines": [(names[line.key], line) for line in priced.lines],
        "reasons": [why.say(reason, audience=why.CUSTOMER) for each in priced.applied for reason in each.reasons],
        "refusals": [why.say(reason, audience=why.MERCHANT) for reason in priced.refused],
        "near_misses": [why.say_near_miss(near) for near in priced.near_misses],
    }


class _Good:
    def __init__(self, name: str, line: Line) -> None:
        self.name, self.line = name, line


def _goods(currency: str) -> dict[str, _Good]:
    """What can be put into the sample cart: products on sale with a price in the merchant's currency."""
    products = list(catalog.products(is_active=True).order_by("name_key", "pk")[:PRODUCTS_MAX])
    prices = catalog.prices_of([product.pk for product in products])
    goods = {}
    for product in products:
        active = [each for each in prices[product.pk] if each.is_active and each.currency == currency]
        price = next((each for each in active if each.pk == product.default_price_id), active[0] if active else None)
        if price is not None:
            shown = ids.show("prod", product.pk)
            line = Line("", 1, price.unit_amount_minor, shown, product.category, product.cost_minor)
            goods[shown] = _Good(product.name, line)
    return goods


def _rows(typed: Mapping[str, Any], goods: Mapping[str, _Good], currency: str) -> list[dict[str, Any]]:
    """The rows of the sample cart: products with a number, and other goods for an amount."""
    first = list(goods)[:ROWS]
    rows = []
    for place in range(ROWS):
        chosen = typed.get(f"sample_product_{place}", first[place] if not typed and place < len(first) else "")
        quantity = _quantity(typed.get(f"sample_quantity_{place}", "1"))
        good = goods.get(chosen)
        line = None
        if good is not None and quantity:
            line = Line(
                str(place), quantity, good.line.unit_minor, good.line.product, good.line.category, good.line.cost_minor
            )
        rows.append(
            {
                "place": place,
                "chosen": chosen,
                "quantity": quantity,
                "line": line,
                "name": good.name if good else "",
                "is_other": False,
            }
        )
    text = typed.get("sample_amount", "" if first else money.to_type(SAMPLE_MINOR, currency))
    try:
        amount = read_amount(text, currency) if text else 0
    except ValidationError:
        amount = 0
    rows.append(
        {
            "place": ROWS,
            "text": text,
            "line": Line("other", 1, amount) if amount else None,
            "name": "",
            "is_other": True,
        }
    )
    return rows


def _quantity(text: str) -> int:
    return min(int(text), QUANTITY_MAX) if text.isascii() and text.isdecimal() and len(text) < 5 else 0


def _figures(typed: Mapping[str, Any]) -> dict[str, Any]:
    """The member that a personal offer is tried on."""
    return {
        "frequency": _quantity(typed.get("sample_frequency", "12")),
        "spent_minor": _quantity(typed.get("sample_spent", "999")) * 100,
        "recency_days": _quantity(typed.get("sample_recency", "3")),
        "churn_risk": _quantity(typed.get("sample_risk", "10")),
        "favourite_category": typed.get("sample_category", "")[:100],
    }
