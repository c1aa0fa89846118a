from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import book_unique


class Decision(models.Model):
    """A decision that somebody may ask about: what went in, by which rule, what came out and why.

    `inputs` are stored whole, so that `replay` can run the same version of the rule again.
    """

    id_prefix = "dec"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    rule = models.TextField()
    rule_version = models.PositiveSmallIntegerField()
    subject_id = models.UUIDField()
    inputs = models.JSONField()
    inputs_hash = models.BinaryField()
    verdict = models.TextField()
    reasons = models.JSONField()
    near_miss = models.JSONField(null=True)
    remedy = models.TextField(default="", blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id rule rule_version subject_id inputs_hash verdict remedy created_at expires_at",
        personal="inputs reasons near_miss",
    )

    class Meta:
        constraints = [book_unique("kernel_decision")]
        indexes = [
            # why(subject): the decisions about one object.
            models.Index(fields=["book_id", "subject_id"], name="kernel_decision_subject"),
        ]
