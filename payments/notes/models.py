"""What staff write beside a payment, for one another."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique

BODY_MAX = 2_000


class Note(models.Model):
    """A note on a payment. Its author may change and remove it; what it said before is kept."""

    id_prefix = "note"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    intent = TenantForeignKey("payments.PaymentIntent")
    author = models.ForeignKey("security.Staff", models.PROTECT, related_name="+", db_index=False)
    body = models.TextField()
    # What the form was sent with: sent twice, it is one note.
    token = models.UUIDField()
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="id book_id intent token created_at edited_at deleted_at", personal="author body")

    class Meta:
        constraints = [
            book_unique("payments_note"),
            models.UniqueConstraint(fields=["book_id", "token"], name="payments_note_once_a_form"),
        ]
        indexes = [
            # the notes of a payment
            models.Index(fields=["book_id", "intent", "id"], name="payments_note_intent"),
        ]

    def __str__(self) -> str:
        return self.body


class FormerNote(models.Model):
    """What a note said until it was changed or removed. Append-only."""

    id_prefix = "nver"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    note = TenantForeignKey(Note)
    body = models.TextField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id note created_at", personal="body")

    class Meta:
        constraints = [book_unique("payments_formernote")]
        indexes = [
            # the history of a page of notes
            models.Index(fields=["book_id", "note", "id"], name="payments_formernote_note"),
        ]

    def __str__(self) -> str:
        return self.body
