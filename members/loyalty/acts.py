"""Acts on points: what moves in the ledger and what changes on the lots, written together.

An act is drafted on locked purses, in memory, and written with others in one go: one
call of the ledger, one statement for the lots that changed, one for new ones and one for
what moved. One member or a thousand, it is the same number of statements.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connections

from members.loyalty.models import Lot, LotMove, Programme
from members.loyalty.purses import Purse
from merchant_platform.kernel import ids
from merchant_platform.kernel.arrays import literal
from merchant_platform.kernel.errors import Conflict
from payments.ledger import chart
from payments.ledger import operations as ledger


class Act:
    """One business act, posted as one entry under its reference."""

    def __init__(
        self, programme: Programme, *, kind: str, reference: str, now: datetime, source_id: UUID | None = None
    ) -> None:
        self.programme, self.kind, self.reference, self.now, self.source_id = programme, kind, reference, now, source_id
        self.entry_id = ids.new(now)
        self.made: list[Lot] = []
        self.changed: dict[UUID, Lot] = {}
        self.moves: list[LotMove] = []
        self._moved: dict[tuple[chart.AccountRef, chart.AccountRef], int] = {}

    def move(self, debit: chart.AccountRef, credit: chart.AccountRef, points: int) -> None:
        """A transfer; what goes the same way in one act is one."""
        if points:
            self._moved[debit, credit] = self._moved.get((debit, credit), 0) + points

    def give(
        self,
        purse: Purse,
        points: int,
        *,
        source: chart.AccountRef,
        kind: str,
        expires_at: datetime | None,
        pending_until: datetime | None = None,
    ) -> Lot | None:
        """Points from an account to a member: their debt first, the rest as a new lot. None: all of it paid debt."""
        if pending_until is None:
            points -= self.pay_debt(purse, points, source=source)
        if not points:
            return None
        self.move(source, purse.account(chart.POINTS_PENDING if pending_until else chart.POINTS), points)
        lot = Lot(
            id=ids.new(self.now),
            book_id=self.programme.book_id,
            programme=self.programme,
            member_id=purse.member_id,
            kind=kind,
            entry_id=self.entry_id,
            points=points,
            remaining_points=points,
            is_pending=pending_until is not None,
            available_at=pending_until or self.now,
            expires_at=expires_at,
            created_at=self.now,
        )
        lot.seen_points = points
        self.made.append(lot)
        purse.lots.append(lot)
        if pending_until is None:
            purse.posted += points
        else:
            purse.pending += points
        return lot

    def pay_debt(self, purse: Purse, points: int, *, source: chart.AccountRef) -> int:
        """What of the points goes to the member's debt. This will move it, and return how many."""
        paid = min(points, purse.debt)
        self.move(source, purse.account(chart.POINTS_DEBT), paid)
        purse.debt -= paid
        return paid

    def take(
        self, purse: Purse, points: int, *, target: chart.AccountRef, lots: Iterable[Lot], from_held: bool = False
    ) -> list[tuple[Lot, int]]:
        """Up to so many points from a member's lots, in their order, to an account. This will return what it took.

        What is held for something else stays, unless the act is what it was held for.
        """
        taken = []
        for lot in lots:
            free = lot.remaining_points if lot.is_pending or from_held else min(lot.remaining_points, purse.available)
            part = min(points, free)
            if part <= 0:
                continue
            points -= part
            self.change(lot, -part)
            if lot.is_pending:
                purse.pending -= part
            else:
                purse.posted -= part
                if from_held:
                    purse.reserved -= part
            self.move(purse.account(chart.POINTS_PENDING if lot.is_pending else chart.POINTS), target, part)
            taken.append((lot, part))
        return taken

    def change(self, lot: Lot, points: int) -> None:
        """Take from a lot (below zero) or put back."""
        lot.remaining_points += points
        assert 0 <= lot.remaining_points <= lot.points, "a lot has what is left of it"
        self.touch(lot)
        self.moves.append(
            LotMove(
                id=ids.new(self.now),
                book_id=lot.book_id,
                lot=lot,
                entry_id=self.entry_id,
                source_id=self.source_id,
                points=points,
            )
        )

    def note(self, lot: Lot, points: int) -> None:
        """What came back of what was taken from a lot, and went elsewhere: to a new lot, or to a debt."""
        if points:
            self.moves.append(
                LotMove(
                    id=ids.new(self.now),
                    book_id=lot.book_id,
                    lot=lot,
                    entry_id=self.entry_id,
                    source_id=self.source_id,
                    points=0,
                    elsewhere_points=points,
                )
            )

    def touch(self, lot: Lot) -> None:
        """A lot whose columns change, whatever of it."""
        self.changed[lot.pk] = lot

    @property
    def draft(self) -> ledger.Draft:
        return ledger.Draft(
            id=self.entry_id,
            reference=self.reference,
            kind=self.kind,
            lines=[ledger.Line(debit, credit, points) for (debit, credit), points in self._moved.items()],
            unit=self.programme.unit,
            effective_at=self.now,
            source_id=self.source_id,
        )

    @property
    def is_empty(self) -> bool:
        return not self._moved


def write(acts: Sequence[Act]) -> None:
    """Post acts and write their lots: four statements for any number of them.

    Raises ledger.AlreadyPosted where one has happened, Conflict where a lot is not as it was read.
    """
    acts = [act for act in acts if not act.is_empty]
    if acts:
        ledger.post_many([act.draft for act in acts])
        _write_lots(acts)


def write_completing(act: Act, *, hold: ledger.Hold, account: chart.AccountRef) -> None:
    """The same for one act that takes what was held for it. Raises ledger.AlreadySettled."""
    ledger.complete(hold=hold, account=account, draft=act.draft, now=act.now)
    _write_lots([act])


def _write_lots(acts: Sequence[Act]) -> None:
    made = [lot for act in acts for lot in act.made]
    new = {lot.pk for lot in made}
    changed = {lot.pk: lot for act in acts for lot in act.changed.values() if lot.pk not in new}
    Lot.objects.bulk_create(made)
    if changed:
        _compare_and_set(list(changed.values()))
    LotMove.objects.bulk_create([move for act in acts for move in act.moves])


def _compare_and_set(lots: Sequence[Lot]) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE members_lot AS l SET remaining_points = c.remaining, is_pending = c.pending FROM"
            " unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::boolean[]) AS c (id, seen, remaining, pending)"
            " WHERE l.id = c.id AND l.remaining_points = c.seen",
            [
                literal(lot.pk for lot in lots),
                literal(lot.seen_points for lot in lots),
                literal(lot.remaining_points for lot in lots),
                [lot.is_pending for lot in lots],
            ],
        )
        if cursor.rowcount != len(lots):
            raise Conflict("These points were changed by another request at the same time. Try again.")
