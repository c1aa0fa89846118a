"""What of payments needs somebody's attention, for the desks that can do something about it."""

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel import tenancy
from payments.intents.models import ParkedReport
from payments.listing import waiting as waits
from payments.listing import windows
from security.web import navigation
from security.web.attention import Attention
from security.web.desk import Desk
from security.web.operators import Waiting

# A refund that failed on an earlier day was seen.
FAILED_DAYS = 30


def waiting(desk: Desk) -> list[Attention]:
    """Each kind of trouble that this role deals with, and the page where it does. One statement."""
    pages = navigation.pages(desk)
    acts_on_payments = desk.may("payment.refund") and {"payments", "refunds"} <= pages.keys()
    if not acts_on_payments and "webhooks" not in pages:
        return []
    since = desk.now.astimezone(desk.zone).date() - timedelta(days=FAILED_DAYS)
    with tenancy.within(desk.book.pk):
        found = waits.waiting(now=desk.now, failed_since=datetime.combine(since, time(), desk.zone))
    told = _of_payments(found, pages, since=since) if acts_on_payments else []
    if "webhooks" in pages:
        title = _("Webhook endpoints that fail")
        told.append(Attention("failing_endpoints", title, pages["webhooks"], found.failing_endpoints))
    return told


def parked_reports() -> Waiting:
    """Reports of the open book that wait for an operator (settings.OPERATOR_WATCH)."""
    found = ParkedReport.objects.filter(resolved_at__isnull=True)[: windows.COUNT_MAX]
    return Waiting("parked_reports", _("Parked reports"), found.count())


def _of_payments(found: waits.Waiting, pages: dict[str, str], *, since: date) -> list[Attention]:
    payments = pages["payments"]
    failed = urlencode({"status": "failed", "created_from": since.isoformat()})
    return [
        Attention(
            "unknown_payments",
            _("Payments whose outcome the provider has not told"),
            f"{payments}?status=processing",
            found.unknown_payments,
        ),
        Attention(
            "parked_reports",
            _("Reports of a provider that contradict what was asked"),
            f"{payments}?status=processing",
            found.parked_reports,
        ),
        Attention(
            "expiring_holds",
            _("Authorised payments that end within two days if nobody captures them"),
            f"{payments}?status=uncaptured",
            found.expiring_holds,
        ),
        Attention(
            "failed_refunds",
            _("Refunds that failed: the money is back in your balance"),
            f"{pages['refunds']}?{failed}",
            found.failed_refunds,
        ),
    ]
