"""Members' tiers follow what they bought: at once when they buy, by the clock when a tier ends."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Sum

from members.directory.models import Member
from members.loyalty import objects, purses, tiers
from members.loyalty.models import Accrual, Programme, Standing
from members.loyalty.purses import Purse
from members.loyalty.terms import LIFETIME, POINTS, Terms
from members.loyalty.tiers import Counted, Held
from merchant_platform.kernel.events.outbox import EventRow, row
from payments.origin import Origin


def follow(
    programme: Programme,
    terms: Terms,
    opened: Sequence[Purse],
    *,
    zone: ZoneInfo,
    now: datetime,
    origin: Origin,
    taken_back: Mapping[UUID, int] | None = None,
) -> list[EventRow]:
    """Bring locked standings up to date. This will write them, and return the events of the tiers that changed."""
    standings = [purse.standing for purse in opened]
    events = settle(programme, terms, standings, zone=zone, now=now, origin=origin, taken_back=taken_back)
    purses.save(standings)
    return events


def settle(
    programme: Programme,
    terms: Terms,
    standings: Sequence[Standing],
    *,
    zone: ZoneInfo,
    now: datetime,
    origin: Origin,
    taken_back: Mapping[UUID, int] | None = None,
) -> list[EventRow]:
    """The tiers that locked standings have now, unsaved, and the events of those that changed. Two statements."""
    counted = histories(programme, terms, standings, zone=zone, now=now)
    events = []
    for standing in standings:
        before = standing.tier
        held = tiers.evaluate(
            terms,
            Held(standing.tier, standing.tier_until),
            counted[standing.member_id],
            now=now,
            zone=zone,
            taken_back=(taken_back or {}).get(standing.member_id, 0),
        )
        standing.tier, standing.tier_until = held.key, held.until
        if held.key != before:
            standing.tier_since = now if held.key else None
            change = objects.tier_change(
                member_id=standing.member_id,
                programme_id=programme.pk,
                before=before,
                after=held.key,
                until=held.until,
                livemode=origin.livemode,
            )
            events.append(row("tier.changed", dict(change), now=now, **origin.tags))
    return events


def histories(
    programme: Programme, terms: Terms, standings: Sequence[Standing], *, zone: ZoneInfo, now: datetime
) -> dict[UUID, list[Counted]]:
    """What counts towards a tier, by member: the window's accruals, or the sums of a lifetime."""
    if terms.tier_window == LIFETIME:
        return {
            each.member_id: [
                Counted(now, each.lifetime_points if terms.tier_by == POINTS else each.lifetime_spend_minor)
            ]
            for each in standings
        }
    found: dict[UUID, list[Counted]] = {each.member_id: [] for each in standings}
    if terms.tiers and found:
        aliases = _aliases(found)
        rows = Accrual.objects.filter(
            programme=programme,
            member_id__in=[*found, *aliases],
            effective_at__gt=tiers.since(terms, now=now, zone=zone),
        )
        for member_id, at, counted, returned, points, reversed_points in rows.values_list(
            "member_id", "effective_at", "counted_minor", "returned_minor", "points", "reversed_points"
        ):
            amount = points - reversed_points if terms.tier_by == POINTS else counted - returned
            found[aliases.get(member_id, member_id)].append(Counted(at, amount))
    return found


def count_lifetimes(programme: Programme, standings: Sequence[Standing]) -> None:
    """What counts for a lifetime, counted again from what orders earned, on locked standings: unsaved.

    A merge and its undoing change whose orders are whose; refunds may have come in between.
    """
    by_member = {each.member_id: each for each in standings}
    for standing in standings:
        standing.orders_count = standing.lifetime_spend_minor = standing.lifetime_points = 0
    aliases = _aliases(by_member)
    sums = (
        Accrual.objects.filter(programme=programme, member_id__in=[*by_member, *aliases])
        .values("member_id")
        .annotate(
            orders=Count("pk"),
            spend=Sum(F("counted_minor") - F("returned_minor")),
            points_left=Sum(F("points") - F("reversed_points")),
        )
    )
    for earned in sums:
        standing = by_member[aliases.get(earned["member_id"], earned["member_id"])]
        standing.orders_count += earned["orders"]
        standing.lifetime_spend_minor += earned["spend"]
        standing.lifetime_points += earned["points_left"]


def _aliases(members: Iterable[UUID]) -> dict[UUID, UUID]:
    """Who was merged into members: what they bought before two memberships became one counts too."""
    return dict(Member.objects.filter(merged_into__in=list(members)).values_list("pk", "merged_into_id"))
