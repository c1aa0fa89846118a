"""Reports that contradict what was asked or is known wait for a person: nothing moves by them."""

import json
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.outbox import publish, row
from payments.intents.models import ParkedReport


def park(*, key: str, reason: str, report: dict[str, Any], now: datetime) -> None:
    """Keep a report for a person. This will write it and tell operators, once a key and reason."""
    parked = ParkedReport(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        key=key[:100],
        reason=reason,
        report=json.loads(json.dumps(report, default=str)),
        created_at=now,
    )
    try:
        with transaction.atomic():
            parked.save(force_insert=True)
    except IntegrityError:
        return  # It is waiting already.
    told = {"id": ids.show("park", parked.pk), "object": "provider.parked_report", "key": parked.key, "reason": reason}
    publish(row("provider.report_parked", told, now=now, is_public=False))


def waiting(key: str) -> str | None:
    """Why a report of this key waits for a person, if one does."""
    return ParkedReport.objects.filter(key=key, resolved_at__isnull=True).values_list("reason", flat=True).first()
