"""Orders: what was bought, where, by whom. Every payment has one; refunds name its lines."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique
from payments.catalog import pictures


class Order(models.Model):
    """What a customer owes for. A bare payment intent makes an order of one line, marked `is_implicit`."""

    id_prefix = "ord"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # The merchant's own name of the order: a client that lost its idempotency key finds it by this.
    reference = models.TextField(null=True)  # noqa: DJ001
    customer = TenantForeignKey("payments.Customer", null=True)
    store = models.ForeignKey("security.Store", models.PROTECT, null=True, related_name="+", db_index=False)
    status = models.TextField()
    is_implicit = models.BooleanField(default=False)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    paid_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    # What tenders pay of it, or are to pay: an order without any never asks for them.
    tendered_minor = models.BigIntegerField(default=0, db_default=0)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id store status is_implicit currency total_minor paid_minor refunded_minor "
        "tendered_minor created_at",
        personal="customer",
        business="reference metadata",
    )

    class Meta:
        constraints = [
            book_unique("payments_order"),
            models.UniqueConstraint(fields=["book_id", "reference"], name="payments_order_reference_once_a_book"),
            models.CheckConstraint(
                condition=models.Q(total_minor__gt=0, paid_minor__gte=0, paid_minor__lte=models.F("total_minor")),
                name="payments_order_is_never_overpaid",
            ),
            models.CheckConstraint(
                condition=models.Q(refunded_minor__gte=0, refunded_minor__lte=models.F("paid_minor")),
                name="payments_order_is_never_overrefunded",
            ),
            models.CheckConstraint(
                condition=models.Q(tendered_minor__gte=0), name="payments_order_tenders_are_not_negative"
            ),
        ]
        indexes = [
            # a customer's orders
            models.Index(fields=["book_id", "customer", "id"], name="payments_order_customer"),
        ]

    def __str__(self) -> str:
        return self.reference or str(self.pk)

    @property
    def owed_minor(self) -> int:
        return self.total_minor - self.paid_minor

    @property
    def awaits_tenders(self) -> bool:
        """Whether a part is to be paid by tenders, which the first money takes with it."""
        return bool(self.tendered_minor) and not self.paid_minor


class OrderLine(models.Model):
    """One thing on an order. `amount_minor` = quantity × unit price − discount + tax."""

    id_prefix = "li"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    order = TenantForeignKey(Order, proved_by="references_hold")
    product = TenantForeignKey("payments.Product", null=True)
    price = TenantForeignKey("payments.Price", null=True)
    description = models.TextField()
    category = models.TextField(default="", blank=True)
    quantity = models.PositiveIntegerField()
    unit_price_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    amount_minor = models.BigIntegerField()
    # What one cost the merchant when it was sold.
    unit_cost_minor = models.BigIntegerField(null=True)
    refunded_minor = models.BigIntegerField(default=0)
    refunded_quantity = models.PositiveIntegerField(default=0)
    # It was bought to be spent later: giving it back takes it off the card first (payments/stored_value).
    loads_card = models.BooleanField(default=False, db_default=False)

    privacy = privacy.classes(
        opaque="id book_id order product price quantity discount_minor tax_minor amount_minor refunded_minor "
        "refunded_quantity loads_card",
        business="description category unit_price_minor unit_cost_minor",
    )

    class Meta:
        constraints = [
            book_unique("payments_orderline"),
            models.CheckConstraint(
                condition=models.Q(
                    amount_minor=models.F("quantity") * models.F("unit_price_minor")
                    - models.F("discount_minor")
                    + models.F("tax_minor")
                ),
                name="payments_orderline_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    refunded_minor__gte=0,
                    refunded_minor__lte=models.F("amount_minor"),
                    refunded_quantity__lte=models.F("quantity"),
                ),
                name="payments_orderline_is_never_overrefunded",
            ),
        ]
        indexes = [
            # an order's lines
            models.Index(fields=["book_id", "order"], name="payments_orderline_order"),
        ]

    def __str__(self) -> str:
        return self.description

    @property
    def full_minor(self) -> int:
        """What it would cost without its discounts."""
        return self.amount_minor + self.discount_minor

    @property
    def listed_minor(self) -> int:
        """What its quantity costs by the unit price: neither discount nor tax is in it."""
        return self.quantity * self.unit_price_minor

    @property
    def picture(self) -> str:
        """Where its product's picture is; nothing where it has none of ours."""
        return pictures.own(self.product.images) if self.product else ""
