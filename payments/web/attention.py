"""What of payments needs somebody's attention, for the desks that can do something about it."""

from datetime import timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel import tenancy
from payments.listing.waiting import FAILED_WITHIN
from payments.listing.waiting import waiting as counted
from security.web.attention import Attention
from security.web.desk import Desk


def waiting(desk: Desk) -> list[Attention]:
    """Each kind of trouble that this role deals with, with its rows. One statement."""
    sees_payments, sees_endpoints = desk.may("payment.refund"), desk.may("event.view")
    if not sees_payments and not sees_endpoints:
        return []
    with tenancy.within(desk.book.pk):
        found = counted(now=desk.now)
    waits: list[Attention] = []
    if sees_payments:
        payments = desk.url("payments")
        since = (desk.now - FAILED_WITHIN + timedelta(days=1)).astimezone(desk.zone).date().isoformat()
        failed = urlencode({"status": "failed", "created_from": since})
        waits += [
            Attention(
                "unknown_payments",
                _("Payments whose outcome the provider has not told"),
                f"{payments}?status=processing",
                found.unknown_payments,
            ),
            Attention(
                "parked_reports",
                _("Reports of a provider that contradict what was asked"),
                payments,
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
                f"{desk.url('refunds')}?{failed}",
                found.failed_refunds,
            ),
        ]
    if sees_endpoints:
        waits.append(
            Attention(
                "failing_endpoints",
                _("Webhook endpoints that fail"),
                desk.url("webhooks"),
                found.failing_endpoints,
            )
        )
    return waits
