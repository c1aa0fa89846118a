"""Who stands at a desk or before a public page, as the directory's hand."""

from uuid import UUID

from django.http import Http404

from members.directory.hand import Hand
from members.directory.models import DASHBOARD
from merchant_platform.kernel import ids
from payments.origin import Origin
from security.web.desk import Desk


def hand(desk: Desk, *, source: str = DASHBOARD) -> Hand:
    return Hand(
        source=source,
        actor=desk.actor,
        book_id=desk.book.pk,
        merchant_id=desk.merchant.pk,
        country=desk.merchant.country,
        now=desk.now,
        origin=Origin(livemode=desk.book.livemode),
    )


def object_id(prefix: str, shown: str) -> UUID:
    """The id in an address. Raises Http404 for what cannot be one."""
    try:
        return ids.parse(prefix, shown)
    except ids.MalformedId as error:
        raise Http404 from error
