"""Work over all members of a programme, in batches that each stand alone.

A run is a row: what kind, how much there is, how much is done. Every batch is one unit of
work of a few statements, which moves the run's row along with its effect; a worker that
dies loses one batch, and any other goes on. What matures, expires and is told of is found
by what is still due; the back-fill, and tiers after a change of terms, go on from a cursor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from django.db import IntegrityError, connections, transaction

from members.loyalty import accruals, letters, objects, operations, purses, queries, standings
from members.loyalty.models import Lot, Programme, Run, Standing
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Conflict
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.idempotency import LockTimeout, lock_timeouts
from payments.origin import Origin
from security.merchants import queries as merchants

# How many a batch takes. What an order earns is much to write, and its member's purse is locked as long: whoever pays
# at that moment waits for no more than such a batch.
MEMBERS = 500
BATCH = {Run.BACKFILL: 100}
# And a batch itself waits for nobody: it holds other members' purses meanwhile.
GIVES_WAY = "SET LOCAL lock_timeout = '250ms'"


class AlreadyRunning(Conflict):
    """The same work is under way in this programme."""

    code = "run_in_progress"


@dataclass(frozen=True, slots=True)
class _When:
    """When a batch is done, by the book's clock and in the world, and for whom."""

    now: datetime
    at: datetime
    origin: Origin


# Which programmes have something due, over all books, by the books' own clocks.
_DUE = {
    Run.MATURE: "SELECT 1 FROM members_lot l WHERE l.programme_id = p.id AND l.is_pending AND l.remaining_points > 0"
    " AND l.available_at <= c.at",
    Run.EXPIRE: "SELECT 1 FROM members_lot l WHERE l.programme_id = p.id AND NOT l.is_pending"
    " AND l.remaining_points > 0 AND l.expires_at <= c.at",
    Run.NOTICE: "SELECT 1 FROM members_lot l WHERE l.programme_id = p.id AND NOT l.is_pending"
    " AND l.remaining_points > 0 AND l.noticed_at IS NULL AND l.expires_at > c.at"
    " AND l.expires_at <= c.at + make_interval(days => (t.terms->>'notice_days')::int)",
    Run.TIERS: "SELECT 1 FROM members_standing s WHERE s.programme_id = p.id AND s.tier_until <= c.at",
}


def begin(*, programme_id: UUID, kind: str, now: datetime) -> Run:
    """Begin a run. This will write its row with how much there is to do. Raises NotFound and AlreadyRunning.

    What the clock does is one run a day, which is opened again when more becomes due.
    """
    programme = queries.programme(programme_id)
    count = _count(programme, kind, now=now)
    if kind in _DUE:
        today = Run.objects.filter(programme=programme, kind=kind, started_at__gt=now - timedelta(days=1))
        last = today.exclude(finished_at=None).order_by("-pk").first()
        if last is not None:
            last.total_count, last.finished_at, last.cursor = last.done_count + count, None, None
            _save_open(last, force_insert=False)
            return last
    made = Run(
        id=ids.new(now),
        book_id=programme.book_id,
        programme=programme,
        kind=kind,
        total_count=count,
        started_at=now,
    )
    _save_open(made, force_insert=True)
    return made


def _save_open(run: Run, *, force_insert: bool) -> None:
    try:
        with transaction.atomic():
            run.save(force_insert=force_insert)
    except IntegrityError as error:
        raise AlreadyRunning("This is under way already.") from error


def work(*, at: datetime, until: Callable[[], bool] = lambda: False) -> int:
    """Begin what is due, and go on with what was begun, until told to stop. Returns how many rows were done.

    May run many times at once: a batch locks its run's row, and whoever finds it locked
    passes on to the next.
    """
    for book_id, programme_id, kind in _due(at=at):
        try:
            with tenancy.within(book_id):
                begin(programme_id=programme_id, kind=kind, now=merchants.book(book_id).now)
        except AlreadyRunning:
            continue
    done, left = 0, _open()
    while left:
        # A batch of each in turn: nobody's points wait until another book's back-fill is over.
        going_on = []
        for run_id, book_id in left:
            try:
                count = step(run_id=run_id, book_id=book_id, at=at)
            except LockTimeout:
                # Somebody pays or spends just now: this run gives way, and goes on in the next round.
                continue
            if count is not None:
                done += count
                going_on.append((run_id, book_id))
            if until():
                return done
        left = going_on
    return done


