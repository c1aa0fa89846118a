"""Questions about notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from merchant_platform.kernel import ids
from payments.notes.models import FormerNote, Note


@dataclass(frozen=True, slots=True)
class Written:
    """A note with what it said before, the oldest first."""

    note: Note
    former: Sequence[FormerNote]

    @property
    def shown_id(self) -> str:
        return ids.show("note", self.note.pk)


def of_payment(intent_id: UUID) -> list[Written]:
    """The notes on a payment that were not removed, the oldest first: two statements."""
    notes = list(
        Note.objects.filter(intent_id=intent_id, deleted_at__isnull=True).select_related("author__user").order_by("pk")
    )
    former: dict[UUID, list[FormerNote]] = {note.pk: [] for note in notes}
    for version in FormerNote.objects.filter(note_id__in=list(former)).order_by("pk"):
        former[version.note_id].append(version)
    return [Written(note, former[note.pk]) for note in notes]
