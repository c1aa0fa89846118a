"""What is done with programmes and points: start and change, hold and take, give back, transfer, adjust, expire.

Every verb locks the purses it touches, settles what is due there (points that have
matured, points that have expired), and writes one act.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from members.loyalty import acts, objects, purses, queries, terms
from members.loyalty.acts import Act
from members.loyalty.models import GRANTED, RECEIVED, RETURNED, Lot, LotMove, Programme, ProgrammeTerms
from members.loyalty.purses import Purse
from merchant_platform.kernel import ids, money, tenancy
from merchant_platform.kernel.errors import Conflict, Invalid, WrongState
from merchant_platform.kernel.events.outbox import EventRow, changed, publish, row
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.ledger import queries as ledger_queries
from payments.origin import Origin
from security.merchants.models import LIVE

POINTS_MAX = 1_000_000_000


class NameTaken(Invalid):
    """The book has a programme with this name."""

    code = "resource_already_exists"


class NotEnoughPoints(Invalid):
    """The member cannot spend so many."""

    code = "points_insufficient"


class BudgetExceeded(Invalid):
    """The programme's budget does not have so many to grant."""

    code = "points_budget_exceeded"


class NotTransferable(WrongState):
    """The programme's points stay with whom they were given to."""

    code = "points_not_transferable"


class ProgrammeClosed(WrongState):
    """Nothing is given in a programme that was closed."""

    code = "programme_inactive"


class Changed(Conflict):
    """Somebody changed the terms meanwhile."""

    code = "programme_changed"


# --- programmes ------------------------------------------------------------------------


def start(*, name: str, currency: str, given: Mapping[str, Any], mode: str, now: datetime, origin: Origin) -> Programme:
    """Start a programme. This will write it with its terms, open its accounts, tell `points.programme.created`.

    Raises NameTaken, and BadTerms for terms that nobody could keep.
    """
    held = terms.read(given)
    started = Programme(
        id=ids.new(now), book_id=tenancy.book_id(), mode=mode, name=name, currency=currency, created_at=now
    )
    try:
        with transaction.atomic():
            started.save(force_insert=True)
    except IntegrityError as error:
        raise NameTaken("A programme with this name exists.", param="name") from error
    _write_terms(started, held, now=now)
    totals = (chart.POINTS_ISSUED, chart.POINTS_SPENT, chart.POINTS_EXPIRED)
    ledger.open_accounts([started.budget, *(started.total(kind) for kind in totals)])
    shown = objects.programme(started, held, livemode=origin.livemode)
    publish(row("points.programme.created", shown, now=now, **origin.tags))
    return started


def change(
    *,
    programme_id: UUID,
    now: datetime,
    origin: Origin,
    given: Mapping[str, Any] | None = None,
    name: str | None = None,
    is_active: bool | None = None,
    seen_version: int | None = None,
) -> Programme:
    """Change a programme. This will write a new version where the terms change, and tell `points.programme.updated`.

    What was earned stays as it was. With `seen_version`, raises Changed where the terms are
    not that version any more. Raises NotFound, NameTaken and BadTerms.
    """
    queries.programme(programme_id)
    held_row = Programme.objects.select_for_update().get(pk=programme_id)
    if seen_version is not None and held_row.terms_version != seen_version:
        raise Changed("Somebody changed the terms at the same time. Look at them again.")
    before_terms = queries.terms(held_row)
    before = objects.programme(held_row, before_terms, livemode=origin.livemode)
    after_terms = before_terms if given is None else terms.read(given)
    if name is not None:
        held_row.name = name
    if is_active is not None:
        held_row.is_active = is_active
    if after_terms != before_terms:
        held_row.terms_version += 1
        _write_terms(held_row, after_terms, now=now)
    try:
        with transaction.atomic():
            held_row.save(update_fields=["name", "is_active", "terms_version"])
    except IntegrityError as error:
        raise NameTaken("A programme with this name exists.", param="name") from error
    after = objects.programme(held_row, after_terms, livemode=origin.livemode)
    if after != before:
        publish(row("points.programme.updated", after, previous=changed(before, after), now=now, **origin.tags))
    return held_row


