"""Questions about requests, of the open book, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections
from django.db.models import QuerySet

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.request_log.models import LoggedRequest


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked by. What is empty is not asked."""

    status_class: int | None = None
    method: str = ""
    path: str = ""
    key_id: UUID | None = None
    object_id: str = ""
    since: datetime | None = None
    before: datetime | None = None


def matching(wanted: Wanted) -> "QuerySet[LoggedRequest]":
    """The requests that a list shows, in no order yet: the reader pages by id."""
    rows = LoggedRequest.objects.all()
    for name in ("status_class", "method", "path", "key_id", "object_id"):
        if value := getattr(wanted, name):
            rows = rows.filter(**{name: value})
    if wanted.object_id:
        rows = rows.exclude(object_id="")
    if wanted.since:
        rows = rows.filter(pk__gte=ids.first_at(wanted.since))
    if wanted.before:
        rows = rows.filter(pk__lt=ids.first_at(wanted.before))
    return rows


def find(request_id: UUID) -> LoggedRequest | None:
    """A request by its id."""
    return LoggedRequest.objects.filter(pk=request_id).first()


def last_used(key_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each of some keys was used last, as far back as the log goes.

    One statement: a look at the end of an index for each.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT k.id, (SELECT r.id FROM kernel_loggedrequest r WHERE r.book_id = %s AND r.key_id = k.id"
            " ORDER BY r.id DESC LIMIT 1) FROM unnest(%s::uuid[]) AS k (id)",
            [tenancy.book_id(), list(key_ids)],
        )
        return {key_id: ids.made_at(request_id) for key_id, request_id in cursor.fetchall() if request_id}
