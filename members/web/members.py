"""Members: found, looked at, added, changed, taken away as a file."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from members.directory import finding, operations, ports, profile, queries, timeline
from members.directory.finding import Found
from members.directory.models import ACTIVE, LEFT, MERGED, SOURCES, Member, MemberTag
from members.directory.profile import MemberExists
from members.features import queries as features
from members.web import words
from members.web.forms import MemberForm
from members.web.standing import hand, object_id
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from security.authentication.step_up import Binding
from security.privacy import queries as allowed
from security.privacy.wording import PROFILE, PURPOSES
from security.web import forms, lists, sheets
from security.web.desk import Desk, desk_page
from security.web.parts import Chip, Tab
from security.web.step_up import step_up

TEXT_MAX, SHOWN_MAX = 200, 20
_EXPORTED = ("id", "number", "name", "phone", "email", "birthday", "household", "tags", "status", "source", "joined")
TABS = {ACTIVE: words.STATES[ACTIVE][1], LEFT: words.STATES[LEFT][1], MERGED: words.STATES[MERGED][1]}


@require_safe
@desk_page("member.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list: newest first, or what a search finds, in its order. Fourteen statements, whatever the past."""
    with tenancy.within(desk.book.pk):
        found = _narrowed(request, desk)
        page = lists.page(found.rows, request, prefix="mem", column=found.column)
        about = queries.about([row.pk for row in page.rows])
        tags = queries.tags()
        tabs = _tabs(request)
        pairs = lists.counted(queries.duplicates()) if desk.may("member.merge") else "0"
    return desk.render(
        request,
        "members/list.html",
        {
            "members": [_row(row, about[row.pk]) for row in page.rows],
            "ways": page.ways,
            "is_found": bool(found.column),
            "tabs": tabs,
            "tags": tags,
            "sources": [(source, words.SOURCES[source]) for source in SOURCES],
            "asked": _asked(request),
            "chips": _chips(request),
            "clear_url": request.path,
            "is_narrowed": bool(_asked(request)),
            "export_query": request.GET.urlencode(),
            "pairs": pairs if pairs != "0" else "",
        },
    )


@require_safe
@desk_page("member.view")
def detail(request: HttpRequest, desk: Desk, member: str) -> HttpResponse:
    """All that is known of one: the profile, the figures, what other rooms show, and one timeline."""
    member_id = object_id("mem", member)
    before = _before(request)
    with tenancy.within(desk.book.pk):
        row = queries.find(member_id)
        happenings = timeline.of(row, before=before, limit=SHOWN_MAX + 1)
        shown: dict[str, Any] = {"happenings": [(each, _page(desk, each.page)) for each in happenings[:SHOWN_MAX]]}
        if len(happenings) > SHOWN_MAX:
            shown["older"] = "?" + urlencode({"before": ids.show("mem", happenings[SHOWN_MAX - 1].key)})
        if request.headers.get("HX-Request"):
            return render(request, "members/_timeline.html", {"desk": desk, **shown})
        about = queries.about([row.pk])[row.pk]
        consents = allowed.standing(row.customer_id)
        figures = features.of(row.pk, now=desk.now) if PROFILE in consents else None
        shown |= {
            "member": row,
            "shown": _row(row, about),
            "customer_id": ids.show("cus", row.customer_id),
            "source": words.SOURCES[row.source],
            "winner_id": ids.show("mem", row.merged_into_id) if row.merged_into_id else "",
            "merges": [
                (ids.show("mrg", each.pk), ids.show("mem", each.loser_id), each) for each in queries.merges(row.pk)
            ],
            "at_home": [(ids.show("mem", each.pk), each) for each in queries.at_home(row)],
            "consents": [(wording.title, consents.get(name)) for name, wording in PURPOSES.items()],
            "figures": figures if figures and figures.is_known else None,
            "may_know": figures is not None,
            "panels": [
                (panel, _page(desk, panel.page)) for panel in ports.panels(member=row.merged_into or row, now=desk.now)
            ],
        }
    if shown["figures"]:
        shown |= _figures(shown["figures"])
    return desk.render(request, "members/detail.html", shown)


