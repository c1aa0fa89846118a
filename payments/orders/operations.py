"""Write orders, and keep what is paid and refunded on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Conflict, Invalid, missing
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.rows import unsaved
from merchant_platform.kernel.states import advance
from merchant_platform.kernel.writes import Writes, writing
from payments.catalog.models import Price, Product
from payments.orders import objects, states
from payments.orders.models import Order, OrderLine
from payments.origin import Origin

TOTAL_MAX = 99_999_999
BARE_DESCRIPTION = "Payment"
REFERENCE_ONCE = "payments_order_reference_once_a_book"


class ReferenceTaken(Invalid):
    """Another order has this reference."""

    code = "resource_already_exists"


class NothingOwed(Invalid):
    """The order's intents already cover what it owes."""

    code = "order_amount_exceeded"


class TotalOutOfRange(Invalid):
    """The lines sum to nothing, or to more than one order may be."""

    code = "amount_too_large"


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line to be written: of a price, or free with a description and an amount, perhaps of a product."""

    quantity: int
    price: Price | None = None
    product: Product | None = None
    description: str = ""
    unit_price_minor: int = 0
    category: str = ""


def name_customer(*, order: Order, customer_id: UUID | None) -> None:
    """Say whose an unpaid order is to be. This will write it."""
    order.customer_id = customer_id
    order.save(update_fields=["customer"])


def bare(*, amount_minor: int, currency: str, description: str | None, now: datetime, book_id: UUID,
         customer_id: UUID | None, reference: str | None = None) -> tuple[Order, OrderLine]:  # fmt: skip
    """The order of one line behind a bare payment, unsaved: pure, so that every road writes the same rows."""
    order = unsaved(
        Order,
        id=ids.new(now),
        book_id=book_id,
        reference=reference,
        customer_id=customer_id,
        status=states.OPEN,
        is_implicit=True,
        currency=currency,
        total_minor=amount_minor,
        created_at=now,
    )
    line = unsaved(
        OrderLine,
        id=ids.new(now),
        book_id=book_id,
        order_id=order.pk,
        description=description or BARE_DESCRIPTION,
        quantity=1,
        unit_price_minor=amount_minor,
        amount_minor=amount_minor,
    )
    return order, line


def write_bare(order: Order, line: OrderLine, *, into: Writes | None = None) -> None:
    """Write the order of a bare payment. Raises ReferenceTaken where somebody wrote its reference at this moment."""
    taken = ReferenceTaken("An order with this reference exists.", param="payment_details[order_reference]")
    with writing(into) as writes:
        writes.insert(order, line, refusals={REFERENCE_ONCE: taken})


def create(
    *,
    currency: str,
    lines: Sequence[LineDraft],
    now: datetime,
    origin: Origin,
    customer_id: UUID | None = None,
    store_id: UUID | None = None,
    reference: str | None = None,
    metadata: dict[str, Any] | None = None,
    into: Writes | None = None,
) -> tuple[Order, list[OrderLine]]:
    """Write an order with its lines. This will tell `order.created`.

    Raises ReferenceTaken, TotalOutOfRange, and Invalid for a price in another currency
    or no longer sold.
    """
    order = Order(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        reference=reference,
        customer_id=customer_id,
        store_id=store_id,
        status=states.OPEN,
        currency=currency,
        metadata=metadata or {},
        created_at=now,
    )
    rows = [_line(order, draft, position, now=now) for position, draft in enumerate(lines)]
    order.total_minor = sum(line.amount_minor for line in rows)
    if not 0 < order.total_minor <= TOTAL_MAX:
        raise TotalOutOfRange(f"An order's total is between 1 and {TOTAL_MAX} minor units.", param="line_items")
    with writing(into) as writes:
        taken = ReferenceTaken("An order with this reference exists.", param="reference")
        writes.insert(order, *rows, refusals={REFERENCE_ONCE: taken})
        shown = objects.order(order, rows, livemode=origin.livemode)
        publish(row("order.created", shown, now=now, **origin.tags), into=writes)
    return order, rows


def lock(order_id: UUID) -> Order:
    """The order, locked until the unit of work ends: what its intents may still take is decided under it."""
    order = Order.objects.select_for_update().filter(pk=order_id).first()
    if order is None:
        raise missing("order", ids.show("ord", order_id))
    return order


def find_by_reference(reference: str) -> Order | None:
    """The locked order that a payment names: by its id, or by the merchant's own reference."""
    try:
        named: dict[str, Any] = {"pk": ids.parse("ord", reference)}
    except ids.MalformedId:
        named = {"reference": reference}
    return Order.objects.select_for_update().filter(**named).first()


