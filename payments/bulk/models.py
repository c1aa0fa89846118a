"""One act on many payments: a job, and a row for each of them that says what became of it."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique

REFUND, CAPTURE, CANCEL = "refund", "capture", "cancel"
ACTS = (REFUND, CAPTURE, CANCEL)
WAITING, DONE, REFUSED = "waiting", "done", "refused"


class BulkJob(models.Model):
    """What somebody asked for, of a selection."""

    id_prefix = "bulk"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    act = models.TextField()
    staff = models.ForeignKey("security.Staff", models.PROTECT, related_name="+", db_index=False)
    # What the form was sent with: sent twice, it is one job.
    token = models.UUIDField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id act token created_at", personal="staff")

    class Meta:
        constraints = [
            book_unique("payments_bulkjob"),
            models.UniqueConstraint(fields=["book_id", "token"], name="payments_bulkjob_once_a_form"),
            models.CheckConstraint(condition=models.Q(act__in=ACTS), name="payments_bulkjob_act_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.pk}"


class BulkItem(models.Model):
    """One payment of a job. The queue is this table; a claim is a lease (`due_at`), the id is the act's key."""

    id_prefix = "bki"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    job = TenantForeignKey(BulkJob)
    intent = TenantForeignKey("payments.PaymentIntent")
    status = models.TextField(default=WAITING)
    # Why it was refused: a stable code, and the sentence of the refusal.
    code = models.TextField(default="", blank=True)
    detail = models.TextField(default="", blank=True)
    # When it is to be taken up, in the world's time.
    due_at = models.DateTimeField(null=True)
    tries_count = models.PositiveSmallIntegerField(default=0)

    privacy = privacy.classes(opaque="id book_id job intent status code detail due_at tries_count")

    class Meta:
        constraints = [
            book_unique("payments_bulkitem"),
            models.UniqueConstraint(fields=["book_id", "job", "intent"], name="payments_bulkitem_once_a_job"),
            models.CheckConstraint(
                condition=models.Q(status__in=[WAITING, DONE, REFUSED]), name="payments_bulkitem_status_is_known"
            ),
        ]
        indexes = [
            # the worker, over all books: what waits; what is finished leaves the index.
            models.Index(fields=["due_at"], condition=models.Q(status=WAITING), name="payments_bulkitem_due"),
        ]

    def __str__(self) -> str:
        return f"{self.intent_id}: {self.status}"
