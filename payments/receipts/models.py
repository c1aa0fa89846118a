"""Numbered receipts, without a gap in a book."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique


class ReceiptCounter(models.Model):
    """The last number that a book gave. Locked for the length of one receipt, never in a payment's transaction."""

    book_id = models.UUIDField(primary_key=True)
    last_number = models.BigIntegerField(default=0)

    privacy = privacy.classes(opaque="book_id last_number")


class Receipt(models.Model):
    """The paper of one payment. What it says is read from the order and the charge, which do not change."""

    id_prefix = "rct"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    number = models.BigIntegerField()
    # Its public address; security_publiccode leads from it to the book.
    code = models.TextField()
    # Of one payment, or of an order that tenders paid without one.
    intent = TenantForeignKey("payments.PaymentIntent", null=True)
    order = TenantForeignKey("payments.Order", null=True)
    paid_at = models.DateTimeField()
    email = models.TextField(null=True)  # noqa: DJ001
    language = models.TextField()
    # A sender took it and has until then; sent for good at emailed_at.
    email_claimed_until = models.DateTimeField(null=True)
    email_tries_count = models.PositiveSmallIntegerField(default=0)
    emailed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id number intent order paid_at language email_claimed_until email_tries_count emailed_at "
        "created_at",
        personal="email",
        secret="code",
    )

    class Meta:
        constraints = [
            book_unique("payments_receipt"),
            models.UniqueConstraint(fields=["book_id", "number"], name="payments_receipt_number_once_a_book"),
            models.UniqueConstraint(fields=["book_id", "intent"], name="payments_receipt_once_a_payment"),
            models.UniqueConstraint(fields=["book_id", "order"], name="payments_receipt_once_an_order"),
            models.CheckConstraint(
                condition=models.Q(intent__isnull=True) ^ models.Q(order__isnull=True),
                name="payments_receipt_of_one_thing",
            ),
        ]
        indexes = [
            # what is to be sent, of all books
            models.Index(
                fields=["created_at"],
                condition=models.Q(email__isnull=False, emailed_at__isnull=True),
                name="payments_receipt_unsent",
            ),
        ]

    @property
    def shown_number(self) -> str:
        """The number as people read it: at least six digits."""
        return f"{self.number:06d}"
