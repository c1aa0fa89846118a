"""Who did what, and the chain that proves that nobody changed it afterwards (docs/adr/0013)."""

from django.db import models
from django.db.models.functions import Now

from merchant_platform.kernel import privacy

STAFF, OPERATOR, USER, KEY, SYSTEM = "staff", "operator", "user", "key", "system"


class AuditRecord(models.Model):
    """One deed. Append-only: neither the app role nor the platform role can change or delete it."""

    id_prefix = "aud"
    id = models.UUIDField(primary_key=True, editable=False)
    # Null where the deed concerns the platform and no merchant of it.
    merchant = models.ForeignKey("security.Merchant", models.PROTECT, null=True, related_name="+", db_index=False)
    # Null where it concerns the merchant in every mode.
    book = models.ForeignKey("security.Book", models.PROTECT, null=True, related_name="+", db_index=False)
    actor_kind = models.TextField()
    actor_id = models.UUIDField(null=True)
    ip = models.TextField(default="", blank=True)
    # In the words of the table of actions: `payment.refund`.
    action = models.TextField()
    # As people and programs see it: `pi_…`.
    object_id = models.TextField(default="", blank=True)
    detail = models.JSONField(default=dict, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())

    privacy = privacy.classes(
        opaque="id merchant book actor_kind actor_id action object_id recorded_at", business="detail", personal="ip"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(actor_kind__in=[STAFF, OPERATOR, USER, KEY, SYSTEM]),
                name="security_auditrecord_actor_is_known",
            )
        ]
        indexes = [
            # The audit page, newest first (an id carries its time); with an action, an actor or an object asked for.
            models.Index(fields=["merchant", "id"], name="security_auditrecord_by_time"),
            models.Index(fields=["merchant", "action", "id"], name="security_auditrecord_by_action"),
            models.Index(fields=["merchant", "actor_id", "id"], name="security_auditrecord_by_actor"),
            models.Index(fields=["merchant", "object_id", "id"], name="security_auditrecord_by_object"),
        ]


class AuditLink(models.Model):
    """A record's place in its chain. Written by a trigger with the owner's rights, as the record commits."""

    record = models.OneToOneField(AuditRecord, models.PROTECT, primary_key=True, related_name="link")
    # The merchant's id, or the nil UUID for the platform's own chain.
    chain_id = models.UUIDField()
    number = models.BigIntegerField()
    # SHA-256 over the hash before it and the record's text (audit_text_v1).
    hash = models.BinaryField()

    privacy = privacy.classes(opaque="record chain_id number hash")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain_id", "number"], name="security_auditlink_once_a_place"),
        ]


class AuditChain(models.Model):
    """Where a chain ends: the row that orders two commits of the same merchant."""

    chain_id = models.UUIDField(primary_key=True, editable=False)
    number = models.BigIntegerField()
    hash = models.BinaryField()

    privacy = privacy.classes(opaque="chain_id number hash")
