"""What somebody fills in to have a report made, once or again and again."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analytics.reports.kinds import KINDS
from analytics.reports.models import DAILY, MONTHLY, WEEKLY
from analytics.reports.operations import Wanted
from analytics.reports.schedules import Rhythm, WantedSchedule
from analytics.web.report_words import FORMATS, FREQUENCIES, LANGUAGES
from merchant_platform.kernel import ids
from security.access import roles
from security.merchants.models import Staff
from security.web import forms
from security.web.desk import Desk

PEOPLE_MAX = 200


class _ReportForm(forms.DeskForm):
    """What of a report is asked for in either way."""

    kind = django_forms.ChoiceField(label=gettext_lazy("Report"), widget=django_forms.RadioSelect)
    format = django_forms.ChoiceField(
        label=gettext_lazy("Format"), choices=list(FORMATS.items()), widget=django_forms.RadioSelect
    )
    language = django_forms.ChoiceField(label=gettext_lazy("Language"), choices=list(LANGUAGES.items()))
    currency = django_forms.ChoiceField(
        label=gettext_lazy("Currency"),
        required=False,
        help_text=gettext_lazy("Sales and taxes are of one currency; the books are of all."),
    )

    def __init__(self, *args: Any, desk: Desk, currencies: Sequence[str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (name, kind.title) for name, kind in KINDS.items() if desk.may(kind.action)
        ]
        every = sorted({desk.merchant.default_currency, *currencies})
        self.fields["currency"].choices = [(code, code) for code in every]  # type: ignore[attr-defined]
        if len(every) == 1:
            del self.fields["currency"]

    @property
    def kind_lines(self) -> list[tuple[Any, Any]]:
        """Each kind's button, and what stands in such a report."""
        field: Any = self.fields["kind"]
        return list(zip(self["kind"], (KINDS[name].words for name, _title in field.choices), strict=True))

    @property
    def chosen_currency(self) -> str:
        return self.cleaned_data.get("currency", "")


class ReportForm(_ReportForm):
    field_order = ("kind", "since", "until", "format", "language", "currency")
    since = django_forms.DateField(
        label=gettext_lazy("First day"),
        error_messages={"invalid": gettext_lazy("This is no date.")},
        widget=django_forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )
    until = django_forms.DateField(
        label=gettext_lazy("Last day"),
        error_messages={"invalid": gettext_lazy("This is no date.")},
        widget=django_forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )

    @property
    def wanted(self) -> Wanted:
        given = self.cleaned_data
        return Wanted(
            given["kind"], given["format"], given["language"], given["since"], given["until"], self.chosen_currency
        )


class ScheduleForm(_ReportForm):
    field_order = ("kind", "frequency", "weekday", "monthday", "hour", "format", "language", "currency", "recipients")
    frequency = django_forms.ChoiceField(label=gettext_lazy("How often"), choices=list(FREQUENCIES.items()))
    weekday = django_forms.TypedChoiceField(
        label=gettext_lazy("Day of the week"),
        coerce=int,
        choices=list(enumerate(WEEKDAYS.values(), start=1)),
        help_text=gettext_lazy("Counts where it is made every week: it is of the week before."),
    )
    monthday = django_forms.TypedChoiceField(
        label=gettext_lazy("Day of the month"),
        coerce=int,
        choices=[(day, str(day)) for day in range(1, 29)],
        help_text=gettext_lazy("Counts where it is made every month: it is of the month before."),
    )
    hour = django_forms.TypedChoiceField(
        label=gettext_lazy("Hour"), coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)]
    )
    recipients = django_forms.MultipleChoiceField(
        label=gettext_lazy("Who is written to"),
        widget=django_forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("They get a link by e-mail, never the file. It asks them to sign in."),
        error_messages={"required": gettext_lazy("Choose at least one person.")},
    )

    def __init__(self, *args: Any, desk: Desk, people: Sequence[Staff], **options: Any) -> None:
        super().__init__(*args, desk=desk, **options)
        self._people: Mapping[str, Staff] = {ids.show("stf", person.pk): person for person in people}
        self.fields["recipients"].choices = [  # type: ignore[attr-defined]
            (shown, f"{person.user.name or person.user.email} · {roles.NAMES[person.role]}")
            for shown, person in self._people.items()
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind = KINDS.get(cleaned.get("kind", ""))
        people = [self._people[shown] for shown in cleaned.get("recipients", ())]
        if kind and not all(roles.may(person.role, kind.action) for person in people):
            self.add_error("recipients", _("Somebody you chose may not see this report."))
        return cleaned

    @property
    def wanted(self) -> WantedSchedule:
        given = self.cleaned_data
        day = {DAILY: None, WEEKLY: given["weekday"], MONTHLY: given["monthday"]}[given["frequency"]]
        recipients: list[UUID] = [self._people[shown].pk for shown in given["recipients"]]
        rhythm = Rhythm(given["frequency"], given["hour"], day)
        return WantedSchedule(
            given["kind"], given["format"], given["language"], rhythm, recipients, self.chosen_currency
        )


def periods(today: date) -> list[tuple[Any, date, date]]:
    """Periods that people ask for most: a name, the first and the last day."""
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    last_month = first - timedelta(days=1)
    return [
        (_("Yesterday"), today - timedelta(days=1), today - timedelta(days=1)),
        (_("Last week"), monday - timedelta(days=7), monday - timedelta(days=1)),
        (_("This month"), first, today),
        (_("Last month"), last_month.replace(day=1), last_month),
    ]
