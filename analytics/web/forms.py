"""Which period and currency Home shows, from the address of the page."""

from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from analytics.insights.periods import DAYS_MAX, Period

# The buttons, as addresses name them: how many days, and how many days ago the last of them was.
PRESETS = {"today": (1, 0), "yesterday": (1, 1), "7": (7, 0), "28": (28, 0), "90": (90, 0)}
DEFAULT = "28"
CUSTOM = "custom"
# Before it there was no merchant here; years of four digits in every zone.
_EARLIEST = date(2000, 1, 1)


class PeriodForm(forms.Form):
    """Two days of the merchant's own, for a period that no button names."""

    since = forms.DateField(
        label=_("First day"),
        error_messages={"required": _("Choose the first day."), "invalid": _("This is no date.")},
        widget=forms.DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )
    until = forms.DateField(
        label=_("Last day"),
        error_messages={"required": _("Choose the last day."), "invalid": _("This is no date.")},
        widget=forms.DateInput(attrs={"type": "date", "class": "input"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )

    def __init__(self, *args, today: date, **options) -> None:
        super().__init__(*args, **options)
        self.today = today

    def clean(self) -> dict[str, date]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since is None or until is None:
            return cleaned
        if not _EARLIEST <= since <= until:
            raise forms.ValidationError(_("The first day comes before the last."))
        if until > self.today:
            raise forms.ValidationError(_("The last day is today at the latest."))
        if (until - since).days >= DAYS_MAX:
            raise forms.ValidationError(_("A period has 366 days at most."))
        return cleaned


@dataclass(frozen=True, slots=True)
class Choice:
    """The period, the button that names it (none: they chose two days), the currency asked for."""

    period: Period
    preset: str
    currency: str
    form: PeriodForm

    @property
    def dates(self) -> str:
        """The days as the heading names them."""
        first, last = self.period.first.isoformat(), self.period.last.isoformat()
        return first if first == last else f"{first} – {last}"

    @property
    def query(self) -> dict[str, str]:
        """The same choice in an address."""
        chosen = {"period": self.preset}
        if not self.preset:
            chosen = {
                "period": CUSTOM,
                "since": self.period.first.isoformat(),
                "until": self.period.last.isoformat(),
            }
        return {**chosen, **({"currency": self.currency.lower()} if self.currency else {})}

    @property
    def address(self) -> str:
        """The choice as what follows the question mark."""
        return urlencode(self.query)


def read(query: QueryDict, *, zone: ZoneInfo, now: datetime) -> Choice:
    """The choice in an address. What cannot be is the default period, and the form says why."""
    named, currency = query.get("period", ""), query.get("currency", "").upper()[:3]
    today = now.astimezone(zone).date()
    if named == CUSTOM:
        form = PeriodForm(query, today=today)
        if form.is_valid():
            since, until = form.cleaned_data["since"], form.cleaned_data["until"]
            return Choice(Period(since, until, zone, now), "", currency, form)
        return Choice(_named(DEFAULT, zone=zone, now=now), DEFAULT, currency, form)
    preset = named if named in PRESETS else DEFAULT
    period = _named(preset, zone=zone, now=now)
    return Choice(
        period, preset, currency, PeriodForm(initial={"since": period.first, "until": period.last}, today=today)
    )


def _named(preset: str, *, zone: ZoneInfo, now: datetime) -> Period:
    days, ago = PRESETS[preset]
    return Period.of_days(days, ago=ago, zone=zone, now=now)
