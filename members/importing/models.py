"""A sheet of members on its way in: what each row would do, and what became of it. What it says is under seal."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique

PLANNED, AGREED = "planned", "agreed"
CREATED, CHANGED, SAME, WRONG = "created", "changed", "same", "wrong"
WAITING, DONE, FAILED = "waiting", "done", "failed"


class MemberImport(models.Model):
    """One sheet that somebody brought; nothing is done before they agree to what it would do."""

    id_prefix = "mimp"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    staff = models.ForeignKey("security.Staff", models.PROTECT, related_name="+", db_index=False)
    status = models.TextField(default=PLANNED)
    created_at = models.DateTimeField()
    # Wall time: what nobody agrees to is thrown away after a day.
    uploaded_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id status created_at uploaded_at", personal="staff")

    class Meta:
        constraints = [
            book_unique("members_memberimport"),
            models.CheckConstraint(
                condition=models.Q(status__in=[PLANNED, AGREED]), name="members_memberimport_status_is_known"
            ),
        ]
        indexes = [
            # what nobody agreed to
            models.Index(fields=["uploaded_at"], condition=models.Q(status=PLANNED), name="members_memberimport_old"),
        ]


class ImportRow(models.Model):
    """One line of the sheet. The queue is this table; a claim is a lease (`due_at`)."""

    id_prefix = "mirow"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    job = TenantForeignKey(MemberImport)
    # The line in the file, from 1.
    number = models.PositiveIntegerField()
    # What it would do, and what became of it.
    kind = models.TextField()
    state = models.TextField(default=WAITING)
    # The cells and what they change, as JSON under seal; gone when the row is done.
    nonce = models.BinaryField(null=True)
    ciphertext = models.BinaryField(null=True)
    # What is wrong: [[column, code], …], and nothing of what the cells say.
    problems = models.JSONField(default=list)
    member = TenantForeignKey("members.Member", null=True)
    # When it is to be taken up, in the world's time.
    due_at = models.DateTimeField(null=True)
    tries_count = models.PositiveSmallIntegerField(default=0)

    privacy = privacy.classes(
        opaque="id book_id job number kind state problems member due_at tries_count", secret="nonce ciphertext"
    )

    class Meta:
        constraints = [
            book_unique("members_importrow"),
            models.UniqueConstraint(fields=["book_id", "job", "number"], name="members_importrow_once_a_line"),
            models.UniqueConstraint(fields=["book_id", "nonce"], name="members_importrow_nonce_is_used_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[CREATED, CHANGED, SAME, WRONG], state__in=[WAITING, DONE, FAILED]),
                name="members_importrow_kind_and_state_are_known",
            ),
        ]
        indexes = [
            # the worker, over all books: what waits; what is finished leaves the index.
            models.Index(
                fields=["due_at"],
                condition=models.Q(state=WAITING, due_at__isnull=False),
                name="members_importrow_due",
            ),
        ]
