"""Reports on the dashboard: one's own, asked for, watched while they are made, and taken away."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from analytics.reports import files, hints, links, operations, states
from analytics.reports.kinds import KINDS
from analytics.reports.models import FORMATS, LANGUAGES, Report
from analytics.web.report_forms import ReportForm, periods
from analytics.web.report_words import FAILURES, STATES
from analytics.web.report_words import LANGUAGES as LANGUAGE_NAMES
from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import NotFound
from payments.hand import Hand
from payments.ledger import chart
from payments.ledger import queries as ledger
from security.access import roles
from security.audit import operations as audit
from security.audit.operations import Actor
from security.credentials import queries as keys
from security.merchants import queries as merchants
from security.merchants.models import Staff
from security.web import forms, lists
from security.web.desk import Desk, desk_page, to_sign_in
from security.web.parts import Tab

MAKE = "report.make"
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# What a button does, and what is said when it is done.
ACTS: dict[str, Any] = {
    "cancel": gettext_lazy("The report was called off."),
    "again": gettext_lazy("The report is made again."),
    "remove": gettext_lazy("The report was deleted."),
}


@require_safe
@desk_page(MAKE)
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """One's own reports, newest first. Five statements with the desk's."""
    kind, status = lists.chosen(request, "kind", KINDS, ""), lists.chosen(request, "status", STATES, "")
    with tenancy.within(desk.book.pk):
        rows = operations.own(staff_id=desk.staff.pk)
        if kind:
            rows = rows.filter(kind=kind)
        if status:
            rows = rows.filter(status=status)
        page = lists.page(rows, request, prefix="rpt")
    now = clock.wall()
    context = {
        "reports": [_shown(report, now) for report in page.rows],
        "ways": page.ways,
        "is_moving": any(not report.is_finished for report in page.rows),
        "is_narrowed": bool(kind or status),
        "here": request.get_full_path(),
        "clear_url": request.path,
        "kinds": [(name, each.title, name == kind) for name, each in KINDS.items() if desk.may(each.action)],
        "statuses": [(name, word, name == status) for name, (_badge, word) in STATES.items()],
        "tabs": tabs(desk, "reports"),
    }
    if request.headers.get("HX-Request"):
        return render(request, "reports/_list.html", {"desk": desk, **context})
    return desk.render(request, "reports/list.html", context)


@desk_page(MAKE)
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Ask for a report."""
    today = desk.now.astimezone(desk.zone).date()
    choices = periods(today)
    chosen = _chosen_period(request, today) or choices[-1][1:]
    kinds = [name for name, kind in KINDS.items() if desk.may(kind.action)]
    initial = {
        "kind": lists.chosen(request, "kind", dict.fromkeys(kinds), kinds[0]),
        "since": chosen[0],
        "until": chosen[1],
        "format": FORMATS[-1],
        "language": own_language(),
        "currency": desk.merchant.default_currency,
    }
    form = ReportForm(request.POST or None, desk=desk, currencies=currencies(desk), initial=initial)
    if request.method == "POST" and form.is_valid():

        def ask() -> str:
            report = operations.ask(form.wanted, hand=hand(desk), at=clock.wall(), staff_id=desk.staff.pk)
            hints.after_commit()
            return desk.url("report", report=ids.show("rpt", report.pk))

        try:
            return forms.submit(request, desk, ask)
        except (operations.PeriodInvalid, operations.TooManyReports) as refused:
            form.refuse(refused)
    form.focus_first_error()
    context = {
        "form": form,
        "periods": [
            (title, lists.query(request, since=first.isoformat(), until=last.isoformat()), (first, last) == chosen)
            for title, first, last in choices
        ],
    }
    return desk.render(request, "reports/form.html", context)


@require_safe
@desk_page(MAKE)
def show(request: HttpRequest, desk: Desk, report: str) -> HttpResponse:
    """How far a report is, and its file. The page asks for the same again until it is finished."""
    with tenancy.within(desk.book.pk):
        row = _find(report, desk)
    context = {"each": _shown(row, clock.wall()), "report": row, "form": forms.DeskForm()}
    if request.headers.get("HX-Request"):
        return render(request, "reports/_report.html", {"desk": desk, **context})
    return desk.render(request, "reports/detail.html", context)


@require_POST
@desk_page(MAKE)
def act(request: HttpRequest, desk: Desk, report: str) -> HttpResponse:
    """Call a report off, have it made again, or throw it away."""
    wanted = request.POST.get("act", "")
    if wanted not in ACTS:
        raise Http404
    here = desk.url("report", report=report)

    def press() -> str:
        row = _find(report, desk)
        if wanted == "cancel":
            operations.cancel(row, hand=hand(desk), at=clock.wall())
        elif wanted == "again":
            operations.again(row, hand=hand(desk), at=clock.wall())
            hints.after_commit()
        else:
            operations.remove(row, hand=hand(desk))
            return desk.url("reports")
        return here

    return forms.press(request, desk, press, back=here, words=str(ACTS[wanted]))


