"""Schedules: reports that are made again and again, at an hour of the merchant's.

A schedule that is due is taken by compare-and-set on the moment at which it was due, so that
of two beats one makes its report, and a period has one report at most by a constraint. What
was missed while nobody worked is made later, each period once, as long as it is young.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections
from django.db.models import QuerySet

from analytics.reports import letters, operations, states
from analytics.reports.models import DAILY, MONTHLY, WEEKLY, Report, ReportSchedule
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid, TooMany, missing
from merchant_platform.kernel.states import advance
from payments.hand import Hand
from security.audit.operations import PLATFORM
from security.merchants import queries as merchants
from security.merchants.models import Book

SCHEDULES_MAX, RECIPIENTS_MAX = 20, 20
# What was missed for longer is not made any more, but for the last time.
MADE_LATER = timedelta(days=7)
_AT_ONCE_MAX = 100


class NoRecipients(Invalid):
    """Nobody is to be written to, or somebody who does not work here or may not have such a report."""


class TooManySchedules(TooMany):
    """The merchant has so many schedules already."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a schedule is due: every day, or on a day of the week or of the month, at an hour of a zone."""

    frequency: str
    hour: int
    day: int | None

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The next time after a moment. An hour that the clocks skip is the one after it; one that comes twice, the
        first."""
        day = moment.astimezone(zone).date()
        while True:
            if self._falls_on(day) and (due := _at(day, self.hour, zone)) > moment:
                return due
            day += timedelta(days=1)

    def before(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The last time up to a moment."""
        day = moment.astimezone(zone).date()
        while True:
            if self._falls_on(day) and (due := _at(day, self.hour, zone)) <= moment:
                return due
            day -= timedelta(days=1)

    def period(self, due: date) -> tuple[date, date]:
        """What a report of that day is of: the day, the week or the month that is over."""
        if self.frequency == DAILY:
            return due - timedelta(days=1), due - timedelta(days=1)
        if self.frequency == WEEKLY:
            monday = due - timedelta(days=due.weekday())
            return monday - timedelta(days=7), monday - timedelta(days=1)
        last = due.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last

    def _falls_on(self, day: date) -> bool:
        return (
            self.frequency == DAILY
            or (self.frequency == WEEKLY and day.isoweekday() == self.day)
            or (self.frequency == MONTHLY and day.day == self.day)
        )


def _at(day: date, hour: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(hour), zone)


def rhythm_of(schedule: ReportSchedule) -> Rhythm:
    return Rhythm(schedule.frequency, schedule.hour, schedule.day)


@dataclass(frozen=True, slots=True)
class WantedSchedule:
    """What somebody wants made again and again."""

    kind: str
    format: str
    language: str
    rhythm: Rhythm
    recipient_ids: Sequence[UUID]
    currency: str = ""


def start(wanted: WantedSchedule, *, staff_id: UUID, hand: Hand, at: datetime) -> ReportSchedule:
    """Begin a schedule. This will write it as due at its next time; `at` is wall time.

    Raises NoRecipients and TooManySchedules.
    """
    chosen = list(dict.fromkeys(wanted.recipient_ids))
    allowed = letters.recipients(hand.book, chosen, wanted.kind)
    if not chosen or len(chosen) > RECIPIENTS_MAX or len(allowed) != len(chosen):
        raise NoRecipients("Choose people who work here and may see this report.", param="recipients")
    if listed().count() >= SCHEDULES_MAX:
        raise TooManySchedules("There are too many schedules. Delete one first.", retry_after=60)
    schedule = ReportSchedule.objects.create(
        id=ids.new(hand.now),
        book_id=tenancy.book_id(),
        kind=wanted.kind,
        format=wanted.format,
        language=wanted.language,
        currency=wanted.currency,
        staff_id=staff_id,
        frequency=wanted.rhythm.frequency,
        hour=wanted.rhythm.hour,
        day=wanted.rhythm.day,
        recipient_ids=chosen,
        next_at=wanted.rhythm.after(at, hand.book.merchant.zone),
        created_at=hand.now,
    )
    hand.sign("report.schedule", ids.show("rsch", schedule.pk), kind=wanted.kind, count=len(chosen))
    return schedule


def listed() -> QuerySet[ReportSchedule]:
    """The schedules of the open book that did not end."""
    return ReportSchedule.objects.exclude(status=states.ENDED)


def find(schedule_id: UUID) -> ReportSchedule:
    """A schedule that did not end. Raises NotFound."""
    found = listed().filter(pk=schedule_id).first()
    if found is None:
        raise missing("report schedule", ids.show("rsch", schedule_id))
    return found


def move(schedule: ReportSchedule, to: str, *, hand: Hand, at: datetime) -> None:
    """Pause, resume or end a schedule. What fell into a pause is not made. Raises WrongState, Conflict."""
    due = rhythm_of(schedule).after(at, hand.book.merchant.zone) if to == states.ACTIVE else None
    advance(schedule, to=to, moves=states.SCHEDULE_MOVES, next_at=due)
    hand.sign(f"report.schedule_{to}", ids.show("rsch", schedule.pk))


def run_due(*, at: datetime) -> int:
    """Ask for the reports that are due. This will write each with the schedule's next time; returns how many."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "SELECT book_id, id FROM analytics_reportschedule WHERE status = 'active' AND next_at <= %s"
            " ORDER BY next_at, id LIMIT %s",
            [at, _AT_ONCE_MAX],
        )
        due = cursor.fetchall()
    return sum(_run(book_id, schedule_id, at) for book_id, schedule_id in due)


def _run(book_id: UUID, schedule_id: UUID, at: datetime) -> int:
    """What one schedule owes: a report for each time that was missed lately, or for the last one."""
    book, count = merchants.book(book_id), 0
    zone = book.merchant.zone
    with tenancy.within(book_id):
        schedule = ReportSchedule.objects.get(pk=schedule_id)
        rhythm, due = rhythm_of(schedule), schedule.next_at
        if schedule.status != states.ACTIVE or due is None or due > at:
            return 0
        following = rhythm.after(at, zone)
        taken = ReportSchedule.objects.filter(pk=schedule_id, status=states.ACTIVE, next_at=due)
        if not taken.update(next_at=following):
            return 0
        if due < at - MADE_LATER:
            due = min(rhythm.after(at - MADE_LATER, zone), rhythm.before(at, zone))
        while due <= at:
            count += _ask(schedule, rhythm.period(due.astimezone(zone).date()), book=book, at=at)
            due = rhythm.after(due, zone)
    return count


def _ask(schedule: ReportSchedule, period: tuple[date, date], *, book: Book, at: datetime) -> int:
    hand = Hand(actor=PLATFORM, book=book, now=book.now)
    report = Report(
        id=ids.new(book.now),
        book_id=schedule.book_id,
        kind=schedule.kind,
        format=schedule.format,
        language=schedule.language,
        currency=schedule.currency,
        staff_id=schedule.staff_id,
        schedule=schedule,
        first_date=period[0],
        last_date=period[1],
        created_at=book.now,
        due_at=at,
    )
    # A period that has its report already (the clock was set, the schedule was changed back) gets no other.
    Report.objects.bulk_create([report], ignore_conflicts=True)
    if not Report.objects.filter(pk=report.pk).exists():
        return 0
    operations.tell("report.created", report, hand=hand)
    return 1
