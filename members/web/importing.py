"""Members from a sheet: brought and looked at, agreed to, and watched until it is done."""

from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from members.directory.models import IMPORT
from members.importing import operations, planning, queries
from members.importing.models import (
    AGREED,
    CHANGED,
    CREATED,
    DONE,
    FAILED,
    SAME,
    WAITING,
    WRONG,
    ImportRow,
    MemberImport,
)
from members.web.standing import hand, object_id
from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.web import uploads
from payments.web.dashboard import sheets
from security.web import forms, lists
from security.web.desk import Desk, desk_page

PAGE_SIZE, BATCH_ROWS = 50, 500
# Why a file cannot be read at all.
UNREADABLE: dict[str, Any] = {
    "not_text": gettext_lazy("This file is no CSV table. Save the sheet as CSV (UTF-8) and bring that."),
    "wrong_name": gettext_lazy("The name of the file has to end in .csv."),
    "no_header": gettext_lazy("The first row names the columns, and one of them is number, name, phone or email."),
    "unknown_column": gettext_lazy("The column “{column}” is unknown or stands twice. These are known: {columns}."),
    "too_many_rows": gettext_lazy("The sheet has more than {rows} rows. Bring it in parts."),
    "too_large": gettext_lazy("The file is larger than {kilobytes} KB. Bring it in parts."),
    "empty": gettext_lazy("The sheet has no rows."),
}
# What is wrong with a cell, or with a row that could not be brought in the end.
PROBLEMS: dict[str, Any] = {
    "another_number": gettext_lazy("This person is a member already, with another number."),
    "api_error": gettext_lazy("Something went wrong here. Bring this row again."),
    "broken_quotes": gettext_lazy("The quotation marks of this line do not match."),
    "left": gettext_lazy("The member with this number left."),
    "lock_timeout": gettext_lazy("Somebody else was at work on this. Bring this row again."),
    "member_exists": gettext_lazy("Somebody with this contact joined meanwhile."),
    "named_before": gettext_lazy("A line before this one names the same person."),
    "no_consent": gettext_lazy("A birthday needs the consent personalisation, in the column consents."),
    "no_day": gettext_lazy("This is no day that can be; write 1990-05-04."),
    "no_email": gettext_lazy("This is no e-mail address."),
    "no_number": gettext_lazy("A number has 4 to 30 letters and digits."),
    "no_phone": gettext_lazy("This is no telephone number."),
    "no_tag": gettext_lazy("A tag has at most 40 characters."),
    "nobody": gettext_lazy("A row needs a name, a number, a telephone number or an e-mail address."),
    "somebody_elses": gettext_lazy("This contact belongs to another member."),
    "too_long": gettext_lazy("This is too long."),
    "parameter_invalid": gettext_lazy("This cannot be kept so."),
    "too_many_tags": gettext_lazy("A member has at most 20 tags, with those that they have already."),
    "too_many_cells": gettext_lazy("The row has more cells than there are columns."),
    "unknown_purpose": gettext_lazy("Consents are marketing, personalisation and profile, separated by semicolons."),
}
ELSE = gettext_lazy("This row cannot be brought.")
# The columns in words; in Chinese a sheet may be headed by them.
COLUMNS: dict[str, Any] = {
    "number": pgettext_lazy("column", "number"),
    "name": pgettext_lazy("column", "name"),
    "phone": pgettext_lazy("column", "phone"),
    "email": pgettext_lazy("column", "email"),
    "birthday": pgettext_lazy("column", "birthday"),
    "household": pgettext_lazy("column", "household"),
    "tags": pgettext_lazy("column", "tags"),
    "consents": pgettext_lazy("column", "consents"),
    "joined": pgettext_lazy("column", "joined"),
}
KINDS: dict[str, tuple[str, Any]] = {
    CREATED: ("success", gettext_lazy("New")),
    CHANGED: ("info", gettext_lazy("Changed")),
    SAME: ("neutral", gettext_lazy("The same")),
    WRONG: ("danger", gettext_lazy("Wrong")),
}
STATES: dict[str, tuple[str, Any]] = {
    WAITING: ("info", gettext_lazy("Waits")),
    DONE: ("success", gettext_lazy("Done")),
    FAILED: ("danger", gettext_lazy("Not done")),
}