def step(*, run_id: UUID, book_id: UUID, at: datetime, batch: int | None = None) -> int | None:
    """One batch of a run, in its own unit of work; `at` is wall time, which letters go by.

    Returns how many rows it did; None where nothing was left to it. Raises LockTimeout
    where somebody is at the same members: nothing of the batch is done then.
    """
    with lock_timeouts(), tenancy.within(book_id):
        with connections["default"].cursor() as asked:
            asked.execute(GIVES_WAY)
        # Skipped where another worker is at it.
        held = Run.objects.select_for_update(skip_locked=True, of=("self",)).select_related("programme")
        run = held.filter(pk=run_id, finished_at=None).first()
        if run is None:
            return None
        book = merchants.book(book_id)
        when = _When(book.now, at, Origin(livemode=book.livemode))
        done, cursor = _BATCHES[run.kind](run, batch or BATCH.get(run.kind, MEMBERS), when)
        run.done_count += done
        run.total_count = max(run.total_count, run.done_count)
        run.cursor = cursor
        if cursor is None or (not done and run.kind in _DUE):
            run.finished_at = book.now
        run.save(update_fields=["done_count", "total_count", "cursor", "finished_at"])
        return done if run.finished_at is None else None


def _settle(run: Run, batch: int, when: _When) -> tuple[int, UUID | None]:
    """Let points mature or expire, for the members whose lots are due. Twelve statements."""
    due = Lot.objects.filter(programme=run.programme, remaining_points__gt=0)
    if run.kind == Run.MATURE:
        due = due.filter(is_pending=True, available_at__lte=when.now).order_by("available_at")
    else:
        due = due.filter(is_pending=False, expires_at__lte=when.now).order_by("expires_at")
    # Held points stay: their lots come up again when the hold is over, so the cursor passes by them.
    members = list(dict.fromkeys(due.values_list("member_id", flat=True)[:batch]))
    opened = purses.open_many(run.programme, members, now=when.now)
    done = operations.settle(list(opened.values()), now=when.now)
    return len(done), members[-1] if done else None


def _notice(run: Run, batch: int, when: _When) -> tuple[int, UUID | None]:
    """Tell the members whose points will expire, once a lot: an event each, and a letter a member. Ten statements.

    What of theirs expires on the same day is told along, so that nobody is written to twice a day.
    """
    until = when.now + timedelta(days=queries.terms(run.programme).notice_days)
    left = Lot.objects.filter(programme=run.programme, remaining_points__gt=0, is_pending=False, noticed_at=None)
    left = left.filter(expires_at__gt=when.now)
    due = left.filter(expires_at__lte=until).order_by("expires_at", "pk")
    members = set(due.values_list("member_id", flat=True)[:batch])
    day_end = datetime.combine(until.astimezone(queries.zone(run.programme)), time.max, queries.zone(run.programme))
    # A lot that somebody spends just now is told of in the next round.
    rows = left.filter(member_id__in=members, expires_at__lte=day_end).select_for_update(skip_locked=True, of=("self",))
    lots = list(rows.order_by("expires_at", "pk"))
    publish(
        *(
            row(
                "points.expiring",
                objects.expiring(lot, livemode=when.origin.livemode),
                now=when.now,
                **when.origin.tags,
            )
            for lot in lots
        )
    )
    letters.write_expiring(run.programme, lots, now=when.now, at=when.at)
    Lot.objects.filter(pk__in=[lot.pk for lot in lots]).update(noticed_at=when.now)
    return len(lots), lots[-1].pk if lots else None


