"""Points in a consumer's wallet: a card a programme, with tier and progress, and what they own of them."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from members.directory import queries as directory
from members.loyalty import queries
from members.loyalty.models import Programme
from members.loyalty.queries import Points, TierStanding
from members.portal.port import POINTS, Card, Holding, Place, Viewer
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale


def cards(viewer: Viewer, now: datetime) -> list[Card]:
    """A card for each programme in which the consumer is a member. A few statements a merchant."""
    return [
        Card(
            book=place.book,
            kind=POINTS,
            title=programme.name,
            lines=_lines(programme, held, tier),
            percent=_percent(tier),
        )
        for place, programme, held, tier in _held(viewer)
    ]


def holdings(viewer: Viewer, now: datetime) -> list[Holding]:
    """The points that the consumer can spend, by programme."""
    return [
        Holding(
            name=programme.name,
            amount=held.available,
            unit=programme.unit,
            kind=POINTS,
            unit_name=_("points"),
            merchant=place.book.merchant.name,
        )
        for place, programme, held, _tier in _held(viewer)
        if held.available
    ]


def _held(viewer: Viewer) -> Iterator[tuple[Place, Programme, Points, TierStanding]]:
    for place in viewer.places:
        found = []
        with tenancy.within(place.book.pk):
            member = directory.of_customer(place.link.customer_id)
            if member is not None:
                at = place.book.now
                found = [
                    (place, each, queries.balance(member.pk, each), queries.tier(member.pk, each, now=at))
                    for each in queries.programmes(active=True)
                ]
        yield from found


def _lines(programme: Programme, held: Points, tier: TierStanding) -> list[str]:
    lines = [_("{points} points").format(points=f"{held.total:,}")]
    if held.pending:
        lines.append(_("{points} points wait").format(points=f"{held.pending:,}"))
    if held.on is not None:
        lines.append(_("{points} points expire on {day}").format(points=f"{held.expiring_next:,}", day=held.on.date()))
    if tier.name and tier.until:
        lines.append(_("{tier}, kept until {day}").format(tier=tier.name, day=tier.until.date()))
    elif tier.name:
        lines.append(tier.name)
    if tier.missing:
        missing = (
            Money(tier.missing, programme.currency).text(locale()) if tier.measure == "spend" else f"{tier.missing:,}"
        )
        lines.append(_("{missing} more for {tier}").format(missing=missing, tier=tier.next_name))
    return lines


def _percent(tier: TierStanding) -> int | None:
    return min(tier.score * 100 // (tier.score + tier.missing), 100) if tier.missing and tier.score else None
