"""/v1/orders: ours, in the same style."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Answer, Call, door, endpoint
from merchant_platform.kernel.api.params import (
    Amount,
    Currency,
    Emptied,
    Id,
    Integer,
    InvalidParameter,
    Listed,
    ListParams,
    Metadata,
    Nested,
    Params,
    UpTo,
    check_step,
)
from merchant_platform.kernel.metadata import merge
from payments.api.addresses import mode, not_here, origin, path_id
from payments.api.refunds import RefundedLine, named_lines
from payments.catalog.models import Price
from payments.customers import operations as customers
from payments.intents import order_deeds
from payments.orders import objects
from payments.orders import operations as orders
from payments.orders.models import Order, OrderLine
from payments.tenders import objects as tender_objects
from payments.tenders import operations as tenders
from security.merchants.models import Store

LINES_MAX = 100
QUANTITY_MAX = 9_999


def _quantity(value: int) -> int:
    if not 1 <= value <= QUANTITY_MAX:
        raise PydanticCustomError(
            "parameter_invalid_integer", "This value must be between 1 and {n}.", {"n": QUANTITY_MAX}
        )
    return value


Quantity = Annotated[Integer, AfterValidator(_quantity)]


class LineItem(Nested):
    """A price, or a description with a unit amount."""

    category: Emptied[Annotated[str, UpTo(100)]] = None
    description: Emptied[Annotated[str, UpTo(500)]] = None
    price: Id | None = None
    quantity: Quantity = 1
    unit_amount: Amount | None = None


class CreateOrder(Params):
    currency: Currency
    customer: Id | None = None
    line_items: Listed[LineItem]
    metadata: Metadata = {}
    reference: Emptied[Annotated[str, UpTo(100)]] = None
    store: Id | None = None


class RefundOrder(Params):
    amount: Amount | None = None
    lines: Listed[RefundedLine] = []
    metadata: Metadata = {}
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


class ListOrders(ListParams):
    customer: Id | None = None
    reference: Annotated[str, UpTo(100)] | None = None
    status: Annotated[str, UpTo(20)] | None = None


@endpoint(permission="orders:write", params=CreateOrder, returns="order")
def create(call: Call) -> dict[str, Any]:
    """Create an order"""
    params = call.params
    if not 1 <= len(params.line_items) <= LINES_MAX:
        raise InvalidParameter(f"An order has 1 to {LINES_MAX} line items.", param="line_items")
    for position, item in enumerate(params.line_items):
        check_step(item.unit_amount or 0, params.currency, param=f"line_items[{position}][unit_amount]")
    if (params.reference or "").startswith("ord_"):
        raise InvalidParameter("A reference of your own cannot begin with 'ord_'.", param="reference")
    row, lines = orders.create(
        currency=params.currency,
        lines=_drafts(params.line_items),
        customer_id=_customer(params.customer),
        store_id=_store(call, params.store),
        reference=params.reference,
        metadata=merge({}, params.metadata),
        now=call.now,
        origin=origin(call),
    )
    return objects.order(row, lines, livemode=call.caller.livemode)


@endpoint(permission="orders:read", returns="order")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve an order"""
    row = Order.objects.filter(pk=path_id(call, "ord")).first()
    if row is None:
        raise not_here(call, "ord")
    return render_rows([row], livemode=call.caller.livemode)[0]


@endpoint(permission="orders:read", params=ListOrders, returns="order", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all orders"""
    rows: QuerySet[Order] = Order.objects.all()
    if call.params.customer:
        rows = rows.filter(customer_id=paging.identifier("cus", call.params.customer, param="customer"))
    if call.params.reference:
        rows = rows.filter(reference=call.params.reference)
    if call.params.status:
        rows = rows.filter(status=call.params.status)
    return paging.page(
        rows,
        call.params,
        prefix="ord",
        url=call.url,
        render=lambda found: render_rows(found, livemode=call.caller.livemode),
    )


@endpoint(permission="orders:read", returns="tender", is_list=True)
def list_tenders(call: Call) -> dict[str, Any]:
    """List the tenders of an order, in the order in which they are taken"""
    row = Order.objects.filter(pk=path_id(call, "ord")).first()
    if row is None:
        raise not_here(call, "ord")
    found = [tender_objects.tender(each, livemode=call.caller.livemode) for each in tenders.of(row)]
    return {"object": "list", "data": found, "has_more": False, "url": call.url}


@endpoint(permission="refunds:write", params=RefundOrder, returns="order_refund", answers_itself=True)
def refund(call: Call) -> Answer:
    """Refund an order: the last tender first, each up to what it paid"""
    params, order_id = call.params, path_id(call, "ord")
    return order_deeds.refund_once(
        book_id=call.book_id,
        request=call.idempotency,
        order_id=order_id,
        amount_minor=params.amount,
        lines=named_lines(params.lines),
        reason=params.reason,
        metadata=merge({}, params.metadata),
        mode=mode(call),
        now=call.now,
        origin=origin(call),
    )


def render_rows(rows: Sequence[Order], *, livemode: bool) -> list[dict[str, Any]]:
    """Orders with their lines: two statements for a page."""
    by_order: dict[Any, list[OrderLine]] = {}
    for line in OrderLine.objects.filter(order_id__in=[row.pk for row in rows]).order_by("pk"):
        by_order.setdefault(line.order_id, []).append(line)
    return [objects.order(row, by_order.get(row.pk, []), livemode=livemode) for row in rows]


def _drafts(items: list[LineItem]) -> list[orders.LineDraft]:
    named = {
        position: paging.identifier("price", item.price, param=f"line_items[{position}][price]")
        for position, item in enumerate(items)
        if item.price
    }
    prices = {price.pk: price for price in Price.objects.select_related("product").filter(pk__in=named.values())}
    drafts = []
    for position, item in enumerate(items):
        param = f"line_items[{position}]"
        if bool(item.price) == (item.unit_amount is not None):
            raise InvalidParameter(
                "A line item has either a price or a unit_amount.", code="parameters_exclusive", param=param
            )
        if item.price and named[position] not in prices:
            raise InvalidParameter(f"No such price: '{item.price}'", code="resource_missing", param=f"{param}[price]")
        if not item.price and not item.description:
            raise InvalidParameter(
                f"Missing required param: {param}[description].",
                code="parameter_missing",
                param=f"{param}[description]",
            )
        drafts.append(
            orders.LineDraft(
                quantity=item.quantity,
                price=prices[named[position]] if item.price else None,
                description=item.description or "",
                unit_price_minor=item.unit_amount or 0,
                category=item.category or "",
            )
        )
    return drafts


def _customer(text_: str | None) -> Any:
    if text_ is None:
        return None
    return customers.find(paging.identifier("cus", text_, param="customer"), param="customer").pk


def _store(call: Call, text_: str | None) -> Any:
    if text_ is None:
        return None
    store_id = paging.identifier("sto", text_, param="store")
    if not Store.objects.filter(pk=store_id, merchant_id=call.caller.merchant_id, closed_at__isnull=True).exists():
        raise InvalidParameter(f"No such store: '{text_}'", code="resource_missing", param="store")
    return store_id


urlpatterns = [
    door("orders", GET=list_, POST=create),
    door("orders/<id>", GET=retrieve),
    door("orders/<id>/refund", POST=refund),
    door("orders/<id>/tenders", GET=list_tenders),
]
