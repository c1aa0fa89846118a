"""The second road: what a provider tells us of its own accord goes through the same gates as its answers."""

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from payments.intents import outcomes, parking, refund_road, setups
from payments.intents.models import Attempt, Refund, SetupIntent
from payments.origin import Origin
from payments.providers.notices import operations as notices
from payments.providers.notices.models import Notice
from payments.providers.port import RefundReport, Report
from security.merchants import queries as merchants
from security.merchants.models import Book

UNKNOWN_KEY = "unknown_key"


def apply(event: Event) -> None:
    """React to `provider.notice_received`. This will write what the notice says, or park it, in the open unit of work.

    The notice may come before its answer, twice, or after a later one: the gates do not mind.
    """
    notice = Notice.objects.get(pk=ids.parse(Notice.id_prefix, load(event.data)["notice"]))
    if notice.applied_at is not None:
        return
    book = merchants.book(tenancy.book_id())
    report = notices.report(notice)
    if not _record(book, report):
        notices.park(notice_id=notice.pk, reason=UNKNOWN_KEY)
    elif reason := parking.waiting(report.key):
        notices.park(notice_id=notice.pk, reason=reason)
    else:
        notices.mark_applied(notice_id=notice.pk, now=book.now)


def _record(book: Book, report: Report | RefundReport) -> bool:
    """Hand a report to its gate. False: it names nothing of this book."""
    prefix = report.key.partition("_")[0]
    origin = Origin(livemode=book.livemode)
    try:
        subject_id = ids.parse(prefix, report.key)
    except ids.MalformedId:
        return False
    if isinstance(report, RefundReport):
        if prefix != "re" or not Refund.objects.filter(pk=subject_id).exists():
            return False
        refund_road.record(refund_id=subject_id, report=report, now=book.now, origin=origin)
        return True
    if prefix == "ch" and Attempt.objects.filter(pk=subject_id).exists():
        mode = "live" if book.livemode else "test"
        outcomes.record_outcome(attempt_id=subject_id, report=report, mode=mode, now=book.now, origin=origin)
        return True
    if prefix == "setatt" and SetupIntent.objects.filter(latest_attempt_id=subject_id).exists():
        setups.record(attempt_id=subject_id, report=report, now=book.now, origin=origin)
        return True
    # A try at a setup that a later one replaced: it moves no money, so nothing is lost.
    return prefix == "setatt"
