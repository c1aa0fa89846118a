"""Ask for reports, call them off, have them made again, throw them away."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from analytics.insights.periods import DAYS_MAX
from analytics.reports import files, objects, states
from analytics.reports.models import Report
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid, TooMany, missing
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.states import advance
from payments.hand import Hand
from payments.origin import Origin

# What somebody may have waiting at the same time: enough for every kind and format, too few to keep the others out.
UNFINISHED_MAX = 12
EARLIEST = date(2000, 1, 1)


class PeriodInvalid(Invalid):
    """There is no such period, it is not over yet, or it is too long."""


class TooManyReports(TooMany):
    """So many reports of one person or key wait already."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for."""

    kind: str
    format: str
    language: str
    first: date
    last: date
    currency: str = ""


def ask(
    wanted: Wanted,
    *,
    hand: Hand,
    at: datetime,
    staff_id: UUID | None = None,
    key_id: UUID | None = None,
    origin: Origin | None = None,
) -> Report:
    """Ask for a report. This will write it as due, with its event; `at` is wall time.

    Raises PeriodInvalid and TooManyReports.
    """
    _check(wanted, hand)
    _check_waiting(staff_id, key_id)
    report = Report.objects.create(
        id=ids.new(hand.now),
        book_id=tenancy.book_id(),
        kind=wanted.kind,
        format=wanted.format,
        language=wanted.language,
        currency=wanted.currency,
        first_date=wanted.first,
        last_date=wanted.last,
        staff_id=staff_id,
        key_id=key_id,
        created_at=hand.now,
        due_at=at,
    )
    tell("report.created", report, hand=hand, origin=origin)
    hand.sign(
        "report.ask",
        ids.show("rpt", report.pk),
        kind=wanted.kind,
        format=wanted.format,
        since=wanted.first.isoformat(),
        until=wanted.last.isoformat(),
    )
    return report


def own(*, staff_id: UUID | None = None, key_id: UUID | None = None) -> QuerySet[Report]:
    """The reports of the open book that are a person's, or those of its keys."""
    reports = Report.objects.filter(staff_id=staff_id) if staff_id else Report.objects.filter(staff__isnull=True)
    return reports.filter(key_id=key_id) if key_id else reports


def find(report_id: UUID, *, staff_id: UUID | None) -> Report:
    """A report of a person's, or of the book's keys. Raises NotFound."""
    found = own(staff_id=staff_id).filter(pk=report_id).first()
    if found is None:
        raise missing("report", ids.show("rpt", report_id))
    return found


def cancel(report: Report, *, hand: Hand, at: datetime, origin: Origin | None = None) -> Report:
    """Call a report off. This will end it; who is at work on it stops at the next step. Raises WrongState, Conflict."""
    advance(report, to=states.CANCELED, moves=states.MOVES, due_at=None, finished_at=at)
    tell("report.canceled", report, hand=hand, origin=origin)
    hand.sign("report.cancel", ids.show("rpt", report.pk))
    return report


def again(report: Report, *, hand: Hand, at: datetime) -> Report:
    """Have a report made again that failed, was called off or is over. Raises WrongState, Conflict, TooManyReports."""
    if states.MOVES.allows(report.status, states.QUEUED):
        _check_waiting(report.staff_id, report.key_id)
    advance(
        report,
        to=states.QUEUED,
        moves=states.MOVES,
        due_at=at,
        progress_percent=0,
        tries_count=0,
        failure="",
        finished_at=None,
        expires_at=None,
        file_bytes=0,
        file_sha256="",
        rows_count=0,
    )
    hand.sign("report.again", ids.show("rpt", report.pk))
    return report


def remove(report: Report, *, hand: Hand) -> None:
    """Throw a report away. This will delete its row, and its file once that is committed."""
    path = files.path_of(report.book_id, report.pk, report.format)
    hand.sign("report.remove", ids.show("rpt", report.pk), kind=report.kind)
    report.delete()
    transaction.on_commit(lambda: files.remove(path))


def tell(event: str, report: Report, *, hand: Hand, origin: Origin | None = None) -> None:
    """Publish what became of a report."""
    obj = objects.report(report, merchant=hand.book.merchant, livemode=hand.book.livemode)
    publish(row(event, obj, now=hand.now, **(origin.tags if origin else {})))


def _check_waiting(staff_id: UUID | None, key_id: UUID | None) -> None:
    waiting = own(staff_id=staff_id, key_id=key_id).filter(status__in=states.UNFINISHED)
    if waiting.count() >= UNFINISHED_MAX:
        raise TooManyReports("Too many of your reports wait already. Wait for one of them.", retry_after=10)


def _check(wanted: Wanted, hand: Hand) -> None:
    today = hand.now.astimezone(hand.book.merchant.zone).date()
    if not EARLIEST <= wanted.first <= wanted.last:
        raise PeriodInvalid("The first day comes before the last.", param="since")
    if wanted.last > today:
        raise PeriodInvalid("The last day is today at the latest.", param="until")
    if (wanted.last - wanted.first).days >= DAYS_MAX:
        raise PeriodInvalid(f"A period has {DAYS_MAX} days at most.", param="since")
