"""What of payments waits for a person: counted no further than a tab counts, whatever trouble there was before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from merchant_platform.kernel import ids
from payments.intents import states
from payments.intents.models import Attempt, ParkedReport, Refund
from payments.listing import windows
from payments.webhooks.models import FAILING, GONE, WebhookEndpoint

# An answer that is late by this much does not come by itself any more.
UNKNOWN_FOR = timedelta(minutes=10)
# Somebody can still capture it in time.
EXPIRES_WITHIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of each, up to one more than windows.COUNT_MAX."""

    parked_reports: int
    unknown_payments: int
    expiring_holds: int
    failed_refunds: int
    failing_endpoints: int


def waiting(*, now: datetime, failed_since: datetime) -> Waiting:
    """What waits in the open book: one statement. Refunds that failed before a time were seen."""
    # The oldest holds end first, so those that end soon are among them.
    held = Attempt.objects.filter(status=states.AUTHORIZED, asked_act__isnull=True).order_by("pk").values("pk")
    is_ending = Q(expires_at__gt=now, expires_at__lte=now + EXPIRES_WITHIN)
    is_failing = Q(failing_since__isnull=False) | Q(disabled_reason__in=[FAILING, GONE])
    counted = [
        ParkedReport.objects.filter(resolved_at__isnull=True),
        Attempt.objects.filter(status=states.UNKNOWN, pk__lt=ids.first_at(now - UNKNOWN_FOR)),
        Attempt.objects.filter(is_ending, is_manual=True, pk__in=held[: windows.COUNT_MAX]),
        Refund.objects.filter(status=states.REFUND_FAILED, pk__gte=ids.first_at(failed_since)),
        WebhookEndpoint.objects.filter(is_failing, deleted_at__isnull=True),
    ]
    return Waiting(*windows.count(counted))