def set_budget(*, programme_id: UUID, points: int, reference: str, now: datetime) -> None:
    """Set how many points may be granted from now on. This will post the difference to what is left.

    Raises NotFound, and Invalid outside 0 to POINTS_MAX.
    """
    if not 0 <= points <= POINTS_MAX:
        raise Invalid(f"A budget is from 0 to {POINTS_MAX} points.", param="points")
    queries.programme(programme_id)
    # Whoever changes a budget at the same time comes after.
    held = Programme.objects.select_for_update().get(pk=programme_id)
    difference = points - queries.budget_left(held)
    act = Act(held, kind="points_budget", reference=f"points_budget:{reference}", source_id=held.pk, now=now)
    issued = held.total(chart.POINTS_ISSUED)
    if difference > 0:
        act.move(issued, held.budget, difference)
    else:
        act.move(held.budget, issued, -difference)
    acts.write([act])


def _write_terms(programme: Programme, held: terms.Terms, *, now: datetime) -> None:
    ProgrammeTerms.objects.create(
        id=ids.new(now),
        book_id=programme.book_id,
        programme=programme,
        version=programme.terms_version,
        terms=held.to_json(),
        created_at=now,
    )


# --- hold, complete, void, give back -----------------------------------------------------


def hold(*, programme: Programme, member_id: UUID, points: int, reference: str, now: datetime) -> ledger.Hold:
    """Set points aside for something. This will settle what is due and reserve them in the ledger, without an end.

    Raises NotEnoughPoints, and ledger.AlreadyPosted for a reference that was used.
    """
    purse = purses.open_one(programme, member_id, now=now)
    settle([purse], now=now)
    if points > purse.available:
        raise NotEnoughPoints(f"The member can spend {max(purse.available, 0)} points.", param="points")
    return ledger.reserve(
        account=purse.account(chart.POINTS), amount_minor=points, reference=reference, now=now, expires_at=None
    )


def complete(
    *,
    programme: Programme,
    member_id: UUID,
    hold_reference: str,
    source_id: UUID,
    reference: str,
    source: str,
    now: datetime,
    origin: Origin,
) -> UUID:
    """Take points that are held, from the lots that expire soonest. This will post the entry and return its id.

    They were held, so they are there, even where a lot of theirs has expired meanwhile.
    Raises ledger.AlreadySettled.
    """
    purse = purses.open_one(programme, member_id, now=now)
    held = ledger_queries.holds(hold_reference)[hold_reference]
    act = Act(programme, kind="points_spent", reference=reference, source_id=source_id, now=now)
    taken = act.take(
        purse,
        held.amount_minor,
        target=programme.total(chart.POINTS_SPENT),
        lots=list(purse.active),
        from_held=True,
    )
    assert sum(part for _, part in taken) == held.amount_minor, "what is held is there"
    acts.write_completing(act, hold=held, account=purse.account(chart.POINTS))
    _tell("points.spent", act, programme, member_id, -held.amount_minor, source=source, origin=origin)
    return act.entry_id


def void(*, programme: Programme, member_id: UUID, hold_reference: str, now: datetime) -> None:
    """Give back points that are held. This will void the hold. Raises ledger.AlreadySettled."""
    held = ledger_queries.holds(hold_reference)[hold_reference]
    ledger.void(hold=held, account=purses.account(programme, chart.POINTS, member_id), now=now)


def give_back(
    *,
    programme: Programme,
    source_id: UUID,
    points: int,
    reference: str,
    source: str,
    now: datetime,
    origin: Origin,
) -> UUID:
    """Give back points that something took. This will post the entry and return its id.

    They go to the lots they came from, in proportion to what each still misses, by largest
    remainder; what came from a lot that has expired meanwhile, or from a member who is
    another one now, comes back as a new lot that can be spent for the days of notice. A
    debt is paid first. Raises Invalid for more than was taken.
    """
    first = LotMove.objects.select_related("lot").filter(source_id=source_id).order_by("pk").first()
    if first is None:
        raise Invalid("Nothing was taken for this.", param="points")
    member_id = queries.living(first.lot.member_id)
    purse = purses.open_one(programme, member_id, now=now)
    taken = _taken(source_id)
    if points > sum(taken.values()):
        raise Invalid(f"Only {sum(taken.values())} points are left to give back.", param="points")
    lots = Lot.objects.filter(pk__in=list(taken))
    act = Act(programme, kind="points_returned", reference=reference, source_id=source_id, now=now)
    spent = programme.total(chart.POINTS_SPENT)
    before = (purse.posted, purse.debt)
    order = sorted((lot for lot in lots if taken[lot.pk]), key=purses.by_expiry)
    parts = money.split(points, [taken[lot.pk] for lot in order])
    for lot, part in zip(order, parts, strict=True):
        _give_back_to(act, purse, lot, part, source=spent)
    acts.write([act])
    change = objects.movement(
        entry_id=act.entry_id,
        programme=programme,
        member_id=member_id,
        kind=act.kind,
        now=now,
        points=purse.posted - before[0],
        debt=purse.debt - before[1],
        source=source,
        livemode=origin.livemode,
    )
    publish(row("points.returned", change, now=now, **origin.tags))
    return act.entry_id


