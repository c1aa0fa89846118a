"""A consumer's memberships in the wallet: one card a merchant, with the number that a till reads."""

from datetime import datetime

from django.utils.translation import gettext as _

from members.directory import queries
from members.directory.models import Member
from members.portal.port import MEMBERSHIP, Card, Place, Viewer
from merchant_platform.kernel import tenancy


def cards(viewer: Viewer, now: datetime) -> list[Card]:
    """The consumer's memberships that have not ended. One statement a merchant."""
    found = []
    for place in viewer.places:
        with tenancy.within(place.book.pk):
            member = queries.of_customer(place.link.customer_id)
        if member is not None:
            found.append(_card(place, member))
    return found


def _card(place: Place, member: Member) -> Card:
    since = f"{member.joined_at.astimezone(place.book.merchant.zone):%Y-%m-%d}"
    lines = [_("Member since {day}").format(day=since)]
    return Card(book=place.book, kind=MEMBERSHIP, title=_("Membership"), lines=lines, code=member.number)
