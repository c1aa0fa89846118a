"""What people allowed a merchant to do with what it knows of them, and since when."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import book_unique
from security.privacy.wording import PURPOSES


class Consent(models.Model):
    """One yes of one customer to one purpose, from when it was given until it was taken back.

    A second yes after a withdrawal is a second row: what was allowed at a given time stays
    readable.
    """

    id_prefix = "cons"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # A customer of a floor above, which is why nothing here refers to its table.
    customer_id = models.UUIDField()
    purpose = models.TextField()
    # The text that was on the screen (wording.py).
    wording_version = models.PositiveSmallIntegerField()
    # Where it was said: `checkout`, `wallet`, `import`.
    source = models.TextField()
    granted_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_source = models.TextField(default="", blank=True)

    privacy = privacy.classes(
        opaque="id book_id purpose wording_version source granted_at withdrawn_at withdrawn_source",
        personal="customer_id",
    )

    class Meta:
        constraints = [
            book_unique("security_consent"),
            # Both the lookup of `allows` and the guard of two that say yes at once.
            models.UniqueConstraint(
                fields=["book_id", "customer_id", "purpose"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="security_consent_one_standing_a_purpose",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__in=sorted(PURPOSES)), name="security_consent_purpose_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True) | models.Q(withdrawn_at__gte=models.F("granted_at")),
                name="security_consent_ends_after_it_began",
            ),
        ]
        indexes = [
            # a customer's consents, newest first
            models.Index(fields=["book_id", "customer_id", "id"], name="security_consent_customer"),
        ]
