"""Who does something to a member, from where and when: what a door hands to the room."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from payments.origin import Origin
from security.audit import operations as audit
from security.audit.models import STAFF


@dataclass(frozen=True, slots=True)
class Hand:
    """A member of staff, a key, or the person itself; `source` is the door, as members remember it."""

    source: str
    actor: audit.Actor
    book_id: UUID
    merchant_id: UUID
    # The merchant's country: telephone numbers without a code are of it.
    country: str
    now: datetime
    origin: Origin

    @property
    def staff_id(self) -> UUID | None:
        return self.actor.id if self.actor.kind == STAFF else None

    def sign(self, action: str, object_id: str, **detail: Any) -> None:
        """Put a deed into the audit log. This will write its record in the open transaction."""
        audit.record(
            actor=self.actor,
            action=action,
            object_id=object_id,
            detail=detail,
            book_id=self.book_id,
            merchant_id=self.merchant_id,
        )