def _give_back_to(act: Act, purse: Purse, lot: Lot, part: int, *, source: chart.AccountRef) -> None:
    if not part:
        return
    known = next((each for each in purse.lots if each.pk == lot.pk), None)
    if known is None:
        known = lot
        known.seen_points = lot.remaining_points
        purse.lots.append(known)
    has_ended = known.expires_at is not None and known.expires_at <= act.now
    if known.member_id == purse.member_id and not has_ended:
        back = part - act.pay_debt(purse, part, source=source)
        if back:
            act.change(known, back)
            act.move(source, purse.account(chart.POINTS), back)
            purse.posted += back
        act.note(known, part - back)
        return
    act.note(known, part)
    notice = queries.terms(act.programme).notice_days
    act.give(purse, part, source=source, kind=RETURNED, expires_at=act.now + timedelta(days=max(notice, 1)))


def _taken(source_id: UUID) -> dict[UUID, int]:
    """What something took from each lot, less what came back."""
    found: dict[UUID, int] = {}
    moves = LotMove.objects.filter(source_id=source_id)
    for lot_id, points, elsewhere in moves.values_list("lot_id", "points", "elsewhere_points"):
        found[lot_id] = found.get(lot_id, 0) - points - elsewhere
    return found


# --- transfer, adjust --------------------------------------------------------------------


def transfer(
    *, programme: Programme, giver_id: UUID, taker_id: UUID, points: int, reference: str, now: datetime, origin: Origin
) -> UUID:
    """Move points from one member to another, each with the end it has. This will post the entry and return its id.

    The taker's debt is paid first. Raises NotTransferable, ProgrammeClosed, NotEnoughPoints,
    Invalid for a transfer to oneself, and ledger.AlreadyPosted for a reference that was used.
    """
    held = queries.terms(programme)
    if not held.is_transferable:
        raise NotTransferable("Points of this programme cannot be transferred.")
    _check_open(programme)
    if giver_id == taker_id:
        raise Invalid("Points are transferred to somebody else.", param="to")
    opened = purses.open_many(programme, [giver_id, taker_id], now=now)
    settle(list(opened.values()), now=now)
    giver, taker = opened[giver_id], opened[taker_id]
    if points > giver.available:
        raise NotEnoughPoints(f"The member can spend {max(giver.available, 0)} points.", param="points")
    act = Act(programme, kind="points_transferred", reference=reference, source_id=taker_id, now=now)
    move_lots(act, giver, taker, points, lots=giver.active, kind=RECEIVED)
    acts.write([act])
    for purse, change in ((giver, -points), (taker, points)):
        other = taker if purse is giver else giver
        source = ids.show("mem", other.member_id)
        _tell("points.transferred", act, programme, purse.member_id, change, source=source, origin=origin)
    return act.entry_id


def move_lots(act: Act, giver: Purse, taker: Purse, points: int, *, lots: Sequence[Lot], kind: str) -> None:
    """Draft points on their way from one purse to another: each lot becomes one of the taker, with its end."""
    for lot in list(lots):
        part = min(points, lot.remaining_points, giver.available)
        if part <= 0:
            continue
        points -= part
        act.change(lot, -part)
        giver.posted -= part
        act.give(taker, part, source=giver.account(chart.POINTS), kind=kind, expires_at=lot.expires_at)


