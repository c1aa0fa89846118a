"""Number receipts without a gap, and send them once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections
from django.db.models import F, Q

from merchant_platform.kernel import ids, tenancy
from payments.intents.models import Attempt, PaymentIntent
from payments.receipts.models import Receipt, ReceiptCounter
from security.merchants import codes

CODE_KIND = "receipt"
# A sender that does not come back: another one tries after this.
SENDING_LASTS = timedelta(minutes=5)
TRIES_MAX = 6
BATCH = 100


def issue(
    *,
    intent_id: UUID | None,
    email: str | None,
    language: str,
    paid_at: datetime,
    now: datetime,
    order_id: UUID | None = None,
) -> Receipt:
    """Give a payment its receipt, or an order that tenders paid without one (`order_id`).

    This will write it under the book's next number; a second call returns the first's.

    The counter stays locked until the unit of work ends, so this comes after the
    payment's own transaction, never in it. `email` yields to the intent's receipt_email.
    """
    ReceiptCounter.objects.bulk_create([ReceiptCounter(book_id=tenancy.book_id())], ignore_conflicts=True)
    counter = ReceiptCounter.objects.select_for_update().get(pk=tenancy.book_id())
    paid = {"intent_id": intent_id} if intent_id else {"order_id": order_id}
    present = Receipt.objects.filter(**paid).first()
    if present is not None:
        return present
    intent = PaymentIntent.objects.get(pk=intent_id) if intent_id else None
    counter.last_number += 1
    counter.save(update_fields=["last_number"])
    identifier = ids.new(now)
    return Receipt.objects.create(
        id=identifier,
        book_id=counter.book_id,
        number=counter.last_number,
        code=codes.make(kind=CODE_KIND, book_id=counter.book_id, object_id=identifier, now=now),
        **paid,
        paid_at=paid_at,
        email=(intent.receipt_email or email or _email_of_payer(intent)) if intent else email,
        language=language,
        created_at=now,
    )


def claim(*, receipt_id: UUID, recorded: datetime) -> Receipt | None:
    """Take a receipt to send. This will keep other senders away for a while; None where there is nothing to send."""
    taken = (
        _unsent(recorded)
        .filter(pk=receipt_id)
        .update(email_claimed_until=recorded + SENDING_LASTS, email_tries_count=F("email_tries_count") + 1)
    )
    return Receipt.objects.get(pk=receipt_id) if taken else None


def record_sent(*, receipt_id: UUID, recorded: datetime) -> None:
    """The mail server took it. This will write when, and nobody sends it again."""
    Receipt.objects.filter(pk=receipt_id, emailed_at__isnull=True).update(emailed_at=recorded, email_claimed_until=None)


def unsent(*, recorded: datetime) -> Sequence[tuple[UUID, UUID]]:
    """Receipts of all books that are to be sent: (book, receipt), a batch, oldest first."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "SELECT book_id, id FROM payments_receipt WHERE email IS NOT NULL AND emailed_at IS NULL"
            " AND email_tries_count < %s AND (email_claimed_until IS NULL OR email_claimed_until < %s)"
            " ORDER BY created_at LIMIT %s",
            [TRIES_MAX, recorded, BATCH],
        )
        return cursor.fetchall()


def _unsent(recorded: datetime):
    return Receipt.objects.filter(email__isnull=False, emailed_at__isnull=True, email_tries_count__lt=TRIES_MAX).filter(
        Q(email_claimed_until__isnull=True) | Q(email_claimed_until__lt=recorded)
    )


def _email_of_payer(intent: PaymentIntent) -> str | None:
    """Of a payment from a wallet, the consumer's own address: theirs to be written to, never the merchant's to see."""
    if intent.latest_attempt_id is None:
        return None
    attempt = (
        Attempt.objects.select_related("payment_method__mandate__wallet__consumer__user")
        .filter(pk=intent.latest_attempt_id)
        .first()
    )
    mandate = attempt.payment_method.mandate if attempt else None
    user = mandate.wallet.consumer.user if mandate else None
    return user.email if user else None
