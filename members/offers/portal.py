"""A consumer's coupons in the wallet: the codes that merchants made for them alone."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from members.offers import objects, queries, summary
from members.offers.frames import Terms
from members.offers.models import PromotionCode
from members.portal.port import COUPON, Card, Place, Viewer
from merchant_platform.kernel import tenancy

CARDS_MAX = 10


def cards(viewer: Viewer, now: datetime) -> list[Card]:
    """The coupons that the consumer can use, merchant by merchant, the newest first. One statement a merchant."""
    found = []
    for place in viewer.places:
        with tenancy.within(place.book.pk):
            rows = list(queries.own_codes(place.link.customer_id, now=place.book.now)[:CARDS_MAX])
        found += [_card(place, row) for row in rows if objects.is_valid(row.offer, place.book.now)]
    return found


def _card(place: Place, row: PromotionCode) -> Card:
    lines = [summary.summary(Terms.read(row.offer.terms))]
    if row.minimum_minor:
        lines.append(_("From {amount} on").format(amount=summary.money(row.minimum_minor, row.minimum_currency)))
    ends = min((each for each in (row.expires_at, row.offer.ends) if each is not None), default=None)
    if ends is not None:
        day = date_format(ends.astimezone(place.book.merchant.zone), "SHORT_DATE_FORMAT")
        lines.append(_("Until {day}").format(day=day))
    return Card(book=place.book, kind=COUPON, title=row.offer.name, lines=lines, code=row.code)
