"""Offers and orders in a book, in few words."""

from typing import Any
from uuid import UUID

from members.offers import operations, queries, redeeming
from members.offers.frames import Line, Terms
from members.offers.models import Offer
from members.offers.operations import Draft, Limits
from members.offers.queries import Asked
from merchant_platform.kernel import ids, tenancy
from payments.orders import operations as orders
from payments.orders.models import Order, OrderLine
from security.merchants.models import Book
from tests.cast import NOW, origin_of


def make(book: Book, name: str, kind: str, effect: dict[str, Any], *, limits: dict[str, Any] | None = None,
         coupon: str | None = None, is_active: bool = True, **terms: Any) -> Offer:  # fmt: skip
    """An offer of a book, by the operation."""
    terms.setdefault("currency", "CNY")
    draft = Draft(Terms(name, kind, effect, **terms), Limits(**(limits or {})), coupon=coupon)
    with tenancy.within(book.pk):
        return operations.create(draft=draft, is_active=is_active, now=NOW, origin=origin_of(book))


def place(book: Book, *prices: tuple[int, int], customer_id: UUID | None = None) -> tuple[Order, list[OrderLine]]:
    """An order of lines, each of a unit price and a quantity."""
    drafts = [
        orders.LineDraft(quantity=count, description=f"Line {unit}", unit_price_minor=unit) for unit, count in prices
    ]
    with tenancy.within(book.pk):
        return orders.create(currency="CNY", lines=drafts, customer_id=customer_id, now=NOW, origin=origin_of(book))


def asked(order: Order, lines: list[OrderLine], *codes: str, customer_id: UUID | None = None) -> Asked:
    return Asked(
        currency="CNY",
        lines=[Line(str(line.pk), line.quantity, line.unit_price_minor, category=line.category) for line in lines],
        now=NOW,
        customer_id=customer_id,
        codes=codes,
        order_id=order.pk,
        least_minor=1,
    )


def hold(book: Book, order: Order, lines: list[OrderLine], *codes: str, customer_id: UUID | None = None) -> int:
    """Hold what the order's cart uses, as the payer would see it now; the discount."""
    with tenancy.within(book.pk):
        cart = asked(order, lines, *codes, customer_id=customer_id)
        priced, _, _ = queries.price(cart)
        expected = {line.key: line.discount_minor for line in priced.lines}
        redeeming.hold(order_id=order.pk, asked=cart, expected=expected, expires_at=NOW)
        return priced.discount_minor


def count_of(book: Book, offer: Offer) -> tuple[int, int, int]:
    """An offer's counters: uses, minor units, pieces."""
    with tenancy.within(book.pk):
        row = Offer.objects.get(pk=offer.pk)
    return row.redeemed_count, row.given_minor, row.units_count


def shown(offer: Offer) -> str:
    return ids.show("offer", offer.pk)
