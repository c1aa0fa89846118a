"""A list as a CSV file that equals its screen: the same rows in the same order, a batch in memory at a time."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from merchant_platform.kernel import tenancy
from security.authentication.step_up import Binding
from security.web.desk import Desk

# A spreadsheet takes a text that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# So that a spreadsheet reads Chinese.
_BOM = "\ufeff"


def binds(request: HttpRequest, desk: Desk) -> Binding:
    """What a step-up before the file is for: a file that names customers is personal data."""
    return Binding(object_id=request.path, what=str(_("Export CSV")), is_required=desk.may("customer.view"))


class _Line:
    """What csv.writer writes to: gives the line back."""

    def write(self, line: str) -> str:
        return line


def text(value: Any) -> str:
    """A text that no spreadsheet runs: one that looks like a formula gets an apostrophe before it."""
    shown = str(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A time in the merchant's zone, as a spreadsheet reads it."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def stream(
    *,
    name: str,
    book_id: UUID,
    titles: Sequence[Any],
    batch: Callable[[UUID | None], tuple[Iterable[Sequence[str]], UUID | None]],
) -> StreamingHttpResponse:
    """The file. `batch` gives the rows after a cursor and the next cursor; each is a unit of work of its own."""
    response = StreamingHttpResponse(
        _lines(book_id, [str(title) for title in titles], batch, translation.get_language() or "en"),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def _lines(
    book_id: UUID,
    titles: Sequence[str],
    batch: Callable[[UUID | None], tuple[Iterable[Sequence[str]], UUID | None]],
    language: str,
) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield _BOM + writer.writerow(titles)
    cursor: UUID | None = None
    while True:
        # The file leaves when the request is over: its language has to be said again.
        with translation.override(language), tenancy.within(book_id):
            rows, cursor = batch(cursor)
            shown = "".join(writer.writerow(row) for row in rows)
        yield shown
        if cursor is None:
            return
