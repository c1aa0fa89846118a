"""Payments made at given moments, as rows: what Home's sums are tried on."""

from datetime import datetime
from typing import Any

from merchant_platform.kernel import ids, tenancy
from payments.customers.models import Customer, PaymentMethod
from payments.intents.models import Attempt, PaymentIntent
from payments.orders.models import Order
from security.merchants.models import Book


def paid(
    book: Book,
    at: datetime,
    amount: int = 1_000,
    *,
    status: str = "succeeded",
    currency: str = "CNY",
    customer: Customer | None = None,
    method: PaymentMethod | None = None,
    **columns: Any,
) -> PaymentIntent:
    """A payment made at a moment; one that succeeded received its whole amount."""
    received = columns.pop("received_minor", amount if status == "succeeded" else 0)
    with tenancy.within(book.pk):
        order = Order.objects.create(
            id=ids.new(at), book_id=book.pk, status="open", currency=currency, total_minor=amount, created_at=at
        )
        return PaymentIntent.objects.create(
            id=ids.new(at),
            book_id=book.pk,
            order=order,
            customer=customer,
            payment_method=method,
            status=status,
            amount_minor=amount,
            received_minor=received,
            currency=currency,
            created_at=at,
            **columns,
        )


def attempted(intent: PaymentIntent, *, status: str, **columns: Any) -> Attempt:
    """A try at a payment."""
    with tenancy.within(intent.book_id):
        return Attempt.objects.create(
            id=ids.new(intent.created_at),
            book_id=intent.book_id,
            intent=intent,
            payment_method=intent.payment_method,
            method="card",
            status=status,
            amount_minor=intent.amount_minor,
            currency=intent.currency,
            created_at=intent.created_at,
            **columns,
        )


def card(book: Book, brand: str, *, at: datetime) -> PaymentMethod:
    """A card that somebody saved."""
    with tenancy.within(book.pk):
        return PaymentMethod.objects.create(
            id=ids.new(at), book_id=book.pk, type="card", card={"brand": brand, "last4": "4242"}, created_at=at
        )