def _tiers(run: Run, batch: int, when: _When) -> tuple[int, UUID | None]:
    """Bring standings up to date: those whose tier has ended, or all after the cursor. Six statements."""
    rows = Standing.objects.select_for_update().filter(programme=run.programme)
    if run.kind == Run.TIERS:
        rows = rows.filter(tier_until__lte=when.now)
    elif run.cursor is not None:
        rows = rows.filter(member_id__gt=run.cursor)
    held = list(rows.order_by("member_id")[:batch])
    if not held:
        return 0, None
    events = standings.settle(
        run.programme,
        queries.terms(run.programme),
        held,
        zone=queries.zone(run.programme),
        now=when.now,
        origin=when.origin,
    )
    purses.save(held)
    publish(*events)
    return len(held), held[-1].member_id


def _backfill(run: Run, batch: int, when: _When) -> tuple[int, UUID | None]:
    """Let paid orders after the cursor earn that have not: those of members, since they joined. Twenty statements."""
    with connections["default"].cursor() as asked:
        asked.execute(_BACKFILL.format(columns="o.id, o.created_at") + " ORDER BY o.id LIMIT %s", [*_span(run), batch])
        paid = dict(asked.fetchall())
    if not paid:
        return 0, None
    accruals.accrue(paid=paid, now=when.now, origin=when.origin)
    return len(paid), max(paid)


# Orders of members that have not earned in this programme, in the order of their ids.
_BACKFILL = (
    "SELECT {columns} FROM payments_order o"
    " JOIN members_member m ON m.book_id = o.book_id AND m.customer_id = o.customer_id"
    " WHERE o.status = 'paid' AND o.currency = %s AND o.id > %s AND o.created_at >= m.joined_at - interval '1 hour'"
    " AND NOT EXISTS (SELECT 1 FROM members_accrual a WHERE a.book_id = o.book_id AND a.order_id = o.id"
    " AND a.programme_id = %s)"
)


def _span(run: Run) -> list[str | UUID]:
    return [run.programme.currency, run.cursor or UUID(int=0), run.programme_id]


def _count(programme: Programme, kind: str, *, now: datetime) -> int:
    lots = Lot.objects.filter(programme=programme, remaining_points__gt=0)
    if kind == Run.MATURE:
        return lots.filter(is_pending=True, available_at__lte=now).count()
    if kind == Run.EXPIRE:
        return lots.filter(is_pending=False, expires_at__lte=now).count()
    if kind == Run.NOTICE:
        until = now + timedelta(days=queries.terms(programme).notice_days)
        return lots.filter(is_pending=False, noticed_at=None, expires_at__gt=now, expires_at__lte=until).count()
    standing = Standing.objects.filter(programme=programme)
    if kind in (Run.TIERS, Run.RETIER):
        return (standing.filter(tier_until__lte=now) if kind == Run.TIERS else standing).count()
    with connections["default"].cursor() as asked:
        asked.execute(_BACKFILL.format(columns="count(*)"), [programme.currency, UUID(int=0), programme.pk])
        return asked.fetchone()[0]


def _due(*, at: datetime) -> list[tuple[UUID, UUID, str]]:
    found = " UNION ALL ".join(
        f"SELECT p.book_id, p.id, '{kind}' FROM members_programme p JOIN security_book k ON k.id = p.book_id"
        " JOIN members_programmeterms t ON t.programme_id = p.id AND t.version = p.terms_version"
        f" CROSS JOIN LATERAL (SELECT coalesce(k.clock_at, %(at)s) AS at) c WHERE EXISTS ({due})"
        for kind, due in _DUE.items()
    )
    with connections["platform"].cursor() as asked:
        asked.execute(found, {"at": at})
        return asked.fetchall()


def _open() -> list[tuple[UUID, UUID]]:
    with connections["platform"].cursor() as asked:
        asked.execute("SELECT id, book_id FROM members_run WHERE finished_at IS NULL ORDER BY id")
        return asked.fetchall()


_BATCHES: dict[str, Callable[[Run, int, _When], tuple[int, UUID | None]]] = {
    Run.MATURE: _settle,
    Run.EXPIRE: _settle,
    Run.NOTICE: _notice,
    Run.TIERS: _tiers,
    Run.RETIER: _tiers,
    Run.BACKFILL: _backfill,
}