@require_safe
@desk_page(MAKE)
def file(request: HttpRequest, desk: Desk, report: str) -> HttpResponse:
    """The way to the file: a link that is made now, for this person, and is over in minutes."""
    now = clock.wall()
    with tenancy.within(desk.book.pk):
        row = _find(report, desk)
    if not row.has_file(now):
        raise Http404
    return HttpResponseRedirect(links.address(row, at=now, until=now + links.SHORT, staff_id=desk.staff.pk))


@require_safe
@never_cache
def take(request: HttpRequest, token: str) -> HttpResponseBase:
    """A link's file, for whom the link is: a person who is signed in, or whoever a key of the API sent."""
    now = clock.wall()
    try:
        link = links.opened(token, at=now)
        if link.staff_id and not request.user.is_authenticated:
            return to_sign_in(request)
        return _taken(request, link)
    except (links.Unusable, FileNotFoundError):
        return render(request, "reports/over.html", {}, status=404)


def _taken(request: HttpRequest, link: links.Link) -> HttpResponseBase:
    book, now = merchants.book(link.book_id), clock.wall()
    ip = str(request.META.get("REMOTE_ADDR", ""))
    with tenancy.within(book.pk):
        report = Report.objects.filter(pk=link.report_id).first()
        if report is None or not report.has_file(now):
            raise links.Unusable("The file is gone.")
        actor = _holder(request, link, report, ip)
        content = files.path_of(book.pk, report.pk, report.format).open("rb")
        audit.record(
            actor=actor,
            action="report.download",
            object_id=ids.show("rpt", report.pk),
            detail={"kind": report.kind, "format": report.format, "sha256": report.file_sha256},
            book_id=book.pk,
            merchant_id=book.merchant_id,
        )
    return FileResponse(
        content, as_attachment=True, filename=report.file_name, content_type=CONTENT_TYPES[report.format]
    )


def _holder(request: HttpRequest, link: links.Link, report: Report, ip: str) -> Actor:
    """Whose link it is, if they are the one who asks and may still have it. Raises Unusable."""
    if link.staff_id and request.user.is_authenticated:
        staff = Staff.objects.filter(pk=link.staff_id, user=request.user, left_at=None).first()
        if staff is not None and roles.may(staff.role, KINDS[report.kind].action):
            return Actor.staff(staff.pk, ip=ip)
    elif link.key_id:
        key, now = keys.find(book_id=link.book_id, key_id=link.key_id), clock.wall()
        if key is not None and key.revoked_at is None and (key.expires_at is None or now < key.expires_at):
            return Actor.key(key.pk, ip=ip)
    raise links.Unusable("This link is somebody else's.")


def tabs(desk: Desk, current: str) -> list[Tab]:
    """The two lists."""
    names = {"reports": _("Reports"), "report_schedules": _("Schedules")}
    return [Tab(title, desk.url(name), None, name == current) for name, title in names.items()]


def hand(desk: Desk) -> Hand:
    """Who acts at this desk, for the rooms."""
    return Hand(actor=desk.actor, book=desk.book, now=desk.now)


def currencies(desk: Desk) -> list[str]:
    """The currencies that the book has money in. One statement."""
    mode = "live" if desk.book.livemode else "test"
    accounts = ledger.accounts(chart.MERCHANT, owner_id=desk.book.pk, mode=mode)
    return [account.unit.partition("/")[0] for account in accounts]


def own_language() -> str:
    """The language that the page is read in, where reports are written in it."""
    spoken = translation.get_language()
    return spoken if spoken in LANGUAGES else "en"


def _find(shown: str, desk: Desk) -> Report:
    """One of the person's own reports. Raises Http404."""
    try:
        row = operations.find(ids.parse("rpt", shown), staff_id=desk.staff.pk)
    except (ids.MalformedId, NotFound) as error:
        raise Http404 from error
    return row


def _chosen_period(request: HttpRequest, today: date) -> tuple[date, date] | None:
    """The period in the address, where it is one."""
    try:
        first, last = (date.fromisoformat(request.GET.get(name, "")) for name in ("since", "until"))
    except ValueError:
        return None
    return (first, last) if operations.EARLIEST <= first <= last <= today else None


def _shown(report: Report, now: Any) -> dict[str, Any]:
    identifier: UUID = report.pk
    return {
        "id": ids.show("rpt", identifier),
        "row": report,
        "title": KINDS[report.kind].title,
        "format": report.format.upper(),
        "language": LANGUAGE_NAMES[report.language],
        "badge": STATES[report.status],
        "is_running": report.status == states.RUNNING,
        "has_file": report.has_file(now),
        "failure": FAILURES.get(report.failure, FAILURES["error"]) if report.failure else "",
    }
