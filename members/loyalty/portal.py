"""Points in a consumer's wallet: a card a programme, with tier and progress; each entry; what they own of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.directory import queries as directory
from members.loyalty import queries
from members.loyalty.models import Lot, Programme
from members.loyalty.queries import Movement, Points, TierStanding
from members.loyalty.terms import Terms
from members.portal.port import POINTS, Card, Holding, Page, Place, Viewer
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale
from security.merchants.models import Book


@dataclass(frozen=True, slots=True)
class Account:
    """A consumer's points in one programme: what they have, where they stand, and a page of entries."""

    book: Book
    programme: Programme
    terms: Terms
    points: Points
    tier: TierStanding
    waiting: Sequence[Lot]
    # What expires within the days of notice.
    expiring: Mapping[date, int]
    lines: Sequence[Movement]
    # Where the next page goes on, empty on the last.
    cursor: str


def cards(viewer: Viewer, now: datetime) -> list[Card]:
    """A card for each programme in which the consumer is a member. A few statements a merchant."""
    return [
        Card(
            book=place.book,
            kind=POINTS,
            title=programme.name,
            lines=_lines(programme, held, tier, place.book.merchant.zone),
            percent=percent(tier),
            page=_page(programme),
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
            page=_page(programme),
        )
        for place, programme, held, _tier in _held(viewer)
        if held.available
    ]


def account(viewer: Viewer, programme_id: UUID, *, after: str | None, limit: int) -> Account | None:
    """A page of the consumer's statement in a programme, with where they stand; None where they are no member there."""
    for place in viewer.places:
        with tenancy.within(place.book.pk):
            programme = Programme.objects.filter(pk=programme_id).first()
            member = directory.of_customer(place.link.customer_id) if programme else None
            if programme is None or member is None:
                continue
            lines = queries.statement(member.pk, programme, after=after, limit=limit + 1)
            return Account(
                book=place.book,
                programme=programme,
                terms=queries.terms(programme),
                points=queries.balance(member.pk, programme),
                tier=queries.tier(member.pk, programme, now=place.book.now),
                waiting=queries.waiting(member.pk, programme),
                expiring=queries.by_day(
                    queries.expiring(member.pk, programme, now=place.book.now), place.book.merchant.zone
                ),
                lines=lines[:limit],
                cursor=lines[limit - 1].cursor if len(lines) > limit else "",
            )
    return None


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


def _lines(programme: Programme, held: Points, tier: TierStanding, zone: ZoneInfo) -> list[str]:
    lines = [ngettext("{points} point", "{points} points", held.total).format(points=f"{held.total:,}")]
    if held.pending:
        waiting = ngettext("{points} point waits", "{points} points wait", held.pending)
        lines.append(waiting.format(points=f"{held.pending:,}"))
    if held.on is not None:
        day = held.on.astimezone(zone).date()
        expiring = ngettext("{points} point expires on {day}", "{points} points expire on {day}", held.expiring_next)
        lines.append(expiring.format(points=f"{held.expiring_next:,}", day=day))
    if tier.name and tier.until:
        day = tier.until.astimezone(zone).date()
        lines.append(_("{tier}, kept until {day}").format(tier=tier.name, day=day))
    elif tier.name:
        lines.append(tier.name)
    if tier.missing:
        missing = (
            Money(tier.missing, programme.currency).text(locale()) if tier.measure == "spend" else f"{tier.missing:,}"
        )
        lines.append(_("{missing} more for {tier}").format(missing=missing, tier=tier.next_name))
    return lines


def percent(tier: TierStanding) -> int | None:
    """How much of the way to the next tier is done; None where there is none, or no step was made. Pure."""
    return min(tier.score * 100 // (tier.score + tier.missing), 100) if tier.missing and tier.score else None


def _page(programme: Programme) -> Page:
    return ("wallet_points", "programme", ids.show("prog", programme.pk))
