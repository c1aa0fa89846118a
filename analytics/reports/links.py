"""Links to a report's file: signed, for one person or one key, and for a while.

A person's link opens nothing without their own sign-in; a key's opens by itself, for minutes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

from analytics.reports.models import Report
from merchant_platform.kernel import clock, ids
from merchant_platform.kernel.errors import NotFound

_SALT = "analytics.reports.links"
# From a page or an answer of the API; and from a letter, which is read some time later and asks for a sign-in.
SHORT = timedelta(minutes=5)
_STAFF, _KEY = "stf", "key"


class Unusable(NotFound):
    """The link was altered, is over, or its file is gone."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says: which file, and who may take it."""

    book_id: UUID
    report_id: UUID
    staff_id: UUID | None = None
    key_id: UUID | None = None


def address(
    report: Report, *, at: datetime, until: datetime, staff_id: UUID | None = None, key_id: UUID | None = None
) -> str:
    """The address of a report's file for a person or a key, until a moment of the world's; never longer than the file
    is kept."""
    assert (staff_id is None) != (key_id is None), "a link is somebody's"
    holder = ids.show(_STAFF, staff_id) if staff_id else ids.show(_KEY, key_id)  # type: ignore[arg-type]
    ends = min(until, report.expires_at or at)
    said = [ids.show("bk", report.book_id), ids.show("rpt", report.pk), holder, clock.unix(ends)]
    return f"{settings.PUBLIC_URL}/reports/{signing.dumps(said, salt=_SALT, compress=False)}"


def opened(token: str, *, at: datetime) -> Link:
    """What a link says. Raises Unusable."""
    try:
        book, report, holder, ends = signing.loads(token, salt=_SALT)
    except signing.BadSignature as error:
        raise Unusable("This link does not work.") from error
    if clock.unix(at) >= ends:
        raise Unusable("This link is over.")
    prefix = holder.partition("_")[0]
    holder_id = ids.parse(prefix, holder)
    return Link(
        ids.parse("bk", book),
        ids.parse("rpt", report),
        staff_id=holder_id if prefix == _STAFF else None,
        key_id=holder_id if prefix == _KEY else None,
    )
