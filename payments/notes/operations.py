"""Write, change and remove notes; only their authors change and remove them."""

from datetime import datetime
from uuid import UUID

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Forbidden, Invalid, missing
from payments.hand import Hand
from payments.notes.models import BODY_MAX, FormerNote, Note


class EmptyNote(Invalid):
    """A note says something, in so many characters at most."""


class NotTheAuthor(Forbidden):
    """Somebody else wrote it."""


def add(*, intent_id: UUID, body: str, author_id: UUID, token: UUID, hand: Hand) -> Note:
    """Add a note to a payment. This will write it once, however often its form is sent. Raises EmptyNote."""
    body = _checked(body)
    note, is_new = Note.objects.get_or_create(
        book_id=tenancy.book_id(),
        token=token,
        defaults={
            "id": ids.new(hand.now),
            "intent_id": intent_id,
            "author_id": author_id,
            "body": body,
            "created_at": hand.now,
        },
    )
    if is_new:
        hand.sign("note.add", ids.show("pi", intent_id), note=ids.show("note", note.pk))
    return note


def change(*, note_id: UUID, body: str, author_id: UUID, hand: Hand) -> Note:
    """Change what a note says. This will keep what it said before. Raises NotFound, NotTheAuthor and EmptyNote."""
    body = _checked(body)
    note = _own(note_id, author_id)
    if note.body == body:
        return note
    _keep(note, now=hand.now)
    note.body, note.edited_at = body, hand.now
    note.save(update_fields=["body", "edited_at"])
    hand.sign("note.change", ids.show("pi", note.intent_id), note=ids.show("note", note.pk))
    return note


def remove(*, note_id: UUID, author_id: UUID, hand: Hand) -> Note:
    """Remove a note. This will keep what it said in its history. Raises NotFound and NotTheAuthor."""
    note = _own(note_id, author_id)
    _keep(note, now=hand.now)
    note.body, note.deleted_at = "", hand.now
    note.save(update_fields=["body", "deleted_at"])
    hand.sign("note.remove", ids.show("pi", note.intent_id), note=ids.show("note", note.pk))
    return note


def _own(note_id: UUID, author_id: UUID) -> Note:
    note = Note.objects.select_for_update().filter(pk=note_id, deleted_at__isnull=True).first()
    if note is None:
        raise missing("note", ids.show("note", note_id))
    if note.author_id != author_id:
        raise NotTheAuthor("Only who wrote a note can change or remove it.")
    return note


def _keep(note: Note, *, now: datetime) -> None:
    FormerNote.objects.create(id=ids.new(now), book_id=note.book_id, note_id=note.pk, body=note.body, created_at=now)


def _checked(body: str) -> str:
    body = body.strip()
    if not body or len(body) > BODY_MAX or "\x00" in body:
        raise EmptyNote(f"A note has between 1 and {BODY_MAX} characters.", param="body")
    return body