class SheetForm(forms.DeskForm):
    file = django_forms.FileField(
        label=gettext_lazy("CSV file"),
        required=False,
        allow_empty_file=True,
        widget=django_forms.FileInput(attrs={"accept": ".csv,text/csv", "class": "input"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("file"):
            self.add_error("file", _("Choose a file."))
            return cleaned
        try:
            cleaned["text"] = uploads.sheet(cleaned["file"], bytes_max=planning.BYTES_MAX)
            # Before anything is written: what cannot be read at all is refused here.
            planning.read(cleaned["text"])
        except uploads.Unfit as unfit:
            self.add_error("file", _why(unfit.why))
        except planning.Unreadable as unreadable:
            self.add_error("file", _why(unreadable.why, unreadable.column))
        return cleaned


@desk_page("member.import")
def bring(request: HttpRequest, desk: Desk) -> HttpResponse:
    """A file is read, and what it would do is kept to be looked at."""
    form = SheetForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]

        def plan() -> str:
            job = operations.plan(
                text,
                staff_id=desk.staff.pk,
                hand=hand(desk, source=IMPORT),
                at=clock.wall(),
            )
            return desk.url("member_import", sheet=ids.show("mimp", job.pk))

        return forms.submit(request, desk, plan)
    context = {"form": form, "columns": COLUMNS.values(), "rows_max": planning.ROWS_MAX}
    return desk.render(request, "members/import.html", context)


@require_safe
@desk_page("member.import")
def show(request: HttpRequest, desk: Desk, sheet: str) -> HttpResponse:
    """What each row would do; and once somebody agreed, how far it is."""
    with tenancy.within(desk.book.pk):
        progress = queries.progress(object_id("mimp", sheet))
        if progress is None:
            raise Http404
        only = lists.chosen(request, "kind", {**KINDS, **STATES}, "")
        rows = ImportRow.objects.filter(job=progress.job).select_related("member__customer")
        if only:
            rows = rows.filter(**{"kind" if only in KINDS else "state": only})
        # In the order of the lines: ids are made in it.
        page = lists.page(rows, request, prefix="mirow", column="number", size=PAGE_SIZE)
        shown = [_shown(row, said, desk) for row, said in operations.opened(page.rows, now=desk.now)]
    context = {
        "sheet": sheet,
        "progress": progress,
        "is_agreed": progress.job.status == AGREED,
        "rows": shown,
        "ways": page.ways,
        "counts": [
            (badge, words, progress.kind(kind), lists.query(request, kind=kind))
            for kind, (badge, words) in KINDS.items()
            if progress.kind(kind)
        ],
        "work_count": progress.kind(CREATED) + progress.kind(CHANGED),
        "wrong_count": progress.kind(WRONG),
        "has_wrong": bool(progress.kind(WRONG) or progress.failed_count),
        "only": only,
        "all_url": lists.query(request, kind=None),
        "form": forms.DeskForm(),
    }
    if request.headers.get("HX-Request"):
        return render(request, "members/_import.html", {"desk": desk, **context})
    return desk.render(request, "members/import_job.html", context)


@require_safe
@desk_page("member.import")
def wrong(request: HttpRequest, desk: Desk, sheet: str) -> StreamingHttpResponse:
    """The lines that are not brought, a line a reason, as the page shows them: what they said beside is under seal."""
    job_id = object_id("mimp", sheet)
    with tenancy.within(desk.book.pk):
        if not MemberImport.objects.filter(pk=job_id).exists():
            raise Http404

    def batch(cursor: UUID | None) -> tuple[list[list[Any]], UUID | None]:
        rows = queries.wrong(job_id)
        if cursor is not None:
            rows = rows.filter(pk__gt=cursor)
        found = list(rows.order_by("pk")[:BATCH_ROWS])
        lines = [
            [shown["row"].number, shown["name"], str(column), str(words)]
            for shown in (_shown(row, said, desk) for row, said in operations.opened(found, now=desk.now))
            for column, words in shown["problems"]
        ]
        return lines, found[-1].pk if len(found) == BATCH_ROWS else None

    titles = [_("Line"), _("Member"), _("Column"), _("What is wrong")]
    return sheets.stream(name="wrong-lines", book_id=desk.book.pk, titles=titles, batch=batch)


@require_POST
@desk_page("member.import")
def agree(request: HttpRequest, desk: Desk, sheet: str) -> HttpResponse:
    """Have it done."""
    job_id: UUID = object_id("mimp", sheet)
    back = desk.url("member_import", sheet=sheet)

    def begin() -> str:
        operations.agree(job_id=job_id, hand=hand(desk, source=IMPORT), at=clock.wall())
        return back

    response = forms.submit(request, desk, begin)
    return HttpResponseRedirect(response["Location"], status=303)


def _shown(row: ImportRow, said: dict[str, Any], desk: Desk) -> dict[str, Any]:
    cells, member = said["cells"], row.member
    # What the sheet said is deleted when it is done: the member is there then.
    known = (member.customer.name or member.number) if member else ""
    return {
        "row": row,
        "name": cells.get("name") or cells.get("number") or known,
        "kind": KINDS[row.kind],
        "state": STATES[row.state],
        "changes": [(_column(column), before, after) for column, before, after in said["changes"]],
        "problems": [(_column(column), PROBLEMS.get(code, ELSE)) for column, code in row.problems],
        "url": desk.url("member", member=ids.show("mem", row.member_id)) if row.member_id else "",
    }


def _column(name: str) -> Any:
    """A column in words, or the line that a row is held against."""
    line = name.removeprefix("line ")
    return COLUMNS.get(name, name) if line == name else _("line %(number)s") % {"number": line}


def _why(why: str, column: str = "") -> str:
    return str(UNREADABLE[why]).format(
        column=column,
        columns=", ".join(map(str, COLUMNS.values())),
        rows=planning.ROWS_MAX,
        kilobytes=planning.BYTES_MAX // 1024,
    )
