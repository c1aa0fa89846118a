"""The catalogue as a sheet: taken away, and brought in two steps, of which the first writes nothing."""

from collections.abc import Iterator
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_POST

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.web import uploads
from payments.catalog import importing, queries
from payments.origin import Origin
from payments.web.dashboard.product_forms import amount_words
from security.audit import operations as audit
from security.web import forms, lists, sheets
from security.web.desk import Desk, desk_page

# Why a file cannot be read at all.
UNREADABLE: dict[str, Any] = {
    "wrong_name": gettext_lazy("The name of a table ends in .csv. Save the sheet as CSV (UTF-8) and bring that."),
    "not_text": gettext_lazy("This file is no CSV table. Save the sheet as CSV (UTF-8) and bring that."),
    "no_header": gettext_lazy("The first row names the columns, and one of them is name or product."),
    "unknown_column": gettext_lazy("The column “{column}” is unknown or stands twice. These are known: {columns}."),
    "too_many_rows": gettext_lazy("The sheet has more than {rows} rows. Bring it in parts."),
    "too_large": gettext_lazy("The file is larger than {kilobytes} KB. Bring it in parts."),
    "empty": gettext_lazy("The sheet has no rows."),
}
# What is wrong with a cell.
PROBLEMS: dict[str, Any] = {
    "unknown_product": gettext_lazy("There is no such product here."),
    "several_products": gettext_lazy("Several products have this name. Say which by its id, in the column product."),
    "missing": gettext_lazy("A new product needs a name."),
    "too_long": gettext_lazy("This is longer than {value} characters."),
    "not_yes_or_no": gettext_lazy("Write yes or no."),
    "unknown_currency": gettext_lazy("There is no such currency."),
}
# The columns in words; in Chinese a sheet may be headed by them.
COLUMNS: dict[str, Any] = {
    "product": pgettext_lazy("column of products", "product"),
    "name": pgettext_lazy("column of products", "name"),
    "category": pgettext_lazy("column of products", "category"),
    "description": pgettext_lazy("column of products", "description"),
    "active": pgettext_lazy("column of products", "active"),
    "cost": pgettext_lazy("column of products", "cost"),
    "currency": pgettext_lazy("column of products", "currency"),
    "price": pgettext_lazy("column of products", "price"),
    "lookup_key": pgettext_lazy("column of products", "lookup_key"),
}
# Fields that a sheet calls otherwise.
_COLUMN_OF = {"cost_minor": "cost", "is_active": "active"}
KINDS: dict[str, tuple[str, Any]] = {
    importing.CREATED: ("success", gettext_lazy("New")),
    importing.CHANGED: ("info", gettext_lazy("Changed")),
    importing.SAME: ("neutral", gettext_lazy("The same")),
    importing.WRONG: ("danger", gettext_lazy("Wrong")),
}


class SheetForm(forms.DeskForm):
    """A file, or the text of one that was read before."""

    file = django_forms.FileField(
        label=gettext_lazy("CSV file"),
        required=False,
        allow_empty_file=True,
        widget=django_forms.FileInput(attrs={"accept": ".csv,text/csv", "class": "input"}),
    )
    text = django_forms.CharField(required=False, strip=False, max_length=importing.BYTES_MAX)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("file"):
            try:
                cleaned["text"] = uploads.sheet(cleaned["file"], bytes_max=importing.BYTES_MAX)
            except uploads.Unfit as unfit:
                self.add_error("file", unreadable_words(unfit.why))
        elif not cleaned.get("text"):
            self.add_error("file", _("Choose a file."))
        return cleaned


@desk_page("catalog.edit")
def bring(request: HttpRequest, desk: Desk) -> HttpResponse:
    """A file is read and shown with what it would do; once somebody agreed, that is done."""
    form = SheetForm(request.POST or None, request.FILES or None)
    plan: importing.Plan | None = None
    text = ""
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        try:
            with tenancy.within(desk.book.pk):
                plan = importing.plan(text, currency=desk.merchant.default_currency)
            if request.POST.get("agreed") == "yes" and plan.is_right:
                return _bring(request, desk, text, form.seen)
        except importing.Unreadable as unreadable:
            form.add_error("file", unreadable_words(unreadable.why, unreadable.column))
        except PlatformError as refused:
            form.refuse(refused)
    return desk.render(
        request,
        "products/import.html",
        {
            "form": form,
            "plan": plan,
            "text": text,
            "rows": [_shown(row) for row in plan.rows] if plan else [],
            "counts": [(badge, words, plan.count(kind)) for kind, (badge, words) in KINDS.items() if plan.count(kind)]
            if plan
            else [],
            "columns": COLUMNS.values(),
            "rows_max": importing.ROWS_MAX,
        },
    )


@require_POST
@desk_page("catalog.view")
def export(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """The whole catalogue as a sheet that streams, and that can be brought again."""
    with tenancy.within(desk.book.pk):
        audit.record(actor=desk.actor, action="product.export", book_id=desk.book.pk, merchant_id=desk.merchant.pk)
    return sheets.stream(f"products-{desk.merchant.slug}-{desk.book.mode}.csv", importing.COLUMNS, _rows(desk))


def unreadable_words(why: str, column: str = "") -> str:
    """Why a file cannot be read, in words."""
    return str(UNREADABLE[why]).format(
        column=column,
        columns=", ".join(map(str, COLUMNS.values())),
        rows=importing.ROWS_MAX,
        kilobytes=importing.BYTES_MAX // 1024,
    )


def _bring(request: HttpRequest, desk: Desk, text: str, seen: str) -> HttpResponse:
    done: list[importing.Plan] = []

    def deed() -> str:
        plan = importing.bring(
            text,
            currency=desk.merchant.default_currency,
            seen=seen,
            now=desk.now,
            origin=Origin(livemode=desk.book.livemode),
        )
        done.append(plan)
        audit.record(
            actor=desk.actor,
            action="product.import",
            detail={"created": plan.count(importing.CREATED), "changed": plan.count(importing.CHANGED)},
            book_id=desk.book.pk,
            merchant_id=desk.merchant.pk,
        )
        return desk.url("products")

    response = forms.submit(request, desk, deed)
    for plan in done:
        count = plan.count(importing.CREATED) + plan.count(importing.CHANGED)
        messages.success(
            request, ngettext("{count} row was brought.", "{count} rows were brought.", count).format(count=count)
        )
    return response


def _rows(desk: Desk) -> Iterator[list[str]]:
    batches = lists.batches(queries.products())
    while True:
        with tenancy.within(desk.book.pk):
            batch = next(batches, None)
            prices = queries.prices_of([product.pk for product in batch]) if batch else {}
        if batch is None:
            return
        for product in batch:
            yield from importing.sheet(product, prices[product.pk], currency=desk.merchant.default_currency)


def _shown(row: importing.Row) -> dict[str, Any]:
    badge, words = KINDS[row.kind]
    return {
        "row": row,
        "badge": badge,
        "words": words,
        "changes": [
            (COLUMNS[_COLUMN_OF.get(each.column, each.column)], each.before, each.after) for each in row.changes
        ],
        "problems": [(COLUMNS[each.column], _problem_words(each), each.value) for each in row.problems],
    }


def _problem_words(problem: importing.Problem) -> str:
    if problem.code.startswith("amount_"):
        return amount_words(problem.code.removeprefix("amount_"), problem.currency)
    return str(PROBLEMS[problem.code]).format(value=problem.value)
