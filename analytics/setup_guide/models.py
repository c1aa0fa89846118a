from django.db import models

from merchant_platform.kernel import privacy


class GuideDismissal(models.Model):
    """A member of staff who does not want to see the setup guide of a book any more."""

    pk = models.CompositePrimaryKey("book_id", "staff")
    book_id = models.UUIDField()
    staff = models.ForeignKey("security.Staff", models.PROTECT, related_name="+", db_index=False)
    dismissed_at = models.DateTimeField()

    privacy = privacy.classes(opaque="book_id staff dismissed_at")
