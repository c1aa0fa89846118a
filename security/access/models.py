from django.db import models

from merchant_platform.kernel import privacy


class Flag(models.Model):
    """A feature that is on for a share of a book's subjects."""

    pk = models.CompositePrimaryKey("book", "name")
    book = models.ForeignKey("security.Book", models.PROTECT, related_name="+", db_index=False)
    name = models.TextField()
    percent = models.PositiveSmallIntegerField()
    changed_at = models.DateTimeField()

    privacy = privacy.classes(opaque="book name percent changed_at")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(percent__lte=100), name="security_flag_percent_is_a_share")
        ]
