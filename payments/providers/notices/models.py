"""What providers told us of their own accord."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import book_unique


class Notice(models.Model):
    """One verified notice, as it came. Applied, or parked with a reason for a person, or still to be applied."""

    id_prefix = "ntc"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    provider = models.TextField()
    # The provider's own id of it: the same one comes again until it is acknowledged.
    notice_id = models.TextField()
    body = models.TextField()
    # The world's time, as of everything that comes over a wire.
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    parked_reason = models.TextField(null=True)  # noqa: DJ001  (null says: not parked)

    privacy = privacy.classes(
        opaque="id book_id provider notice_id received_at applied_at parked_reason", personal="body"
    )

    class Meta:
        constraints = [
            book_unique("payments_notice"),
            models.UniqueConstraint(fields=["book_id", "provider", "notice_id"], name="payments_notice_is_stored_once"),
        ]
        indexes = [
            # what waits for a person
            models.Index(
                fields=["book_id", "id"],
                condition=models.Q(parked_reason__isnull=False, applied_at__isnull=True),
                name="payments_notice_parked",
            ),
        ]
