"""Work over all members of a programme, in batches that each stand alone.

A run is a row: what kind, how much there is, how much is done. Every batch is one unit of
work of a few statements, which moves the run's row along with its effect; a worker that
dies loses one batch, and any other goes on. What matures, expires and is told of is found
by what is still due; the back-fill, and tiers after a change of terms, go on from a cursor.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connections, transaction

from members.loyalty import accruals, objects, operations, purses, queries, standings
from members.loyalty.models import Lot, Programme, Run, Standing
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Conflict
from merchant_platform.kernel.events.outbox import publish, row
from payments.origin import Origin
from security.merchants import queries as merchants

BATCH = 500


class AlreadyRunning(Conflict):
    """The same work is under way in this programme."""

    code = "run_in_progress"


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
    done = 0
    for run_id, book_id in _open():
        while (count := step(run_id=run_id, book_id=book_id)) is not None:
            done += count
            if until():
                return done
    return done


def step(*, run_id: UUID, book_id: UUID, batch: int = BATCH) -> int | None:
    """One batch of a run, in its own unit of work. Returns how many rows it did; None where nothing was left to it."""
    with tenancy.within(book_id):
        # Skipped where another worker is at it.
        held = Run.objects.select_for_update(skip_locked=True, of=("self",)).select_related("programme")
        run = held.filter(pk=run_id, finished_at=None).first()
        if run is None:
            return None
        book = merchants.book(book_id)
        done, cursor = _BATCHES[run.kind](run, batch, book.now, Origin(livemode=book.livemode))
        run.done_count += done
        run.total_count = max(run.total_count, run.done_count)
        run.cursor = cursor
        if cursor is None or (not done and run.kind in _DUE):
            run.finished_at = book.now
        run.save(update_fields=["done_count", "total_count", "cursor", "finished_at"])
        return done if run.finished_at is None else None


def _settle(run: Run, batch: int, now: datetime, origin: Origin) -> tuple[int, UUID | None]:
    """Let points mature or expire, for the members whose lots are due. Twelve statements."""
    due = Lot.objects.filter(programme=run.programme, remaining_points__gt=0)
    if run.kind == Run.MATURE:
        due = due.filter(is_pending=True, available_at__lte=now).order_by("available_at")
    else:
        due = due.filter(is_pending=False, expires_at__lte=now).order_by("expires_at")
    # Held points stay: their lots come up again when the hold is over, so the cursor passes by them.
    members = list(dict.fromkeys(due.values_list("member_id", flat=True)[:batch]))
    opened = purses.open_many(run.programme, members, now=now)
    done = operations.settle(list(opened.values()), now=now)
    return len(done), members[-1] if done else None


def _notice(run: Run, batch: int, now: datetime, origin: Origin) -> tuple[int, UUID | None]:
    """Tell of points that will expire, once a lot. Three statements."""
    until = now + timedelta(days=queries.terms(run.programme).notice_days)
    due = Lot.objects.select_for_update(of=("self",)).filter(
        programme=run.programme,
        remaining_points__gt=0,
        is_pending=False,
        noticed_at=None,
        expires_at__gt=now,
        expires_at__lte=until,
    )
    lots = list(due.order_by("expires_at", "pk")[:batch])
    publish(
        *(
            row("points.expiring", objects.expiring(lot, livemode=origin.livemode), now=now, **origin.tags)
            for lot in lots
        )
    )
    Lot.objects.filter(pk__in=[lot.pk for lot in lots]).update(noticed_at=now)
    return len(lots), lots[-1].pk if lots else None


def _tiers(run: Run, batch: int, now: datetime, origin: Origin) -> tuple[int, UUID | None]:
    """Bring standings up to date: those whose tier has ended, or all after the cursor. Six statements."""
    rows = Standing.objects.select_for_update().filter(programme=run.programme)
    if run.kind == Run.TIERS:
        rows = rows.filter(tier_until__lte=now)
    elif run.cursor is not None:
        rows = rows.filter(member_id__gt=run.cursor)
    held = list(rows.order_by("member_id")[:batch])
    if not held:
        return 0, None
    events = standings.settle(
        run.programme, queries.terms(run.programme), held, zone=queries.zone(run.programme), now=now, origin=origin
    )
    purses.save(held)
    publish(*events)
    return len(held), held[-1].member_id


def _backfill(run: Run, batch: int, now: datetime, origin: Origin) -> tuple[int, UUID | None]:
    """Let paid orders after the cursor earn that have not: those of members, since they joined. Twenty statements."""
    with connections["default"].cursor() as asked:
        asked.execute(_BACKFILL.format(columns="o.id, o.created_at") + " ORDER BY o.id LIMIT %s", [*_span(run), batch])
        paid = dict(asked.fetchall())
    if not paid:
        return 0, None
    accruals.accrue(paid=paid, now=now, origin=origin)
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


_BATCHES: dict[str, Callable[[Run, int, datetime, Origin], tuple[int, UUID | None]]] = {
    Run.MATURE: _settle,
    Run.EXPIRE: _settle,
    Run.NOTICE: _notice,
    Run.TIERS: _tiers,
    Run.RETIER: _tiers,
    Run.BACKFILL: _backfill,
}
