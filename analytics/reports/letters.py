"""What people are written about reports that a schedule made: a link, never the file."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext, override

from analytics.reports import links
from analytics.reports.kinds import KINDS
from analytics.reports.models import Report
from security.access import roles
from security.merchants.models import Book, Staff
from security.messaging import operations as messaging
from security.messaging.models import EMAIL


def write_ready(report: Report, *, book: Book, now: datetime) -> int:
    """Write to the recipients of a schedule that its report is there. This will put a letter each into the outbox.

    Who left, or may not see such a report any more, is left out. Returns how many letters there are.
    """
    assert report.schedule is not None
    assert report.expires_at is not None, "what is ready has a file"
    people = recipients(book, report.schedule.recipient_ids, report.kind)
    with override(report.language):
        subject = gettext("{report} of {merchant}, {first} to {last}").format(**_said(report, book))
        text = gettext(
            "The report is ready. Sign in and take it by {until}:\n{address}\n\n"
            "The link works for you alone. Reports by e-mail are set up under Reports, Schedules."
        )
        for person in people:
            address = links.address(report, at=now, until=report.expires_at, staff_id=person.pk)
            until = f"{report.expires_at.astimezone(book.merchant.zone):%Y-%m-%d %H:%M}"
            _write(report, book, person, subject, text.format(until=until, address=address), now)
    return len(people)


def write_failed(report: Report, *, book: Book, now: datetime) -> None:
    """Write to the owner of a schedule that its report could not be made. This will put a letter into the outbox."""
    assert report.schedule is not None
    with override(report.language):
        subject = gettext("{report} of {merchant}, {first} to {last}: not made").format(**_said(report, book))
        text = gettext("The report could not be made. Open it under Reports to read why, and have it made again.")
        for person in recipients(book, [report.schedule.staff_id], report.kind):
            _write(report, book, person, subject, text, now)


def recipients(book: Book, staff_ids: Sequence[UUID], kind: str) -> list[Staff]:
    """Those of the people who work at the merchant today and may have such a report."""
    people = Staff.objects.filter(
        merchant_id=book.merchant_id, pk__in=staff_ids, left_at__isnull=True, user__is_active=True
    )
    found = people.select_related("user").order_by("pk")
    return [each for each in found if roles.may(each.role, KINDS[kind].action)]


def _write(report: Report, book: Book, person: Staff, subject: str, text: str, now: datetime) -> None:
    if not book.livemode:
        subject = gettext("[Test] {subject}").format(subject=subject)
    messaging.write(
        channel=EMAIL,
        address=person.user.email,
        template="report",
        language=report.language,
        subject=subject,
        body=text,
        now=now,
    )


def _said(report: Report, book: Book) -> dict[str, str]:
    # A name goes into a header: it stays on one line.
    return {
        "report": str(KINDS[report.kind].title),
        "merchant": " ".join(book.merchant.name.split()),
        "first": report.first_date.isoformat(),
        "last": report.last_date.isoformat(),
    }
