"""Price a session's order again: when the page opens and when the payer pays.

The catalogue is asked anew each time, and so is who gives discounts, where somebody does.
A payer is never charged another amount than the one on the page: where it changed
meanwhile, the page says so first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.checkout import ports
from payments.checkout.models import CheckoutSession
from payments.checkout.ports import Cart, Grant, Line, Payer, Priced
from payments.intents import operations as intents
from payments.orders import operations as orders
from payments.orders.models import Order, OrderLine
from payments.tenders import operations as tenders

# What a line is shown and priced by: the page is asked for often, and the three rows are wide.
_READ = (
    *("order_id", "description", "quantity", "unit_price_minor", "discount_minor", "tax_minor", "amount_minor"),
    *("loads_card", "category", "unit_cost_minor", "price_id", "product_id"),
    *("price__unit_amount_minor", "price__is_active", "product__is_active", "product__deleted_at"),
    "product__images",
)


@dataclass(frozen=True, slots=True)
class Buyer:
    """For whom a session is priced, and when."""

    session: CheckoutSession
    payer: Payer
    now: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """What the order of a session costs now, with its lines as they stand."""

    order: Order
    lines: list[OrderLine]
    is_sold: bool
    total_minor: int
    # Where somebody gives discounts and the payer is known: the cart they priced, and what they said.
    cart: Cart | None = None
    priced: Priced | None = None

    @property
    def has_changed(self) -> bool:
        return self.total_minor != self.order.total_minor or self.has_other_discounts

    @property
    def has_other_discounts(self) -> bool:
        """Whether the lines' shares are others, even where the sum is the same."""
        if self.priced is None:
            return False
        discounts = self.priced.discounts
        return any(line.discount_minor != discounts.get(line.pk, 0) for line in self.lines)

    @property
    def has_other_prices(self) -> bool:
        """Whether the catalogue asks for another price: what the payer is told of, who asked for no discount."""
        return any(line.unit_price_minor != _unit_price(line) for line in self.lines)

    @property
    def is_to_be_written(self) -> bool:
        """Whether the order is to follow: what is paid in part, not sold or would cost nothing keeps its price."""
        if self.order.paid_minor or not self.is_sold:
            return False
        return self.has_changed and 0 < self.total_minor <= orders.TOTAL_MAX


def quote(buyer: Buyer) -> Quote:
    """What is asked for the order now. Writes nothing; locks the order."""
    return quote_of(orders.lock(buyer.session.order_id), buyer)


def quote_of(order: Order, buyer: Buyer | None) -> Quote:
    """What is asked for an order that was read. Writes and locks nothing. Without a buyer no discount is asked for."""
    lines = lines_of(order)
    giver = ports.discounts() if buyer else None
    cart = _cart(buyer, order, lines) if buyer and giver else None
    priced = giver.price(cart) if giver and cart else None
    return Quote(
        order=order,
        lines=lines,
        is_sold=all(_is_sold(line) for line in lines),
        total_minor=_total(lines, priced),
        cart=cart,
        priced=priced,
    )


def refresh(buyer: Buyer, *, mode: str) -> Quote:
    """Bring a locked open session's order to the prices of now. This will write them, and the former total.

    What tenders are to pay of it follows: they never come to more than the total, or than is there.
    """
    found = quote(buyer)
    if found.is_to_be_written and intents.is_asked_for(found.order.pk):
        return found  # The merchant's server asked for the sum that it costs now.
    write(found, buyer)
    if found.order.tendered_minor:
        tenders.fit(order=found.order, mode=mode, now=buyer.now)
    return found


def write(found: Quote, buyer: Buyer) -> None:
    """Bring a locked session's order to what was quoted. This will write the lines, the total and what applied."""
    if found.is_to_be_written:
        if found.has_other_prices:
            buyer.session.former_total_minor = found.order.total_minor
            buyer.session.save(update_fields=["former_total_minor"])
        orders.reprice(
            order=found.order,
            unit_prices={line.pk: _unit_price(line) for line in found.lines},
            discounts=found.priced.discounts if found.priced else None,
        )
    elif found.has_changed:  # It keeps its price, and so what lowered it.
        return
    note_discounts(found, buyer)


def note_discounts(found: Quote, buyer: Buyer) -> None:
    """Keep with a locked session what lowers the lines as they now stand. This will write it where it is new."""
    if found.priced is None:
        return
    session = buyer.session
    known = {each["offer"]: each for each in session.discounts}
    discounts = [
        {
            "id": known[offer]["id"] if offer in known else ids.show("di", ids.new(buyer.now)),
            "start": known[offer]["start"] if offer in known else unix(buyer.now),
            "offer": offer,
            "coupon": each.coupon,
            "promotion_code": each.promotion_code,
            "amount": each.amount_minor,
            "lines": {ids.show("li", line_id): amount_minor for line_id, amount_minor in each.shares.items()},
        }
        for each in found.priced.applied
        if (offer := ids.show("offer", each.offer_id))
    ]
    if discounts != session.discounts:
        session.discounts = discounts
        session.save(update_fields=["discounts"])


def lines_of(order: Order) -> list[OrderLine]:
    """The order's lines with what the catalogue says of them."""
    lines = OrderLine.objects.select_related("price", "product").only(*_READ)
    return list(lines.filter(order_id=order.pk).order_by("pk"))


def _cart(buyer: Buyer, order: Order, lines: Sequence[OrderLine]) -> Cart:
    return Cart(
        order_id=order.pk,
        currency=order.currency,
        lines=[
            Line(
                line_id=line.pk,
                quantity=line.quantity,
                unit_price_minor=_unit_price(line),
                product_id=line.product_id,
                price_id=line.price_id,
                category=line.category,
                description=line.description,
                unit_cost_minor=line.unit_cost_minor,
            )
            # Stored value is bought at its face: a discount on it is a bonus.
            for line in lines
            if not line.loads_card
        ],
        payer=buyer.payer,
        now=buyer.now,
        codes=tuple(buyer.session.codes),
        grants=tuple(Grant(**each) for each in buyer.session.granted),
        store_id=order.store_id,
    )


def _total(lines: Sequence[OrderLine], priced: Priced | None) -> int:
    discounts = priced.discounts if priced else None
    return sum(
        line.quantity * _unit_price(line)
        - (line.discount_minor if discounts is None else discounts.get(line.pk, 0))
        + line.tax_minor
        for line in lines
    )


def _unit_price(line: OrderLine) -> int:
    return line.price.unit_amount_minor if line.price else line.unit_price_minor


def _is_sold(line: OrderLine) -> bool:
    if line.product and (not line.product.is_active or line.product.deleted_at is not None):
        return False
    return line.price is None or line.price.is_active
