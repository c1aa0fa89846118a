"""Questions about customers that the pages of staff ask."""

from dataclasses import dataclass

from django.db.models import QuerySet

from payments.customers import finding
from payments.customers.models import Customer, PaymentMethod


@dataclass(frozen=True, slots=True)
class Found:
    """Customers, and the column in whose order they come; none: newest first."""

    rows: "QuerySet[Customer]"
    column: str | None


def found(text: str = "") -> Found:
    """The customers of the open book that are not deleted, or those of them that a text finds."""
    rows = Customer.objects.filter(deleted_at__isnull=True)
    if not text.strip():
        return Found(rows, None)
    condition, column = finding.condition(text)
    return Found(rows.filter(condition), column)


def methods(customer: Customer) -> list[PaymentMethod]:
    """How a customer pays: what is saved and not detached, newest first."""
    return list(PaymentMethod.objects.filter(customer=customer, detached_at__isnull=True).order_by("-pk"))
