"""Reports by e-mail: the schedules of a merchant, begun, paused and ended by whoever may make reports."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from analytics.reports import schedules, states
from analytics.reports.kinds import KINDS
from analytics.reports.models import DAILY, WEEKLY, ReportSchedule
from analytics.web.report_forms import PEOPLE_MAX, ScheduleForm
from analytics.web.report_words import FREQUENCIES, SCHEDULE_STATES
from analytics.web.report_words import LANGUAGES as LANGUAGE_NAMES
from analytics.web.reports import MAKE, currencies, hand, own_language, tabs
from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import NotFound
from security.access import roles
from security.merchants.models import Staff
from security.web import forms
from security.web.desk import Desk, desk_page

# What a button does: the state it leads to, and what is said when it is done.
ACTS: dict[str, tuple[str, Any]] = {
    "pause": (states.PAUSED, gettext_lazy("The schedule is paused.")),
    "resume": (states.ACTIVE, gettext_lazy("The schedule goes on.")),
    "end": (states.ENDED, gettext_lazy("The schedule was deleted.")),
}


@require_safe
@desk_page(MAKE)
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The schedules of the merchant that this person may see: six statements with the desk's."""
    with tenancy.within(desk.book.pk):
        rows = list(schedules.listed().order_by("-pk"))
    rows = [row for row in rows if desk.may(KINDS[row.kind].action)]
    wanted = {identifier for row in rows for identifier in (*row.recipient_ids, row.staff_id)}
    people = Staff.objects.filter(pk__in=wanted).select_related("user").in_bulk()
    context = {
        "schedules": [_shown(row, people) for row in rows],
        "form": forms.DeskForm(),
        "tabs": tabs(desk, "report_schedules"),
    }
    return desk.render(request, "reports/schedules.html", context)


@desk_page(MAKE)
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Begin a schedule."""
    people = [person for person in _colleagues(desk) if roles.may(person.role, MAKE)]
    kinds = [name for name, kind in KINDS.items() if desk.may(kind.action)]
    initial = {
        "kind": kinds[0],
        "frequency": WEEKLY,
        "weekday": 1,
        "monthday": 1,
        "hour": 8,
        "format": "pdf",
        "language": own_language(),
        "currency": desk.merchant.default_currency,
        "recipients": [ids.show("stf", desk.staff.pk)],
    }
    form = ScheduleForm(request.POST or None, desk=desk, people=people, currencies=currencies(desk), initial=initial)
    if request.method == "POST" and form.is_valid():

        def start() -> str:
            schedules.start(form.wanted, staff_id=desk.staff.pk, hand=hand(desk), at=clock.wall())
            return desk.url("report_schedules")

        try:
            return forms.submit(request, desk, start)
        except (schedules.NoRecipients, schedules.TooManySchedules) as refused:
            form.refuse(refused)
    form.focus_first_error()
    return desk.render(request, "reports/schedule_form.html", {"form": form})


@require_POST
@desk_page(MAKE)
def act(request: HttpRequest, desk: Desk, schedule: str) -> HttpResponse:
    """Pause, resume or end a schedule."""
    wanted = request.POST.get("act", "")
    if wanted not in ACTS:
        raise Http404
    status, words = ACTS[wanted]
    back = desk.url("report_schedules")

    def press() -> str:
        row = _find(schedule, desk)
        schedules.move(row, status, hand=hand(desk), at=clock.wall())
        return back

    return forms.press(request, desk, press, back=back, words=str(words))


def _find(shown: str, desk: Desk) -> ReportSchedule:
    """A schedule whose report this person may have. Raises Http404."""
    try:
        row = schedules.find(ids.parse("rsch", shown))
    except (ids.MalformedId, NotFound) as error:
        raise Http404 from error
    if not desk.may(KINDS[row.kind].action):
        raise Http404
    return row


def _colleagues(desk: Desk) -> list[Staff]:
    people = Staff.objects.filter(merchant=desk.merchant, left_at__isnull=True, user__is_active=True)
    return list(people.select_related("user").order_by("user__name", "pk")[:PEOPLE_MAX])


def _shown(row: ReportSchedule, people: dict[Any, Staff]) -> dict[str, Any]:
    recipients = [people[each] for each in row.recipient_ids if each in people]
    return {
        "id": ids.show("rsch", row.pk),
        "row": row,
        "title": KINDS[row.kind].title,
        "format": row.format.upper(),
        "language": LANGUAGE_NAMES[row.language],
        "badge": SCHEDULE_STATES[row.status],
        "rhythm": _rhythm(row),
        "recipients": [person.user.name or person.user.email for person in recipients],
        "acts": [
            *([("pause", _("Pause"))] if row.status == states.ACTIVE else [("resume", _("Resume"))]),
            ("end", _("Delete")),
        ],
    }


def _rhythm(row: ReportSchedule) -> str:
    """`Every week, Monday, 08:00`"""
    parts = [str(FREQUENCIES[row.frequency])]
    if row.day and row.frequency == WEEKLY:
        parts.append(str(WEEKDAYS[row.day - 1]))
    elif row.day and row.frequency != DAILY:
        parts.append(_("day %(day)s") % {"day": row.day})
    return " · ".join([*parts, f"{row.hour:02}:00"])
