"""A tender pays a part of an order from value that stands in the ledger: points, a stored-value card, a wallet."""

from django.db import models

from merchant_platform.kernel import ids, privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique
from payments.tenders import states


class Tender(models.Model):
    """A part of an order, and what pays it. What is not covered by tenders is left to one payment intent."""

    id_prefix = "tnd"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    order = TenantForeignKey("payments.Order")
    # A name in settings.CHECKOUT_TENDERS, and what of it is spent: the card, the member, the wallet.
    method = models.TextField()
    source_id = models.UUIDField()
    # As the payer chose it: "Gift card •••• 4821".
    label = models.TextField()
    # Who chose it, as far as the page knew them.
    customer = TenantForeignKey("payments.Customer", null=True)
    consumer = models.ForeignKey("payments.Consumer", models.PROTECT, null=True, related_name="+", db_index=False)
    status = models.TextField(default=states.CHOSEN)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    # What the amount costs where it is not counted in money: points.
    units = models.BigIntegerField(null=True)
    # Each try reserves anew, under a reference of its own.
    tries_count = models.PositiveIntegerField(default=0)
    hold = TenantForeignKey("payments.Hold", null=True)
    entry = TenantForeignKey("payments.Entry", null=True)
    # The payment that it became, where it is new money for the merchant: a wallet.
    intent = TenantForeignKey("payments.PaymentIntent", null=True)
    # What was given back of one without a payment of its own.
    refunded_minor = models.BigIntegerField(default=0)
    refunded_units = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id order method source_id status amount_minor currency units tries_count hold entry intent "
        "refunded_minor refunded_units created_at completed_at",
        business="label",
        personal="customer consumer",
    )

    class Meta:
        verbose_name = "tender"
        constraints = [
            book_unique("payments_tender"),
            models.UniqueConstraint(
                fields=["book_id", "order", "method", "source_id"],
                condition=~models.Q(status=states.DROPPED),
                name="payments_tender_source_once_an_order",
            ),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="payments_tender_pays_something"),
            models.CheckConstraint(
                condition=models.Q(refunded_minor__gte=0, refunded_minor__lte=models.F("amount_minor")),
                name="payments_tender_is_never_overrefunded",
            ),
            models.CheckConstraint(
                condition=models.Q(status=states.COMPLETED, entry__isnull=False, hold__isnull=False)
                | models.Q(status=states.RESERVED, entry__isnull=True, hold__isnull=False)
                | models.Q(status__in=[states.CHOSEN, states.DROPPED], entry__isnull=True, hold__isnull=True),
                name="payments_tender_holds_while_reserved",
            ),
        ]
        indexes = [
            # an order's tenders
            models.Index(fields=["book_id", "order"], name="payments_tender_order"),
            # what a card, a member or a wallet paid for
            models.Index(fields=["book_id", "source_id", "id"], name="payments_tender_source"),
            # the payment that a tender became
            models.Index(
                fields=["book_id", "intent"], condition=models.Q(intent__isnull=False), name="payments_tender_intent"
            ),
        ]

    @property
    def shown_id(self) -> str:
        return ids.show(self.id_prefix, self.pk)

    @property
    def left_minor(self) -> int:
        """What can still be given back of it."""
        return self.amount_minor - self.refunded_minor if self.status == states.COMPLETED else 0


class TenderRefund(models.Model):
    """A part of a completed tender that went back to where it came from."""

    id_prefix = "tre"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    tender = TenantForeignKey(Tender)
    amount_minor = models.BigIntegerField()
    units = models.BigIntegerField(null=True)
    reason = models.TextField(null=True)  # noqa: DJ001
    entry = TenantForeignKey("payments.Entry")
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id tender amount_minor units reason entry created_at")

    class Meta:
        constraints = [
            book_unique("payments_tenderrefund"),
            models.CheckConstraint(
                condition=models.Q(amount_minor__gt=0), name="payments_tenderrefund_gives_something"
            ),
        ]
        indexes = [models.Index(fields=["book_id", "tender"], name="payments_tenderrefund_tender")]