def adjust(
    *, programme: Programme, member_id: UUID, points: int, reason: str, reference: str, now: datetime, origin: Origin
) -> UUID:
    """Grant points to a member out of the budget, or take some away. This will post the entry and return its id.

    Raises BudgetExceeded, NotEnoughPoints, ProgrammeClosed, Invalid for no points or no
    reason, and ledger.AlreadyPosted for a reference that was used. The caller signs it.
    """
    if not 0 < abs(points) <= POINTS_MAX:
        raise Invalid(f"An adjustment is of 1 to {POINTS_MAX} points, or as many below zero.", param="points")
    if not reason.strip():
        raise Invalid("An adjustment has a reason.", param="reason")
    _check_open(programme)
    purse = purses.open_one(programme, member_id, now=now)
    settle([purse], now=now)
    before = (purse.posted, purse.debt)
    act = Act(programme, kind="points_adjusted", reference=reference, source_id=member_id, now=now)
    if points > 0:
        held = queries.terms(programme)
        ends = None if held.lifetime_days is None else now + timedelta(days=held.lifetime_days)
        act.give(purse, points, source=programme.budget, kind=GRANTED, expires_at=ends)
    else:
        if -points > purse.available:
            raise NotEnoughPoints(f"The member can spend {max(purse.available, 0)} points.", param="points")
        act.take(purse, -points, target=programme.total(chart.POINTS_ISSUED), lots=purse.active)
    try:
        with transaction.atomic():
            acts.write([act])
    except ledger.InsufficientFunds as error:
        raise BudgetExceeded("The programme's budget does not have so many points left.", param="points") from error
    change = objects.movement(
        entry_id=act.entry_id,
        programme=programme,
        member_id=member_id,
        kind=act.kind,
        now=now,
        points=purse.posted - before[0],
        debt=purse.debt - before[1],
        livemode=origin.livemode,
    )
    publish(row("points.adjusted", {**change, "reason": reason}, now=now, **origin.tags))
    return act.entry_id


# --- by the clock ------------------------------------------------------------------------


def settle(opened: Sequence[Purse], *, now: datetime) -> list[Act]:
    """Do what is due on locked purses: let points mature and expire. This will write and tell it, and return the acts.

    Five statements for any number of purses, none where nothing is due.
    """
    drafted = [*_draft_maturing(opened, now=now), *_draft_expiring(opened, now=now)]
    acts.write(drafted)
    publish(*(_expired(act, now=now) for act in drafted if act.kind == "points_expired"))
    return drafted


def _draft_maturing(opened: Sequence[Purse], *, now: datetime) -> list[Act]:
    """Points whose order's refund window is over can be spent: the member's debt is paid first."""
    drafted = []
    for purse in opened:
        for lot in purse.lots:
            if not lot.is_pending or lot.available_at > now or not lot.remaining_points:
                continue
            reference = f"points_matured:{ids.show('lot', lot.pk)}"
            act = Act(purse.programme, kind="points_matured", reference=reference, source_id=lot.pk, now=now)
            pending = purse.account(chart.POINTS_PENDING)
            points = lot.remaining_points
            paid = act.pay_debt(purse, points, source=pending)
            if paid:
                act.change(lot, -paid)
            act.move(pending, purse.account(chart.POINTS), points - paid)
            lot.is_pending = False
            act.touch(lot)
            purse.pending -= points
            purse.posted += points - paid
            drafted.append(act)
    return drafted


def _draft_expiring(opened: Sequence[Purse], *, now: datetime) -> list[Act]:
    """Points that nobody spent in time are gone, but for those that are held for something: the soonest expiring."""
    drafted = []
    for purse in opened:
        held = purse.reserved
        for lot in purse.active:
            kept = min(held, lot.remaining_points)
            held -= kept
            if lot.expires_at is None or lot.expires_at > now or kept == lot.remaining_points:
                continue
            # What remains only shrinks once it has expired, so that each step has a name of its own.
            reference = f"points_expired:{ids.show('lot', lot.pk)}:{lot.remaining_points}"
            act = Act(purse.programme, kind="points_expired", reference=reference, source_id=lot.pk, now=now)
            expired = purse.programme.total(chart.POINTS_EXPIRED)
            act.take(purse, lot.remaining_points - kept, target=expired, lots=[lot])
            drafted.append(act)
    return drafted


def _expired(act: Act, *, now: datetime) -> EventRow:
    (move,) = act.moves
    livemode = act.programme.mode == LIVE
    change = objects.movement(
        entry_id=act.entry_id,
        programme=act.programme,
        member_id=move.lot.member_id,
        kind=act.kind,
        now=now,
        points=move.points,
        source=ids.show("lot", move.lot_id),
        livemode=livemode,
    )
    return row("points.expired", change, now=now)


def _check_open(programme: Programme) -> None:
    if not programme.is_active:
        raise ProgrammeClosed("This programme is closed.")


def _tell(
    name: str, act: Act, programme: Programme, member_id: UUID, points: int, *, source: str, origin: Origin
) -> None:
    change = objects.movement(
        entry_id=act.entry_id,
        programme=programme,
        member_id=member_id,
        kind=act.kind,
        now=act.now,
        points=points,
        source=source,
        livemode=origin.livemode,
    )
    publish(row(name, change, now=act.now, **origin.tags))
