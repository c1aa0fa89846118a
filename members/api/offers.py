"""/v1/offers: ours, in the same style."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from members.api.fields import Ppm
from members.offers import frames, objects, queries
from members.offers.codes import CODE_LENGTH_MAX
from members.offers.queries import CODES_MAX, Asked
from merchant_platform.kernel import ids, money
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import (
    Currency,
    Emptied,
    Id,
    InvalidParameter,
    Listed,
    Nested,
    Params,
    UpTo,
    check_step,
)
from payments.api.catalog import PriceAmount
from payments.api.orders import LINES_MAX, Quantity
from payments.catalog.models import Price
from payments.customers import operations as customers
from security.merchants.models import Store


class LineItem(Nested):
    """A price, or a description with a unit amount. `tax_percent` is added to what the discount leaves."""

    category: Emptied[Annotated[str, UpTo(100)]] = None
    description: Emptied[Annotated[str, UpTo(500)]] = None
    price: Id | None = None
    quantity: Quantity = 1
    tax_percent: Ppm | None = None
    unit_amount: PriceAmount | None = None


class Preview(Params):
    codes: Listed[Annotated[str, UpTo(CODE_LENGTH_MAX)]] = []
    currency: Currency
    customer: Id | None = None
    line_items: Listed[LineItem]
    store: Id | None = None


@endpoint(permission="offers:read", params=Preview, returns="offer.preview")
def preview(call: Call) -> dict[str, Any]:
    """Price a cart, and say why"""
    params = call.params
    if not 1 <= len(params.line_items) <= LINES_MAX:
        raise InvalidParameter(f"A cart has 1 to {LINES_MAX} line items.", param="line_items")
    if len(params.codes) > CODES_MAX:
        raise InvalidParameter(f"Up to {CODES_MAX} codes at once.", param="codes")
    priced, _, _ = queries.price(
        Asked(
            currency=params.currency,
            lines=_lines(params.line_items, params.currency),
            now=call.now,
            customer_id=_customer(params.customer),
            store_id=_store(call, params.store),
            codes=params.codes,
            least_minor=money.step(params.currency),
        )
    )
    return objects.preview(priced, livemode=call.caller.livemode)


def _lines(items: Sequence[LineItem], currency: str) -> list[frames.Line]:
    """The lines as the engine sees them. Raises InvalidParameter, with the line that is wrong."""
    named = {
        position: paging.identifier("price", item.price, param=f"line_items[{position}][price]")
        for position, item in enumerate(items)
        if item.price is not None
    }
    prices = {row.pk: row for row in Price.objects.select_related("product").filter(pk__in=set(named.values()))}
    lines = []
    for position, item in enumerate(items):
        param = f"line_items[{position}]"
        tax = item.tax_percent or 0
        if position not in named:
            if item.unit_amount is None:
                raise InvalidParameter(
                    f"Missing required param: {param}[unit_amount].",
                    code="parameter_missing",
                    param=f"{param}[unit_amount]",
                )
            check_step(item.unit_amount, currency, param=f"{param}[unit_amount]")
            lines.append(
                frames.Line(str(position), item.quantity, item.unit_amount, category=item.category or "", tax_ppm=tax)
            )
            continue
        price = prices.get(named[position])
        if price is None:
            raise InvalidParameter(f"No such price: '{item.price}'", code="resource_missing", param=f"{param}[price]")
        if price.currency != currency:
            raise InvalidParameter(
                f"The price is in {price.currency.lower()}, the cart in {currency.lower()}.", param=f"{param}[price]"
            )
        lines.append(
            frames.Line(
                str(position),
                item.quantity,
                price.unit_amount_minor,
                product=ids.show("prod", price.product_id),
                category=price.product.category,
                cost_minor=price.product.cost_minor,
                tax_ppm=tax,
            )
        )
    return lines


def _customer(text: str | None) -> UUID | None:
    if text is None:
        return None
    return customers.find(paging.identifier("cus", text, param="customer"), param="customer").pk


def _store(call: Call, text: str | None) -> UUID | None:
    if text is None:
        return None
    store_id = paging.identifier("sto", text, param="store")
    if not Store.objects.filter(pk=store_id, merchant_id=call.caller.merchant_id, closed_at__isnull=True).exists():
        raise InvalidParameter(f"No such store: '{text}'", code="resource_missing", param="store")
    return store_id


urlpatterns = [
    door("offers/preview", POST=preview),
]