def record_paid(order: Order, *, amount_minor: int, into: Writes | None = None) -> None:
    """Count a payment of a locked order. This will raise what is paid, and mark it paid when nothing is owed any more.

    Raises Conflict where the order does not owe so much.
    """
    if amount_minor > order.owed_minor:
        raise Conflict("The order was paid by another request at the same time.")
    paid_minor = order.paid_minor + amount_minor
    is_paid = paid_minor == order.total_minor and order.status == states.OPEN
    with writing(into) as writes:
        writes.update(
            order,
            where={"paid_minor": order.paid_minor},
            paid_minor=paid_minor,
            **({"status": states.PAID} if is_paid else {}),
        )


def record_refunded(order: Order, *, amount_minor: int, into: Writes | None = None) -> None:
    """Count a refund of a locked order. This will raise what is refunded."""
    with writing(into) as writes:
        writes.update(
            order,
            where={"refunded_minor": order.refunded_minor},
            refunded_minor=order.refunded_minor + amount_minor,
        )


def resize_bare(*, order: Order, amount_minor: int, currency: str) -> None:
    """Follow a changed payment amount. This will change the one line of an implicit order and its total."""
    OrderLine.objects.filter(order=order).update(unit_price_minor=amount_minor, amount_minor=amount_minor)
    order.total_minor, order.currency = amount_minor, currency
    order.save(update_fields=["total_minor", "currency"])


def reopen_bare(*, order: Order, amount_minor: int, currency: str) -> None:
    """Owe an implicit order again whose payment was canceled. This will open it and follow the new amount.

    The order is locked by its caller, and nothing was ever paid on it.
    """
    advance(order, to=states.OPEN, moves=states.MOVES)
    resize_bare(order=order, amount_minor=amount_minor, currency=currency)


def reprice(*, order: Order, unit_prices: Mapping[UUID, int], discounts: Mapping[UUID, int] | None = None) -> None:
    """Follow changed prices of a locked order that nobody paid. This will change its lines, by id, and its total.

    `discounts` are what every line is reduced by; a line that is not named has none. Without them they stay.
    """
    assert not order.paid_minor, "what was paid keeps its price"
    lines = list(OrderLine.objects.filter(order=order).order_by("pk"))
    for line in lines:
        line.unit_price_minor = unit_prices.get(line.pk, line.unit_price_minor)
        if discounts is not None:
            line.discount_minor = discounts.get(line.pk, 0)
        line.amount_minor = line.quantity * line.unit_price_minor - line.discount_minor + line.tax_minor
    OrderLine.objects.bulk_update(lines, ["unit_price_minor", "discount_minor", "amount_minor"])
    order.total_minor = sum(line.amount_minor for line in lines)
    order.save(update_fields=["total_minor"])


def cancel_unpaid(*, order_id: UUID) -> None:
    """Give up an order that nobody paid and nobody can pay any more."""
    Order.objects.filter(pk=order_id, status=states.OPEN, paid_minor=0).update(status=states.CANCELED)


def cancel_bare(order: Order, *, into: Writes | None = None) -> None:
    """Give up a locked implicit order whose payment was canceled; any other stays."""
    if order.is_implicit and order.status == states.OPEN and not order.paid_minor:
        with writing(into) as writes:
            advance(order, to=states.CANCELED, moves=states.MOVES, into=writes)


def _line(order: Order, draft: LineDraft, position: int, *, now: datetime) -> OrderLine:
    price = draft.price
    if price is not None:
        if price.currency != order.currency:
            raise Invalid(
                f"The price is in {price.currency.lower()}, the order in {order.currency.lower()}.",
                param=f"line_items[{position}][price]",
            )
        if not price.is_active or not price.product.is_active:
            raise Invalid("The price or its product is not sold any more.", param=f"line_items[{position}][price]")
    unit_price = price.unit_amount_minor if price else draft.unit_price_minor
    product = price.product if price else draft.product
    return OrderLine(
        id=ids.new(now),
        book_id=order.book_id,
        order_id=order.pk,
        product_id=product.pk if product else None,
        price_id=price.pk if price else None,
        description=draft.description or (product.name if product else BARE_DESCRIPTION),
        category=product.category if product else draft.category,
        quantity=draft.quantity,
        unit_price_minor=unit_price,
        amount_minor=draft.quantity * unit_price,
        unit_cost_minor=product.cost_minor if product else None,
    )
