"""Price a session's order again: when the page opens and when the payer pays.

The catalogue is asked anew each time. A payer is never charged another amount than the
one on the page: where it changed meanwhile, the page says so first.
"""

from dataclasses import dataclass

from payments.checkout.models import CheckoutSession
from payments.orders import operations as orders
from payments.orders.models import Order, OrderLine


@dataclass(frozen=True, slots=True)
class Quote:
    """What the locked order of a session costs now."""

    order: Order
    is_sold: bool
    total_minor: int

    @property
    def has_changed(self) -> bool:
        return self.total_minor != self.order.total_minor


def quote(session: CheckoutSession) -> Quote:
    """What the catalogue asks for the order now. Writes nothing; locks the order."""
    order = orders.lock(session.order_id)
    lines = lines_of(order)
    return Quote(
        order=order,
        is_sold=all(_is_sold(line) for line in lines),
        total_minor=sum(line.quantity * _unit_price(line) - line.discount_minor + line.tax_minor for line in lines),
    )


def refresh(session: CheckoutSession) -> Quote:
    """Bring a locked open session's order to the prices of now. This will write them, and the former total.

    What is not sold any more, or would cost nothing, keeps its price: it cannot be paid for.
    """
    found = quote(session)
    if not found.is_sold or not found.has_changed or not 0 < found.total_minor <= orders.TOTAL_MAX:
        return found
    session.former_total_minor = found.order.total_minor
    session.save(update_fields=["former_total_minor"])
    orders.reprice(order=found.order, unit_prices={line.pk: _unit_price(line) for line in lines_of(found.order)})
    return found


def lines_of(order: Order) -> list[OrderLine]:
    """The order's lines with what the catalogue says of them."""
    return list(OrderLine.objects.select_related("price", "product").filter(order=order).order_by("pk"))


def _unit_price(line: OrderLine) -> int:
    return line.price.unit_amount_minor if line.price else line.unit_price_minor


def _is_sold(line: OrderLine) -> bool:
    if line.product and (not line.product.is_active or line.product.deleted_at is not None):
        return False
    return line.price is None or line.price.is_active
