"""The audit page: who did what at this merchant, searched and exported; looking it up is no secret either."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids
from security.access import roles
from security.audit import operations as audit
from security.audit import queries
from security.audit.models import KEY, OPERATOR, STAFF, SYSTEM, USER, AuditRecord
from security.merchants.models import Staff
from security.web import sheets
from security.web.desk import Desk, desk_page
from security.web.parts import Ways
from security.web.step_up import Binding, step_up

PAGE = 50
TEXT_MAX = 100
_EXPORTED_AT_ONCE = 500
_KINDS: dict[str, Any] = {
    STAFF: gettext_lazy("Staff"),
    OPERATOR: gettext_lazy("Platform operator"),
    USER: gettext_lazy("Somebody"),
    KEY: gettext_lazy("API key"),
    SYSTEM: gettext_lazy("Platform"),
}
_PREFIXES = {STAFF: Staff.id_prefix, KEY: "key", OPERATOR: "usr", USER: "usr"}
_COLUMNS = ("time", "id", "chain number", "hash", "actor", "actor id", "address", "action", "object", "detail")


@dataclass(frozen=True, slots=True)
class Line:
    """A record as the page shows it."""

    record: AuditRecord
    actor: str
    is_person: bool
    detail: str


@require_safe
@desk_page("audit.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The records, newest first, narrowed by what the address says."""
    search, asked = _asked(request, desk)
    found = _records(desk, search)
    before = _identifier(AuditRecord.id_prefix, request.GET.get("before", ""))
    shown = list((found.filter(pk__lt=before) if before else found)[: PAGE + 1])
    here = desk.url("audit")
    older = {"before": ids.show(AuditRecord.id_prefix, shown[PAGE - 1].pk)} if len(shown) > PAGE else None
    context = {
        "lines": _lines(shown[:PAGE]),
        "asked": asked,
        "actions": sorted({*roles.ACTIONS, *_known_actions(desk)}),
        "people": Staff.objects.filter(merchant=desk.merchant).select_related("user").order_by("user__name", "pk"),
        "is_narrowed": any(asked.values()),
        "query": urlencode({name: value for name, value in asked.items() if value}),
        "ways": Ways(
            newer=f"{here}?{urlencode(asked)}" if before else "",
            older=f"{here}?{urlencode({**asked, **older})}" if older else "",
        ),
    }
    return desk.render(request, "audit/list.html", context)


def _binds(request: HttpRequest, desk: Desk) -> Binding:
    _search, asked = _asked(request, desk)
    return Binding(object_id=urlencode(asked), what=_("Export the audit log"))


@desk_page("audit.view")
@step_up("audit.export", binds=_binds)
def export(request: HttpRequest, desk: Desk) -> Any:
    """All that was found, as CSV with each record's place in the chain. It names people, so it is itself recorded."""
    search, asked = _asked(request, desk)
    if request.method != "POST":
        return desk.render(request, "audit/export.html", {"asked": asked})
    with transaction.atomic():
        audit.record(
            actor=desk.actor,
            action="audit.export",
            detail={name: value for name, value in asked.items() if value},
            book_id=desk.book.pk,
            merchant_id=desk.merchant.pk,
        )
    return sheets.stream(f"audit-{desk.merchant.slug}.csv", _COLUMNS, _rows(_records(desk, search), desk))


def _records(desk: Desk, search: queries.Search) -> QuerySet[AuditRecord]:
    found = queries.records(merchant_id=desk.merchant.pk, book_id=desk.book.pk, search=search)
    return found.select_related("link")


def _asked(request: HttpRequest, desk: Desk) -> tuple[queries.Search, dict[str, str]]:
    """What the address narrows the list to, and the same as text; what cannot be read narrows nothing."""
    asked = {
        name: request.GET.get(name, "")[:TEXT_MAX].replace("\0", "").strip()
        for name in ("action", "actor", "object", "since", "until")
    }
    since, until = (_day(asked[name], desk) for name in ("since", "until"))
    search = queries.Search(
        action=asked["action"],
        actor_id=_identifier(Staff.id_prefix, asked["actor"]),
        object_id=asked["object"],
        since=since,
        until=until + timedelta(days=1) if until else None,
    )
    return search, asked


def _day(text: str, desk: Desk) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    if day is None or not 1970 <= day.year <= 9000:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=desk.zone)


def _identifier(prefix: str, text: str) -> UUID | None:
    try:
        return ids.parse(prefix, text)
    except ids.MalformedId:
        return None


def _known_actions(desk: Desk) -> Sequence[str]:
    """What the latest records did, beside the table of actions: the list of choices, not the search."""
    latest = queries.records(merchant_id=desk.merchant.pk, book_id=desk.book.pk, search=queries.Search())
    return list(latest.values_list("action", flat=True)[:200])


def _lines(records: Sequence[AuditRecord]) -> list[Line]:
    wanted = {record.actor_id for record in records if record.actor_kind == STAFF and record.actor_id}
    people = {staff.pk: staff for staff in Staff.objects.filter(pk__in=wanted).select_related("user")}
    lines = []
    for record in records:
        staff = people.get(record.actor_id) if record.actor_id else None
        name = (staff.user.name or staff.user.email) if staff else str(_KINDS[record.actor_kind])
        detail = "; ".join(f"{name}: {_text(value)}" for name, value in sorted(record.detail.items()))
        lines.append(Line(record=record, actor=name, is_person=staff is not None, detail=detail))
    return lines


def _text(value: Any) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _rows(found: QuerySet[AuditRecord], desk: Desk) -> Iterator[Sequence[str]]:
    last = None
    while True:
        records = list((found.filter(pk__lt=last) if last else found)[:_EXPORTED_AT_ONCE])
        for line in _lines(records):
            yield _cells(line, desk)
        if len(records) < _EXPORTED_AT_ONCE:
            return
        last = records[-1].pk


def _cells(line: Line, desk: Desk) -> Sequence[str]:
    record = line.record
    prefix = _PREFIXES.get(record.actor_kind)
    return (
        record.recorded_at.astimezone(desk.zone).isoformat(),
        ids.show(AuditRecord.id_prefix, record.pk),
        str(record.link.number),
        bytes(record.link.hash).hex(),
        line.actor,
        ids.show(prefix, record.actor_id) if prefix and record.actor_id else "",
        record.ip,
        record.action,
        record.object_id,
        line.detail,
    )
