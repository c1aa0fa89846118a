"""Who acts, in which book and when: what a deed of staff carries into the rooms."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payments.origin import Origin
from security.audit import operations as audit
from security.merchants.models import LIVE, TEST, Book


@dataclass(frozen=True, slots=True)
class Hand:
    """A member of staff at work, or a job that was asked for by one."""

    actor: audit.Actor
    book: Book
    now: datetime

    @property
    def mode(self) -> str:
        return LIVE if self.book.livemode else TEST

    @property
    def origin(self) -> Origin:
        return Origin(livemode=self.book.livemode)

    def sign(self, action: str, object_id: str, **detail: Any) -> None:
        """Put a deed into the audit log. This will write its record in the open transaction."""
        audit.record(
            actor=self.actor,
            action=action,
            object_id=object_id,
            detail=detail,
            book_id=self.book.pk,
            merchant_id=self.book.merchant_id,
        )
