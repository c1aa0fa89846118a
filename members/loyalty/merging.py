"""Points when two members turn out to be one: by new entries, so that both statements say what happened."""

from datetime import datetime
from uuid import UUID

from members.directory.models import Member
from members.loyalty import acts, operations, purses, queries, standings
from members.loyalty.acts import Act
from members.loyalty.models import MERGED, Lot, Programme, Standing
from members.loyalty.purses import Purse
from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Conflict
from merchant_platform.kernel.events.outbox import publish
from payments.ledger import chart
from payments.ledger import queries as ledger
from payments.origin import Origin
from security.merchants.models import LIVE

KIND = "points_merged"


class PointsHeld(Conflict):
    """Points of the member are held for a payment that is under way."""

    code = "points_held"


def merge(*, loser: Member, winner: Member, now: datetime, undo: bool) -> None:
    """Move what one member has in every programme to the other. This will post it, and settle the winner's tier.

    Undone, what is still left of what came goes back; what was spent meanwhile stays spent.
    Raises PointsHeld while a payment holds points of the loser.
    """
    members = [loser.pk, winner.pk]
    held = Standing.objects.filter(member_id__in=members).values_list("programme_id", flat=True).distinct()
    for programme in Programme.objects.filter(pk__in=list(held)).order_by("pk"):
        opened = purses.open_many(programme, members, now=now)
        operations.settle(list(opened.values()), now=now)
        drafted = _Drafts(programme, now)
        if undo:
            _part(drafted, opened[winner.pk], opened[loser.pk])
        else:
            _join(drafted, opened[loser.pk], opened[winner.pk])
        acts.write(list(drafted.values()))
        standings.count_lifetimes(programme, [purse.standing for purse in opened.values()])
        events = standings.follow(
            programme,
            queries.terms(programme),
            list(opened.values()),
            zone=queries.zone(programme),
            now=now,
            origin=Origin(livemode=programme.mode == LIVE),
        )
        publish(*events)


class _Drafts(dict[UUID, Act]):
    """An act for each member whose points go over: who was merged before keeps their own, however far they go."""

    def __init__(self, programme: Programme, now: datetime) -> None:
        super().__init__()
        self.programme, self.now = programme, now

    def __missing__(self, member_id: UUID) -> Act:
        reference = f"points_merge:{ids.new(self.now)}"
        self[member_id] = act = Act(self.programme, kind=KIND, reference=reference, source_id=member_id, now=self.now)
        return act


def _join(drafted: _Drafts, loser: Purse, winner: Purse) -> None:
    if loser.reserved:
        raise PointsHeld("Points of this member are held for a payment that is under way. Try again when it is over.")
    owed = loser.account(chart.POINTS_DEBT)
    if loser.debt:
        drafted[loser.member_id].move(winner.account(chart.POINTS_DEBT), owed, loser.debt)
        winner.debt, loser.debt = winner.debt + loser.debt, 0
    whose = _whose(loser.lots)
    for lot in list(loser.lots):
        _move(drafted[whose.get(lot.pk, loser.member_id)], loser, winner, lot)


def _part(drafted: _Drafts, winner: Purse, loser: Purse) -> None:
    """What came with the merge and is left goes back, points and debt."""
    whose = _whose(winner.lots)
    # With the loser came whoever was merged into them before.
    theirs = {loser.member_id, *Member.objects.filter(merged_into=loser.member_id).values_list("pk", flat=True)}
    for lot in list(winner.lots):
        if whose.get(lot.pk) in theirs:
            _move(drafted[whose[lot.pk]], winner, loser, lot)
    owed = loser.account(chart.POINTS_DEBT)
    # The last that happened to the debt of who was merged is that it went over.
    last = next((leg for leg in ledger.statement(owed, limit=1) if leg.kind == KIND), None)
    if last is not None and (back := min(last.amount_minor, winner.debt)) > 0:
        drafted[loser.member_id].move(owed, winner.account(chart.POINTS_DEBT), back)
        winner.debt, loser.debt = winner.debt - back, back


def _whose(lots: list[Lot]) -> dict[UUID, UUID]:
    """Whose points lots are that came by a merge: that of who had them first."""
    came = Lot.objects.filter(pk__in=[lot.pk for lot in lots], kind=MERGED).values_list("pk", "entry__source_id")
    return {lot: member for lot, member in came if member}


def _move(act: Act, giver: Purse, taker: Purse, lot: Lot) -> None:
    if not lot.is_pending:
        operations.move_lots(act, giver, taker, lot.remaining_points, lots=[lot], kind=MERGED)
        return
    part = lot.remaining_points
    act.change(lot, -part)
    giver.pending -= part
    act.give(
        taker,
        part,
        source=giver.account(chart.POINTS_PENDING),
        kind=MERGED,
        expires_at=lot.expires_at,
        pending_until=lot.available_at,
    )
