"""What a receipt says: read from the order and the charge."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery

from payments.customers import objects as customers
from payments.intents.models import Attempt, PaymentIntent
from payments.orders.models import Order, OrderLine
from payments.receipts.models import Receipt
from payments.tenders import operations as tenders
from payments.tenders.models import Tender


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt with all that stands on it."""

    receipt: Receipt
    order: Order
    lines: list[OrderLine]
    # What paid: the method of its payment, if there was one, beside the tenders.
    method: str | None
    brand: str | None
    last4: str | None
    tenders: list[Tender]
    rest_minor: int

    @property
    def tax_minor(self) -> int:
        return sum(line.tax_minor for line in self.lines)

    @property
    def discount_taken_minor(self) -> int:
        """What was taken off, as the negative amount that stands on the paper."""
        return -sum(line.discount_minor for line in self.lines)

    @property
    def refunded_back_minor(self) -> int:
        """What was given back since, as a negative amount."""
        return -self.order.refunded_minor

    @property
    def subtotal_minor(self) -> int:
        return sum(line.listed_minor for line in self.lines)


def address(code: str) -> str:
    """Where anybody who was given it reads the receipt."""
    return f"{settings.PUBLIC_URL}/r/{code}"


def with_codes(charges: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Charges with the code of their payment's receipt, as `receipt_code`, in the statement that reads them."""
    receipts = Receipt.objects.filter(intent_id=OuterRef("intent_id"))
    return charges.annotate(receipt_code=Subquery(receipts.values("code")[:1]))


def address_of(charge: Attempt) -> str | None:
    """The address of the receipt of a charge that `with_codes` read; None where none is written, or it took nothing."""
    code = charge.receipt_code  # type: ignore[attr-defined]
    return address(code) if code and charge.captured_minor else None


def paper(receipt: Receipt) -> Paper:
    """Everything that stands on a receipt of the open book."""
    if receipt.intent_id is None:
        assert receipt.order_id is not None, "a receipt is of one thing"
        return _paper(receipt, Order.objects.get(pk=receipt.order_id), None)
    intent = PaymentIntent.objects.select_related("order").get(pk=receipt.intent_id)
    assert intent.latest_attempt_id is not None, "a receipt is of a paid intent"
    attempt = Attempt.objects.select_related("payment_method").get(pk=intent.latest_attempt_id)
    return _paper(receipt, intent.order, attempt)


def _paper(receipt: Receipt, order: Order, attempt: Attempt | None) -> Paper:
    stood = tenders.standing(order)
    shown: dict[str, Any] = customers.payment_method(attempt.payment_method, livemode=False) if attempt else {}
    card = shown.get("card") or {}
    return Paper(
        receipt=receipt,
        order=order,
        lines=list(OrderLine.objects.filter(order=order).order_by("pk")),
        method=attempt.method if attempt and stood.rest_minor else None,
        brand=card.get("brand"),
        last4=card.get("last4"),
        tenders=list(stood.tenders),
        rest_minor=stood.rest_minor,
    )
