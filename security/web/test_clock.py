"""The test clock of a book: see it, start it, move it forward, let the world's time go on."""

import logging
from datetime import datetime, timedelta

from celery import current_app
from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from kombu.exceptions import OperationalError

from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.errors import PlatformError
from security.credentials import keys
from security.merchants import clocks
from security.web.deeds import note
from security.web.desk import Desk, desk_page

logger = logging.getLogger(__name__)

MOVE = "clock.move"
STEPS = {
    "hour": (timedelta(hours=1), _("1 hour")),
    "day": (timedelta(days=1), _("1 day")),
    "week": (timedelta(days=7), _("7 days")),
    "month": (timedelta(days=30), _("30 days")),
}


class AdvanceForm(forms.Form):
    """Where the clock is to stand, in the merchant's zone; a form sent twice finds it there already."""

    to = forms.DateTimeField(
        label=_("Move it to"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"class": "input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MOVE)
def show(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Where the clock stands; `act` starts, advances or removes it."""
    form = AdvanceForm(request.POST if request.POST.get("act") == "advance" else None, initial=_initial(desk))
    if request.method == "POST":
        if not desk.is_test:
            raise Http404
        if not form.is_bound or form.is_valid():
            _act(request, desk, form)
            return HttpResponseRedirect(desk.url("test_clock"))
    steps = [(_local(desk, desk.now + step), words) for step, words in STEPS.values()]
    context = {"form": form, "steps": steps, "step_days_max": clocks.STEP_MAX.days, "wall": clock.wall()}
    return desk.render(request, "developers/test_clock.html", context, status=400 if form.errors else 200)


def _act(request: HttpRequest, desk: Desk, form: AdvanceForm) -> None:
    act = request.POST.get("act", "")
    try:
        with tenancy.within(desk.book.pk):
            said = _acts(desk, act, form)
            # Web processes remember a book's time with its keys.
            keys.bump_version()
            to = form.cleaned_data["to"].isoformat() if form.is_bound else ""
            note(desk, f"test_clock.{act}", to=to)
            transaction.on_commit(_work_off_what_is_due)
    except PlatformError as error:
        messages.error(request, _refused(error))
    else:
        messages.success(request, said)


def _acts(desk: Desk, act: str, form: AdvanceForm) -> str:
    if act == "start":
        clocks.start(book_id=desk.book.pk, now=clock.wall())
        return gettext("The time of this test book stands still now.")
    if act == "remove":
        clocks.remove(book_id=desk.book.pk, now=clock.wall())
        return gettext("This test book has the world’s time again.")
    if act == "advance":
        clocks.advance(book_id=desk.book.pk, to=form.cleaned_data["to"].replace(tzinfo=desk.zone))
        return gettext("The clock moved. What fell due on the way is being worked off.")
    raise Http404


def _work_off_what_is_due() -> None:
    """Ask the workers at once. Beat asks them within the minute anyway: the broker is a hint."""
    for name, queue in settings.TEST_CLOCK_TASKS.items():
        try:
            current_app.send_task(name, queue=queue, retry=False)
        except OperationalError:
            logger.warning("what a test clock made due waits for beat: the broker does not answer")
            return


def _refused(error: PlatformError) -> str:
    told = {
        clocks.ClockExists.code: gettext("This book has a test clock already."),
        clocks.NoClock.code: gettext("This book has no test clock."),
        clocks.NotForward.code: gettext("A test clock moves forward only, a year at a time at most."),
        clocks.AheadOfTheWorld.code: gettext("The clock is ahead of the world: time does not go back."),
    }
    return told.get(error.code, gettext("That could not be done. Try again."))


def _initial(desk: Desk) -> dict[str, datetime]:
    return {"to": (desk.now + timedelta(days=1)).astimezone(desk.zone).replace(tzinfo=None, second=0, microsecond=0)}


def _local(desk: Desk, at: datetime) -> str:
    """As a form says it: rounded up to a second, so that a step is never a step back."""
    return (at + timedelta(seconds=1)).astimezone(desk.zone).strftime("%Y-%m-%dT%H:%M:%S")
