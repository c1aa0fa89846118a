"""Price a session's order again: when the page opens and when the payer pays.

The catalogue is asked anew each time. A payer is never charged another amount than the
one on the page: where it changed meanwhile, the page says so first.
"""

from dataclasses import dataclass

from payments.checkout.models import CheckoutSession
from payments.orders import operations as orders
from payments.orders.models import Order, OrderLine

# What a line is shown and priced by: the page is asked for often, and the three rows are wide.
_READ = (
    *("order_id", "description", "quantity", "unit_price_minor", "discount_minor", "tax_minor", "amount_minor"),
    *("price__unit_amount_minor", "price__is_active", "product__is_active", "product__deleted_at"),
)


@dataclass(frozen=True, slots=True)
class Quote:
    """What the order of a session costs now, with its lines as they stand."""

    order: Order
    lines: list[OrderLine]
    is_sold: bool
    total_minor: int

    @property
    def has_changed(self) -> bool:
        return self.total_minor != self.order.total_minor

    @property
    def is_to_be_written(self) -> bool:
        """Whether the order is to follow: what is not sold any more, or would cost nothing, keeps its price."""
        return self.is_sold and self.has_changed and 0 < self.total_minor <= orders.TOTAL_MAX


def quote(session: CheckoutSession) -> Quote:
    """What the catalogue asks for the order now. Writes nothing; locks the order."""
    return quote_of(orders.lock(session.order_id))


def quote_of(order: Order) -> Quote:
    """What the catalogue asks for an order that was read. Writes and locks nothing."""
    lines = lines_of(order)
    return Quote(
        order=order,
        lines=lines,
        is_sold=all(_is_sold(line) for line in lines),
        total_minor=sum(line.quantity * _unit_price(line) - line.discount_minor + line.tax_minor for line in lines),
    )


def refresh(session: CheckoutSession) -> Quote:
    """Bring a locked open session's order to the prices of now. This will write them, and the former total."""
    found = quote(session)
    if not found.is_to_be_written:
        return found
    session.former_total_minor = found.order.total_minor
    session.save(update_fields=["former_total_minor"])
    orders.reprice(order=found.order, unit_prices={line.pk: _unit_price(line) for line in found.lines})
    return quote_of(found.order)


def lines_of(order: Order) -> list[OrderLine]:
    """The order's lines with what the catalogue says of them."""
    lines = OrderLine.objects.select_related("price", "product").only(*_READ)
    return list(lines.filter(order_id=order.pk).order_by("pk"))


def _unit_price(line: OrderLine) -> int:
    return line.price.unit_amount_minor if line.price else line.unit_price_minor


def _is_sold(line: OrderLine) -> bool:
    if line.product and (not line.product.is_active or line.product.deleted_at is not None):
        return False
    return line.price is None or line.price.is_active
