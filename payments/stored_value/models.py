"""Gift cards and stored-value cards (储值卡): value paid for now, spent at this merchant later.

What is on a card stands in the ledger: what was paid for and the bonus apart. Whoever
holds the number and the PIN may spend it; neither is kept, only what recognises them.
"""

from datetime import datetime

from django.db import models

from merchant_platform.kernel import ids, privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique
from payments.ledger import chart
from payments.stored_value import states

GIFT, STORED = "gift", "stored"


class StoredValueCard(models.Model):
    id_prefix = "svc"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    kind = models.TextField()
    status = models.TextField(default=states.INACTIVE)
    currency = models.CharField(max_length=3)
    is_live = models.BooleanField()
    # Whose it is; one that is given away belongs to whoever has its number and PIN.
    customer = TenantForeignKey("payments.Customer", null=True)
    number_digest = models.TextField()
    last4 = models.TextField()
    pin_digest = models.TextField()
    # Wrong PINs since the last right one; too many and the number opens nothing until there is a new PIN.
    failed_pins_count = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    frozen_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id kind status currency is_live last4 failed_pins_count expires_at created_at frozen_at",
        personal="customer metadata",
        secret="number_digest pin_digest",
    )

    class Meta:
        verbose_name = "stored-value card"
        constraints = [
            book_unique("payments_storedvaluecard"),
            models.UniqueConstraint(fields=["book_id", "number_digest"], name="payments_storedvaluecard_number_once"),
        ]
        indexes = [
            # a customer's cards
            models.Index(fields=["book_id", "customer", "id"], name="payments_storedvaluecard_cust"),
            # the tabs of the list, newest first
            models.Index(fields=["book_id", "status", "id"], name="payments_storedvaluecard_stat"),
            # found by the last four digits, by staff
            models.Index(fields=["book_id", "last4", "id"], name="payments_storedvaluecard_last4"),
            # the sweep, over all books: what expires
            models.Index(
                fields=["expires_at"],
                condition=models.Q(status=states.ACTIVE, expires_at__isnull=False),
                name="payments_storedvaluecard_due",
            ),
        ]

    @property
    def shown_id(self) -> str:
        return ids.show(self.id_prefix, self.pk)

    @property
    def mode(self) -> str:
        return "live" if self.is_live else "test"

    @property
    def paid(self) -> chart.AccountRef:
        """What was paid for."""
        return chart.stored_value(self.pk, self.currency, self.mode)

    @property
    def bonus(self) -> chart.AccountRef:
        """What the merchant added."""
        return chart.stored_bonus(self.pk, self.currency, self.mode)

    def is_spendable(self, now: datetime) -> bool:
        return self.status == states.ACTIVE and (self.expires_at is None or self.expires_at > now)


class StoredValueLoad(models.Model):
    """Value that goes onto a card: of a line of an order, once that is paid, or by the merchant's own word."""

    id_prefix = "svl"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    card = TenantForeignKey(StoredValueCard)
    order_line = TenantForeignKey("payments.OrderLine", null=True)
    status = models.TextField(default=states.PENDING)
    amount_minor = models.BigIntegerField()
    bonus_minor = models.BigIntegerField(default=0)
    # Taken off again, since the line was refunded.
    returned_minor = models.BigIntegerField(default=0)
    bonus_returned_minor = models.BigIntegerField(default=0)
    entry = TenantForeignKey("payments.Entry", null=True)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id card order_line status amount_minor bonus_minor returned_minor bonus_returned_minor entry "
        "created_at"
    )

    class Meta:
        verbose_name = "stored-value load"
        constraints = [
            book_unique("payments_storedvalueload"),
            models.CheckConstraint(
                condition=models.Q(amount_minor__gte=0, bonus_minor__gte=0)
                & (models.Q(amount_minor__gt=0) | models.Q(bonus_minor__gt=0)),
                name="payments_storedvalueload_loads_something",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    returned_minor__gte=0,
                    returned_minor__lte=models.F("amount_minor"),
                    bonus_returned_minor__gte=0,
                    bonus_returned_minor__lte=models.F("bonus_minor"),
                ),
                name="payments_storedvalueload_returns_at_most_all",
            ),
            models.CheckConstraint(
                condition=models.Q(status=states.PENDING, entry__isnull=True, order_line__isnull=False)
                | models.Q(status=states.LOADED, entry__isnull=False),
                name="payments_storedvalueload_is_posted_when_loaded",
            ),
        ]
        indexes = [
            # the loads of a card
            models.Index(fields=["book_id", "card", "id"], name="payments_storedvalueload_card"),
            # the loads of an order's lines
            models.Index(
                fields=["book_id", "order_line"],
                condition=models.Q(order_line__isnull=False),
                name="payments_storedvalueload_line",
            ),
            # the sweep, over all books: what waits for its order
            models.Index(fields=["id"], condition=models.Q(status=states.PENDING), name="payments_storedvalueload_due"),
        ]
