"""What a member's orders of the last year say: figures, worked out anew whenever they change."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey


class Features(models.Model):
    """The figures of one member in the merchant's currency. Kept as long as the customer allows what they are for."""

    pk = models.CompositePrimaryKey("book_id", "member")
    book_id = models.UUIDField()
    member = TenantForeignKey("members.Member")
    # Which definition of the figures this row follows (computing.VERSION).
    version = models.PositiveSmallIntegerField()
    computed_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    first_order_at = models.DateTimeField()
    last_order_at = models.DateTimeField()
    orders_count = models.PositiveIntegerField()
    spent_minor = models.BigIntegerField()
    favourite_hour = models.PositiveSmallIntegerField()
    favourite_weekday = models.PositiveSmallIntegerField()
    favourite_category = models.TextField(default="", blank=True)
    usual_method = models.TextField(default="", blank=True)
    # Orders by hour of the merchant's day, by method; what was paid by category, at most so many.
    hours = models.JSONField(default=dict)
    methods = models.JSONField(default=dict)
    categories = models.JSONField(default=dict)

    privacy = privacy.classes(
        opaque="book_id member version computed_at currency",
        personal="first_order_at last_order_at orders_count spent_minor favourite_hour favourite_weekday "
        "favourite_category usual_method hours methods categories",
    )


class FeaturesCursor(models.Model):
    """Up to which payments members' figures were looked at, of all books: a snapshot. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    # A pg_snapshot as text, and the cluster whose transactions it names.
    snapshot = models.TextField()
    system_identifier = models.BigIntegerField()
    moved_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id snapshot system_identifier moved_at")

    def __str__(self) -> str:
        return self.snapshot
