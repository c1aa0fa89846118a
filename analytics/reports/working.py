"""Make the reports that are due, of all books, and throw old files away.

A worker claims a row by compare-and-set for the time of one try, and renews the claim while
it works; `tries_count` is the claim's number, so that a worker who was overtaken or called
off notices at its next step and leaves nothing behind. Everything is read in one snapshot.
"""

import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.db import OperationalError, connections
from django.db.models import QuerySet
from django.utils.translation import override

from analytics.insights.periods import Period
from analytics.reports import files, letters, operations, states
from analytics.reports.kinds import KINDS
from analytics.reports.kinds.subject import Subject
from analytics.reports.models import Report
from analytics.reports.writing import WRITERS
from merchant_platform.kernel import clock, tenancy
from payments.hand import Hand
from security.audit.operations import PLATFORM
from security.merchants import queries as merchants
from security.merchants.models import Book

logger = logging.getLogger(__name__)

# A try that says nothing for so long is over; the first tries that fail are repeated after a while.
LEASE = timedelta(minutes=3)
TRIES_MAX, AGAIN_AFTER = 3, timedelta(seconds=20)
KEPT = timedelta(days=7)
# What is known of a report when its file is gone: long enough to see what was asked for in a quarter of a year.
ROWS_KEPT = timedelta(days=90)
# One statement of a report; the app role has less by itself.
_STATEMENT_TIMEOUT = "120s"
# How often the row says how far it is.
_SAYS_EVERY_SECONDS = 0.5
_SWEPT_AT_ONCE = 200


class NotWanted(Exception):
    """Somebody called the report off, or another worker took it."""


@dataclass(frozen=True, slots=True)
class Claim:
    book_id: UUID
    report_id: UUID
    number: int


def run_due(*, at: Callable[[], datetime] = clock.wall, until: Callable[[], bool] = lambda: False) -> int:
    """Make what is due, one after the other. This will return how many were taken up; `at` tells wall time."""
    count = 0
    while not until() and (claim := _claim(at())):
        _one(claim, at)
        count += 1
    return count


def sweep(*, at: datetime) -> int:
    """Throw away files that are old, and in time what is known of them. This will return how many files they were.

    Reports whose file goes are over; those that ended ROWS_KEPT ago are deleted.
    """
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "UPDATE analytics_report SET status = 'expired' WHERE id = ANY (ARRAY(SELECT id FROM analytics_report"
            " WHERE status = 'succeeded' AND expires_at <= %s ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED))"
            " RETURNING book_id, id, format",
            [at, _SWEPT_AT_ONCE],
        )
        over = cursor.fetchall()
        cursor.execute(
            "DELETE FROM analytics_report WHERE id = ANY (ARRAY(SELECT id FROM analytics_report"
            " WHERE finished_at <= %s AND status <> 'succeeded' ORDER BY finished_at LIMIT %s FOR UPDATE SKIP LOCKED))",
            [at - ROWS_KEPT, _SWEPT_AT_ONCE],
        )
    for book_id, report_id, form in over:
        files.remove(files.path_of(book_id, report_id, form))
    files.sweep(older_seconds=int((KEPT + timedelta(days=1)).total_seconds()))
    return len(over)


