"""Questions about a book's keys."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q

from security.credentials.keys import KEYS_MAX
from security.credentials.models import PUBLISHABLE, ApiKey

# A key that ended stays in the list for so long.
ENDED_SHOWN = timedelta(days=30)
SHOWN_MAX = 2 * KEYS_MAX


def listed(*, book_id: UUID, now: datetime) -> list[ApiKey]:
    """The keys of a book, newest first: those that work, and those that ended lately."""
    lately = Q(revoked_at__isnull=True) | Q(revoked_at__gte=now - ENDED_SHOWN)
    lately &= Q(expires_at__isnull=True) | Q(expires_at__gte=now - ENDED_SHOWN)
    keys = ApiKey.objects.select_related("made_by__user").filter(lately, book_id=book_id)
    return list(keys.order_by(F("revoked_at").asc(nulls_first=True), "-pk")[:SHOWN_MAX])


def find(*, book_id: UUID, key_id: UUID) -> ApiKey | None:
    """A key of a book, with who made it."""
    return ApiKey.objects.select_related("made_by__user", "book").filter(book_id=book_id, pk=key_id).first()


def named(*, book_id: UUID) -> dict[UUID, ApiKey]:
    """Every key of a book by its id, the newest first: what a list of requests names its keys by."""
    return {key.pk: key for key in ApiKey.objects.filter(book_id=book_id).order_by("-pk")[:SHOWN_MAX]}


def publishable_text(*, book_id: UUID, now: datetime) -> str | None:
    """The newest publishable key of a book that works, if one was kept."""
    works = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    keys = ApiKey.objects.filter(works, book_id=book_id, kind=PUBLISHABLE, revoked_at__isnull=True)
    return keys.exclude(public_text=None).order_by("-pk").values_list("public_text", flat=True).first()
