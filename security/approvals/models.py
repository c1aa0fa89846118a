from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import book_unique
from security.approvals.states import APPROVED, MOVES, REQUESTED


class Approval(models.Model):
    """An act that one person wants done and another one must allow."""

    id_prefix = "apr"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # In the words of the table of actions: who may not do it may not allow it either.
    action = models.TextField()
    object_id = models.TextField()
    # What the act is, in words and in what a deed needs to do it: {"amount_minor": …, "currency": …}.
    what = models.TextField()
    facts = models.JSONField(default=dict)
    reason = models.TextField(default="", blank=True)
    status = models.TextField(default=REQUESTED)
    requested_by = models.ForeignKey("security.Staff", models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.ForeignKey("security.Staff", models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(default="", blank=True)
    # What was done, by its id; or why it could not be, by the code of the refusal.
    outcome = models.TextField(default="", db_default="", blank=True)

    privacy = privacy.classes(
        opaque="id book_id action object_id status requested_at expires_at decided_at requested_by decided_by outcome",
        business="what facts reason note",
    )

    class Meta:
        constraints = [
            book_unique("security_approval"),
            # Of two who ask for the same act, one does.
            models.UniqueConstraint(
                fields=["book_id", "action", "object_id"],
                condition=models.Q(status=REQUESTED),
                name="security_approval_one_open_an_act",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=sorted(MOVES.states)), name="security_approval_status_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True) | ~models.Q(decided_by=models.F("requested_by")),
                name="security_approval_is_never_ones_own",
            ),
        ]
        indexes = [
            # The page of approvals, a tab a status, newest first.
            models.Index(fields=["book_id", "status", "id"], name="security_approval_by_status"),
            # What expires.
            models.Index(
                fields=["expires_at"], condition=models.Q(status=REQUESTED), name="security_approval_by_expiry"
            ),
            # What was allowed and is not done.
            models.Index(fields=["id"], condition=models.Q(status=APPROVED), name="security_approval_undone"),
        ]
