"""The `report` object, after Stripe's reporting run: what was asked for, how far it is, and its file."""

from datetime import datetime
from typing import Any

from analytics.insights.periods import Period
from analytics.reports import links
from analytics.reports.models import Report
from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from security.merchants.models import Merchant

# Why a report failed, for who reads the API.
FAILURES = {
    "out_of_space": "There was no room for the file.",
    "too_slow": "The period is too large to be read in time. Ask for a shorter one.",
    "worker_lost": "The worker ended before the report was finished, several times.",
    "error": "Something went wrong on our side. Ask for the report again.",
}


def report(row: Report, *, merchant: Merchant, livemode: bool, at: datetime | None = None) -> dict[str, Any]:
    """A report as the API shows it. With `at` (wall time) it carries a fresh link to its file, for its own key."""
    period = Period(row.first_date, row.last_date, merchant.zone, row.created_at)
    return {
        "id": ids.show("rpt", row.pk),
        "object": "report",
        "created": unix(row.created_at),
        "error": FAILURES.get(row.failure, FAILURES["error"]) if row.failure else None,
        "livemode": livemode,
        "parameters": {
            "currency": row.currency.lower() or None,
            "format": row.format,
            "interval_end": unix(period.ends_at),
            "interval_start": unix(period.starts_at),
            "language": row.language,
            "since": row.first_date.isoformat(),
            "timezone": merchant.time_zone,
            "until": row.last_date.isoformat(),
        },
        "progress": row.progress_percent,
        "report_type": row.kind,
        "result": _file(row, at) if row.file_bytes else None,
        "schedule": ids.show("rsch", row.schedule_id) if row.schedule_id else None,
        "status": row.status,
        "succeeded_at": unix(row.finished_at) if row.finished_at and row.file_bytes else None,
    }


def deleted(row: Report) -> dict[str, Any]:
    return {"id": ids.show("rpt", row.pk), "object": "report", "deleted": True}


def _file(row: Report, at: datetime | None) -> dict[str, Any]:
    url = None
    if at is not None and row.key_id is not None and row.has_file(at):
        url = links.address(row, at=at, until=at + links.SHORT, key_id=row.key_id)
    return {
        "object": "report_file",
        "expires_at": unix(row.expires_at) if row.expires_at else None,
        "filename": row.file_name,
        "rows": row.rows_count,
        "sha256": row.file_sha256,
        "size": row.file_bytes,
        "type": row.format,
        "url": url,
    }