def _claim(at: datetime) -> Claim | None:
    """The next report that is due, pushed past its lease, so that no other worker takes it too."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "UPDATE analytics_report SET status = 'running', due_at = %s, tries_count = tries_count + 1,"
            " progress_percent = 0 WHERE id = ANY (ARRAY(SELECT id FROM analytics_report WHERE due_at <= %s"
            " ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)) RETURNING book_id, id, tries_count",
            [at + LEASE, at],
        )
        row = cursor.fetchone()
        return Claim(*row) if row else None


def _one(claim: Claim, at: Callable[[], datetime]) -> None:
    """One report: what is wrong with it stops no other."""
    book = merchants.book(claim.book_id)
    if claim.number > TRIES_MAX:
        # It never came back to say why: each time the process ended with it.
        _fail(claim, book, "worker_lost", at())
        return
    try:
        _make(claim, book, at)
    except NotWanted:
        return
    except Exception as error:
        failure = _failure(error)
        if failure == "error":
            logger.exception("a report failed", extra={"report": str(claim.report_id)})
        if claim.number < TRIES_MAX and failure != "too_slow":
            _put_back(claim, at() + AGAIN_AFTER * claim.number)
        else:
            _fail(claim, book, failure, at())


def _make(claim: Claim, book: Book, at: Callable[[], datetime]) -> None:
    with tenancy.within(claim.book_id):
        report = Report.objects.get(pk=claim.report_id)
    steps = _Progress(claim, at)
    path = files.path_of(claim.book_id, claim.report_id, report.format)
    with files.workshop(claim.book_id) as folder, override(report.language):
        written = folder / f"report.{report.format}"
        with tenancy.within(claim.book_id, snapshot=True):
            with connections["default"].cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_TIMEOUT}'")
            period = Period(report.first_date, report.last_date, book.merchant.zone, book.now)
            subject = Subject(book, book.merchant, period, report.currency)
            paper = KINDS[report.kind].paper(subject, steps)
            count = WRITERS[report.format](paper, written, language=report.language)
        steps.say()
        kept = files.keep(written, path)
    now = at()
    with tenancy.within(claim.book_id):
        done = _mine(claim).update(
            status=states.SUCCEEDED,
            due_at=None,
            progress_percent=100,
            finished_at=now,
            expires_at=now + KEPT,
            rows_count=count,
            file_bytes=kept.bytes,
            file_sha256=kept.sha256,
        )
        if not done:
            # Called off in the very end: nobody knows of the file, and a sweep would find it later.
            files.remove(path)
            raise NotWanted
        report.refresh_from_db()
        operations.tell("report.succeeded", report, hand=Hand(actor=PLATFORM, book=book, now=book.now))
        if report.schedule_id:
            letters.write_ready(report, book=book, now=now)


class _Progress:
    """How far a report is: a percentage in its row, in a transaction of its own, which renews the claim too."""

    def __init__(self, claim: Claim, at: Callable[[], datetime]) -> None:
        self._claim, self._at = claim, at
        self._expected, self._done, self._said_at = 1, 0, monotonic()

    def expect(self, count: int) -> None:
        self._expected = max(count, 1)
        self.say()

    def done(self, count: int = 1) -> None:
        self._done += count
        if monotonic() - self._said_at >= _SAYS_EVERY_SECONDS:
            self.say()

    def say(self) -> None:
        """Write it down. Raises NotWanted where the claim is not this worker's any more."""
        self._said_at = monotonic()
        percent = min(self._done * 100 // self._expected, 99)
        if not _mine(self._claim, using="platform").update(progress_percent=percent, due_at=self._at() + LEASE):
            raise NotWanted


def _mine(claim: Claim, *, using: str = "default") -> QuerySet[Report]:
    """The claimed row, as long as it is claimed under this number."""
    return Report.objects.using(using).filter(
        book_id=claim.book_id, pk=claim.report_id, status=states.RUNNING, tries_count=claim.number
    )


def _put_back(claim: Claim, due_at: datetime) -> None:
    with tenancy.within(claim.book_id):
        _mine(claim).update(status=states.QUEUED, due_at=due_at, progress_percent=0)


def _fail(claim: Claim, book: Book, failure: str, at: datetime) -> None:
    with tenancy.within(claim.book_id):
        if _mine(claim).update(status=states.FAILED, due_at=None, failure=failure, finished_at=at):
            report = Report.objects.get(pk=claim.report_id)
            operations.tell("report.failed", report, hand=Hand(actor=PLATFORM, book=book, now=book.now))
            if report.schedule_id:
                letters.write_failed(report, book=book, now=at)


def _failure(error: Exception) -> str:
    """Why a try failed, as a code that people are told."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "out_of_space"
    if isinstance(error, OperationalError) and getattr(error.__cause__, "pgcode", None) == "57014":
        return "too_slow"
    return "error"
