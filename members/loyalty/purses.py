"""What members have in a programme, under lock: their standing, their balances and their lots.

Whoever moves a member's points opens the purse first. The standing's row is the lock, so
that two acts on one member follow each other; many members are locked in one order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections

from members.loyalty.models import Lot, Programme, Standing
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.arrays import literal
from payments.ledger import chart, queries
from payments.ledger import operations as ledger


@dataclass(slots=True)
class Purse:
    """One member in one programme. An act that takes or gives changes it here, as it will be written."""

    programme: Programme
    standing: Standing
    posted: int
    reserved: int
    pending: int
    debt: int
    # With something left, soonest expiring first, those without an end last.
    lots: list[Lot]

    @property
    def member_id(self) -> UUID:
        return self.standing.member_id

    @property
    def available(self) -> int:
        return self.posted - self.reserved

    def account(self, kind: chart.Kind) -> chart.AccountRef:
        """The member's account of a kind in the programme's unit."""
        return account(self.programme, kind, self.member_id)

    @property
    def active(self) -> list[Lot]:
        return [lot for lot in self.lots if not lot.is_pending and lot.remaining_points]


def account(programme: Programme, kind: chart.Kind, member_id: UUID) -> chart.AccountRef:
    """A member's account of a kind in a programme's unit."""
    return chart.points(kind, member_id, programme.unit, programme.mode)


def open_one(programme: Programme, member_id: UUID, *, now: datetime) -> Purse:
    """Lock one member's purse. See open_many."""
    return open_many(programme, [member_id], now=now)[member_id]


def open_many(programme: Programme, member_ids: Iterable[UUID], *, now: datetime) -> dict[UUID, Purse]:
    """Lock members' purses, in one order. This will open the accounts of who is new. Three statements."""
    wanted = sorted(set(member_ids))
    standings = _lock(programme, wanted)
    new = [member_id for member_id in wanted if member_id not in standings]
    if new:
        _open(programme, new, now=now)
        standings = _lock(programme, wanted)
    kinds = (chart.POINTS, chart.POINTS_PENDING, chart.POINTS_DEBT)
    balances = iter(queries.guarded_many([account(programme, kind, each) for each in wanted for kind in kinds]))
    purses = {}
    for member_id in wanted:
        points, pending, debt = next(balances), next(balances), next(balances)
        purses[member_id] = Purse(
            programme=programme,
            standing=standings[member_id],
            posted=points.posted_minor,
            reserved=points.reserved_minor,
            pending=pending.posted_minor,
            debt=debt.posted_minor,
            lots=[],
        )
    left = Lot.objects.filter(programme=programme, member_id__in=wanted, remaining_points__gt=0)
    for lot in sorted(left, key=by_expiry):
        lot.seen_points = lot.remaining_points
        purses[lot.member_id].lots.append(lot)
    return purses


def by_expiry(lot: Lot) -> tuple[bool, float, UUID]:
    """The order in which lots are spent."""
    return lot.expires_at is None, lot.expires_at.timestamp() if lot.expires_at else 0.0, lot.pk


def save(standings: Sequence[Standing]) -> None:
    """Write what changed of locked standings, in one statement."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE members_standing AS s SET tier = c.tier, tier_since = c.since, tier_until = c.until,"
            " orders_count = c.orders, last_visit_date = c.visit, lifetime_spend_minor = c.spend,"
            " lifetime_points = c.points FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[],"
            " %s::int[], %s::date[], %s::bigint[], %s::bigint[])"
            " AS c (id, tier, since, until, orders, visit, spend, points) WHERE s.id = c.id",
            [
                literal(each.pk for each in standings),
                [each.tier for each in standings],
                literal(each.tier_since for each in standings),
                literal(each.tier_until for each in standings),
                literal(each.orders_count for each in standings),
                [each.last_visit_date for each in standings],
                literal(each.lifetime_spend_minor for each in standings),
                literal(each.lifetime_points for each in standings),
            ],
        )


def _lock(programme: Programme, member_ids: Sequence[UUID]) -> dict[UUID, Standing]:
    rows = Standing.objects.select_for_update().filter(programme=programme, member_id__in=member_ids)
    return {row.member_id: row for row in rows.order_by("member_id")}


def _open(programme: Programme, member_ids: Sequence[UUID], *, now: datetime) -> None:
    kinds = (chart.POINTS, chart.POINTS_PENDING, chart.POINTS_DEBT)
    ledger.open_accounts(account(programme, kind, each) for each in member_ids for kind in kinds)
    Standing.objects.bulk_create(
        [
            Standing(
                id=ids.new(now),
                book_id=tenancy.book_id(),
                programme=programme,
                member_id=member_id,
                created_at=now,
            )
            for member_id in member_ids
        ],
        ignore_conflicts=True,
    )
