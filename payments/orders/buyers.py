"""What somebody bought. No answer reads more than a bounded part of a past."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, Sum

from payments.orders.models import Order

# Totals are of so many orders at the most: the newest.
ORDERS_SUMMED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Spent:
    """What came from a customer in one currency, less refunds, and in how many orders."""

    currency: str
    amount_minor: int
    orders_count: int


def spent(*, customer_id: UUID) -> list[Spent]:
    """What the newest orders of a customer brought, the largest first."""
    newest = Order.objects.filter(customer_id=customer_id).order_by("-pk")[:ORDERS_SUMMED_MAX]
    sums = (
        Order.objects.filter(pk__in=newest.values("pk"), paid_minor__gt=0)
        .values("currency")
        .annotate(amount=Sum(F("paid_minor") - F("refunded_minor")), orders=Count("pk"))
        .order_by("-amount", "currency")
    )
    return [Spent(each["currency"], each["amount"], each["orders"]) for each in sums]


def newest(*, customer_id: UUID, limit: int) -> list[Order]:
    """The latest orders of a customer."""
    return list(Order.objects.filter(customer_id=customer_id).order_by("-pk")[:limit])