@desk_page("member.enrol")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add one. A contact that is a member's already leads to that member."""
    form = MemberForm(request.POST or None)
    known: Member | None = None
    if request.method == "POST" and form.is_valid():

        def add() -> str:
            by = hand(desk)
            row = profile.add(form.profile(), hand=by, consents_to=form.cleaned_data["consents"])
            by.sign("member.create", ids.show("mem", row.pk))
            return desk.url("member", member=ids.show("mem", row.pk))

        try:
            response = forms.submit(request, desk, add)
        except PlatformError as refused:
            form.refuse(refused)
            known = refused.member if isinstance(refused, MemberExists) else None
        else:
            messages.success(request, _("The member was added."))
            return response
    form.focus_first_error()
    known_id = ids.show("mem", known.pk) if known else ""
    return desk.render(request, "members/form.html", {"form": form, "known_id": known_id, "back": desk.url("members")})


@desk_page("member.edit")
def edit(request: HttpRequest, desk: Desk, member: str) -> HttpResponse:
    """Change one, unless somebody else did since it was shown. The contacts are open here, and each look is noted."""
    member_id = object_id("mem", member)
    by = hand(desk)
    with tenancy.within(desk.book.pk):
        row = queries.find(member_id)
        if not row.is_active:
            return HttpResponseRedirect(desk.url("member", member=member))
        initial, seen = None, ""
        if request.method != "POST":
            contacts = queries.opened(row, hand=by)
            if contacts:
                by.sign("member.contacts", member)
            initial, seen = _initial(row, contacts), profile.version(row)
    form = MemberForm(request.POST or None, initial=initial, seen=seen)
    if request.method == "POST" and form.is_valid():

        def change() -> str:
            profile.change(
                form.profile(),
                member_id=member_id,
                hand=by,
                consents_to=form.cleaned_data["consents"],
                seen=form.seen,
            )
            return desk.url("member", member=member)

        if done := forms.send(request, desk, form, change, words=_("The member was changed.")):
            return done
    form.focus_first_error()
    return desk.render(
        request,
        "members/form.html",
        {"form": form, "member": row, "member_id": member, "back": desk.url("member", member=member)},
    )


@desk_page("member.edit")
def leave(request: HttpRequest, desk: Desk, member: str) -> HttpResponse:
    """End a membership: ask first, what is forgotten is gone."""
    member_id = object_id("mem", member)
    with tenancy.within(desk.book.pk):
        row = queries.find(member_id)
    if request.method == "POST":

        def end() -> str:
            by = hand(desk)
            operations.leave(member_id=member_id, now=desk.now, origin=by.origin)
            by.sign("member.leave", member)
            return desk.url("member", member=member)

        back = desk.url("member", member=member)
        return forms.press(request, desk, end, back=back, words=_("The membership was ended."))
    return desk.render(request, "members/leave.html", {"form": forms.DeskForm(), "member": row, "member_id": member})


def _export_binding(request: HttpRequest, desk: Desk) -> Binding:
    """A proof is for these members and no others."""
    return Binding(object_id="members", payee=urlencode(_asked(request)), what=_("Export members"))


