"""Feature flags: a name, a book and a percentage.

Who is in is a hash of the flag and the subject, so that a subject stays in while the
percentage grows.
"""

import hashlib
import re
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from merchant_platform.kernel.errors import Invalid
from security.access.models import Flag

NAME = re.compile(r"^[a-z][a-z0-9_]{0,59}\Z")


def set_percent(*, book_id: UUID, name: str, percent: int, now: datetime) -> None:
    """Switch a feature on for a share of a book. This will write the flag.

    Raises Invalid outside 0 to 100, and for a name that no code could ask for.
    """
    if not NAME.fullmatch(name):
        raise Invalid("A flag's name has small letters, digits and underscores, 60 at most.", param="name")
    if not 0 <= percent <= 100:
        raise Invalid("A share is between 0 and 100 percent.", param="percent")
    Flag.objects.bulk_create(
        [Flag(book_id=book_id, name=name, percent=percent, changed_at=now)],
        update_conflicts=True,
        unique_fields=["book_id", "name"],
        update_fields=["percent", "changed_at"],
    )


def of_books(book_ids: Collection[UUID]) -> dict[UUID, list[Flag]]:
    """The flags that were ever set in some books, by book and name."""
    found: dict[UUID, list[Flag]] = {book_id: [] for book_id in book_ids}
    for flag in Flag.objects.filter(book_id__in=book_ids).order_by("name"):
        found[flag.book_id].append(flag)
    return found


def is_on(*, book_id: UUID, name: str, subject_id: UUID | None = None) -> bool:
    """Whether a feature is on for a subject of a book; without a subject, for the whole book."""
    percent = Flag.objects.filter(book_id=book_id, name=name).values_list("percent", flat=True).first() or 0
    return percent == 100 if subject_id is None else bucket(name, subject_id) < percent


def bucket(name: str, subject_id: UUID) -> int:
    """The hundredth of all subjects that one is in, for this flag: from 0 to 99. Pure."""
    return int.from_bytes(hashlib.sha256(f"{name}:{subject_id}".encode()).digest()[:8], "big") % 100
