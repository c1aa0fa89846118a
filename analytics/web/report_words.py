"""Reports and schedules in words."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from analytics.reports import operations, schedules, states
from security.web import forms

STATES: dict[str, tuple[str, Any]] = {
    states.QUEUED: ("neutral", _("Waits")),
    states.RUNNING: ("info", _("Being made")),
    states.SUCCEEDED: ("success", _("Ready")),
    states.FAILED: ("danger", _("Failed")),
    states.CANCELED: ("neutral", _("Canceled")),
    states.EXPIRED: ("neutral", _("Over")),
}
SCHEDULE_STATES: dict[str, tuple[str, Any]] = {
    states.ACTIVE: ("success", _("Active")),
    states.PAUSED: ("neutral", _("Paused")),
}
FORMATS: dict[str, Any] = {
    "pdf": _("PDF, to read and print"),
    "xlsx": _("XLSX, a workbook with charts"),
    "csv": _("CSV, for other programs"),
}
LANGUAGES = {"en": "English", "zh-hans": "简体中文"}
FREQUENCIES: dict[str, Any] = {"daily": _("Every day"), "weekly": _("Every week"), "monthly": _("Every month")}
# Why a report failed, and what to do.
FAILURES: dict[str, Any] = {
    "out_of_space": _("There was no room for the file. Tell whoever runs the platform, then have it made again."),
    "too_slow": _("There is too much in this period to be read in time. Ask for a shorter one."),
    "worker_lost": _("Making it was broken off several times. Ask for a shorter period, or have it made again later."),
    "error": _("Something went wrong here, and we wrote it down. Have it made again."),
}
forms.WORDS |= {
    operations.PeriodInvalid: _(
        "Choose two days, the first before the last, today at the latest, a year apart at most."
    ),
    operations.TooManyReports: _("Too many of your reports wait already. Wait until one of them is ready."),
    schedules.NoRecipients: _("Choose people who work here and may see this report."),
    schedules.TooManySchedules: _("There are too many schedules. Delete one first."),
}