@desk_page("member.export")
@step_up("member.export", binds=_export_binding)
def export(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """All that the list shows, as CSV that streams, its contacts masked; that somebody took it is noted first."""
    if request.method != "POST":
        chips = [(chip.title, chip.value) for chip in _chips(request)]
        return desk.render(request, "members/export.html", {"form": forms.DeskForm(), "narrowed": chips})
    with tenancy.within(desk.book.pk):
        found = _narrowed(request, desk)
        hand(desk).sign("member.export", "", narrowed_by=sorted(_asked(request)))
    name = f"members-{desk.merchant.slug}-{desk.book.mode}.csv"
    return sheets.stream(name, _EXPORTED, _sheet(desk, found))


def _sheet(desk: Desk, found: Found) -> Iterator[Sequence[str]]:
    """Rows of the file, a batch in a unit of work: a long export holds no transaction open."""
    batches = lists.batches(found.rows, column=found.column)
    while True:
        with tenancy.within(desk.book.pk):
            batch = next(batches, None)
            about = queries.about([row.pk for row in batch]) if batch else {}
        if batch is None:
            return
        for row in batch:
            yield [
                ids.show("mem", row.pk),
                row.number,
                row.customer.name or "",
                about[row.pk].masks.get("phone", ""),
                about[row.pk].masks.get("email", ""),
                row.birthday.isoformat() if row.birthday else "",
                row.household.name if row.household else "",
                ", ".join(about[row.pk].tags),
                row.status,
                row.source,
                row.joined_at.astimezone(desk.zone).isoformat(timespec="seconds"),
            ]


def _narrowed(request: HttpRequest, desk: Desk) -> Found:
    """What the address asks for. Days narrow a list that is in the order of time alone."""
    asked = _asked(request)
    found = finding.found(asked.get("q", ""), hand=hand(desk))
    rows = found.rows
    if not asked.get("q"):
        rows = rows.filter(status=_status(request))
    if "tag" in asked:
        rows = rows.filter(pk__in=MemberTag.objects.filter(tag__name=asked["tag"]).values("member_id"))
    if "source" in asked:
        rows = rows.filter(source=asked["source"])
    if found.column is None:
        if "since" in asked:
            rows = rows.filter(pk__gte=ids.first_at(_midnight(asked["since"], desk)))
        if "until" in asked:
            rows = rows.filter(pk__lt=ids.first_at(_midnight(asked["until"], desk) + timedelta(days=1)))
    return Found(rows, found.column)


def _asked(request: HttpRequest) -> dict[str, str]:
    """The filters in the address that say something."""
    asked = {}
    if text := request.GET.get("q", "")[:TEXT_MAX].replace("\x00", "").strip():
        asked["q"] = text
    if tag := request.GET.get("tag", "")[:TEXT_MAX].replace("\x00", "").strip():
        asked["tag"] = tag
    if request.GET.get("source") in SOURCES:
        asked["source"] = request.GET["source"]
    for name in ("since", "until"):
        try:
            day = date.fromisoformat(request.GET.get(name, ""))
        except ValueError:
            continue
        if 2000 <= day.year <= 2999 and "q" not in asked:
            asked[name] = day.isoformat()
    return asked


def _status(request: HttpRequest) -> str:
    return lists.chosen(request, "status", TABS, ACTIVE)


def _tabs(request: HttpRequest) -> list[Tab]:
    if "q" in _asked(request):
        return []  # a search looks everywhere
    present = _status(request)
    return [
        Tab(
            title=title,
            url=lists.query(request, status=None if status == ACTIVE else status),
            count=lists.counted(Member.objects.filter(status=status)),
            is_current=status == present,
        )
        for status, title in TABS.items()
    ]


def _chips(request: HttpRequest) -> list[Chip]:
    titles: dict[str, Any] = {
        "q": _("Search"),
        "tag": _("Tag"),
        "source": _("Joined"),
        "since": _("Joined since"),
        "until": _("Joined until"),
    }
    return [
        Chip(
            titles[name],
            str(words.SOURCES[value]) if name == "source" else value,
            lists.query(request, **{name: None}),
        )
        for name, value in _asked(request).items()
    ]


def _midnight(day: str, desk: Desk) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.min, tzinfo=desk.zone)


def _before(request: HttpRequest) -> Any:
    try:
        return ids.parse("mem", request.GET.get("before", ""))
    except ids.MalformedId:
        return None


def _row(member: Member, about: Any) -> dict[str, Any]:
    badge, word = words.STATES[member.status]
    return {
        "id": ids.show("mem", member.pk),
        "row": member,
        "name": member.customer.name or member.number,
        "about": about,
        "badge": badge,
        "word": word,
    }


def _page(desk: Desk, page: tuple[str, str, str] | None) -> str:
    """The address of a page that somebody named; empty where this person may not go there."""
    if page is None:
        return ""
    name, what, value = page
    return desk.url(name, **{what: value})


def _initial(member: Member, contacts: dict[str, str]) -> dict[str, Any]:
    return {
        "name": member.customer.name or "",
        "phone": contacts.get("phone", ""),
        "email": contacts.get("email", ""),
        "birthday": member.birthday,
        "household": member.household.name if member.household else "",
        "tags": ", ".join(queries.about([member.pk])[member.pk].tags),
        "consents": sorted(allowed.standing(member.customer_id)),
    }


def _figures(figures: features.Features) -> dict[str, Any]:
    """The figures as the page shows them: bars are shares of the largest."""
    largest = max(figures.categories.values(), default=0)
    return {
        "risk_percent": round(figures.churn_risk * 100),
        "risk_kind": "danger" if figures.churn_risk >= 0.7 else "warning" if figures.churn_risk >= 0.4 else "success",
        "weekday": WEEKDAYS[figures.favourite_weekday or 0],
        "gap_days": round(figures.gap_days or 0),
        "method": words.METHODS.get(figures.usual_method, figures.usual_method),
        "categories": [(name, sum_, largest) for name, sum_ in figures.categories.items() if sum_ > 0],
        # The left edge, the top and the height of each hour's bar, in a picture of 240 by 100.
        "hours": [(hour * 10, 100 - height, height) for hour, height in enumerate(_heights(figures.hours))],
    }


def _heights(hours: Mapping[str, int]) -> list[int]:
    busiest = max(hours.values(), default=1)
    return [100 * hours.get(str(hour), 0) // busiest for hour in range(24)]
