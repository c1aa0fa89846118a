"""Points when two members turn out to be one: by new entries, so that both statements say what happened."""

from datetime import datetime

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
        act = Act(
            programme, kind="points_merged", reference=f"points_merge:{ids.new(now)}", source_id=loser.pk, now=now
        )
        if undo:
            _part(act, opened[winner.pk], opened[loser.pk])
        else:
            _join(act, opened[loser.pk], opened[winner.pk])
        acts.write([act])
        _move_sums(opened[loser.pk].standing, opened[winner.pk].standing, undo=undo)
        events = standings.follow(
            programme,
            queries.terms(programme),
            list(opened.values()),
            zone=queries.zone(programme),
            now=now,
            origin=Origin(livemode=programme.mode == LIVE),
        )
        publish(*events)


def _join(act: Act, loser: Purse, winner: Purse) -> None:
    if loser.reserved:
        raise PointsHeld("Points of this member are held for a payment that is under way. Try again when it is over.")
    owed = loser.account(chart.POINTS_DEBT)
    if loser.debt:
        act.move(winner.account(chart.POINTS_DEBT), owed, loser.debt)
        winner.debt, loser.debt = winner.debt + loser.debt, 0
    _move(act, loser, winner, list(loser.lots))


def _part(act: Act, winner: Purse, loser: Purse) -> None:
    """What came with the merge and is left goes back, points and debt."""
    came = Lot.objects.filter(pk__in=[lot.pk for lot in winner.lots], kind=MERGED, entry__source_id=loser.member_id)
    theirs = set(came.values_list("pk", flat=True))
    _move(act, winner, loser, [lot for lot in winner.lots if lot.pk in theirs])
    owed = loser.account(chart.POINTS_DEBT)
    # The last that happened to the debt of who was merged is that it went over.
    last = next((leg for leg in ledger.statement(owed, limit=1) if leg.kind == act.kind), None)
    if last is not None and (back := min(last.amount_minor, winner.debt)) > 0:
        act.move(owed, winner.account(chart.POINTS_DEBT), back)
        winner.debt, loser.debt = winner.debt - back, back


def _move(act: Act, giver: Purse, taker: Purse, lots: list[Lot]) -> None:
    for lot in lots:
        if not lot.is_pending:
            operations.move_lots(act, giver, taker, lot.remaining_points, lots=[lot], kind=MERGED)
            continue
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


def _move_sums(loser: Standing, winner: Standing, *, undo: bool) -> None:
    """What counts for a lifetime moves along, and what is the loser's own is kept to be moved back."""
    sign = -1 if undo else 1
    winner.orders_count += sign * loser.orders_count
    winner.lifetime_spend_minor += sign * loser.lifetime_spend_minor
    winner.lifetime_points += sign * loser.lifetime_points
