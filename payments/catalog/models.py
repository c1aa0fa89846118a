"""What a merchant sells, and for how much."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique

NAME_KEY_LENGTH_MAX = 200


def name_key(name: str) -> str:
    """What a product is found by: its name without regard to case and to how it is spaced."""
    return " ".join(name.split()).lower()[:NAME_KEY_LENGTH_MAX]


class Product(models.Model):
    """Something sold. `cost_minor` is what one costs the merchant, in its own currency."""

    id_prefix = "prod"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    name = models.TextField()
    # In the order of code points, so that a beginning is a range.
    name_key = models.TextField(default="", blank=True, db_collation="C")
    description = models.TextField(null=True)  # noqa: DJ001  (the wire tells null from empty)
    category = models.TextField(default="", blank=True)
    cost_minor = models.BigIntegerField(null=True)
    is_active = models.BooleanField(default=True)
    # Points the other way round than Price.product, so it is checked by the operation.
    default_price_id = models.UUIDField(null=True)
    images = models.JSONField(default=list)
    url = models.TextField(null=True)  # noqa: DJ001
    unit_label = models.TextField(null=True)  # noqa: DJ001
    statement_descriptor = models.TextField(null=True)  # noqa: DJ001
    shippable = models.BooleanField(null=True)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id is_active default_price_id shippable created_at updated_at deleted_at",
        business="name name_key description category cost_minor images url unit_label statement_descriptor metadata",
    )

    class Meta:
        constraints = [book_unique("payments_product")]
        indexes = [
            # the dashboard's tabs: on sale, put away; newest first
            models.Index(
                fields=["book_id", "is_active", "id"],
                condition=models.Q(deleted_at__isnull=True),
                name="payments_product_active",
            ),
            # by how a name begins; an imported row by its name
            models.Index(
                fields=["book_id", "name_key", "id"],
                condition=models.Q(deleted_at__isnull=True),
                name="payments_product_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Price(models.Model):
    """What one unit of a product costs a customer, once."""

    id_prefix = "price"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    product = TenantForeignKey(Product)
    currency = models.CharField(max_length=3)
    unit_amount_minor = models.BigIntegerField()
    is_active = models.BooleanField(default=True)
    nickname = models.TextField(null=True)  # noqa: DJ001
    lookup_key = models.TextField(null=True)  # noqa: DJ001
    tax_behavior = models.TextField(default="unspecified")
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id product currency is_active tax_behavior created_at",
        business="unit_amount_minor nickname lookup_key metadata",
    )

    class Meta:
        constraints = [
            book_unique("payments_price"),
            models.UniqueConstraint(fields=["book_id", "lookup_key"], name="payments_price_lookup_key_once_a_book"),
            models.CheckConstraint(condition=models.Q(unit_amount_minor__gte=0), name="payments_price_is_not_negative"),
        ]
        indexes = [
            # prices of a product
            models.Index(fields=["book_id", "product", "id"], name="payments_price_product"),
        ]

    def __str__(self) -> str:
        return f"{self.unit_amount_minor} {self.currency}"
