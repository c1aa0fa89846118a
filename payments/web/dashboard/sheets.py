"""A list as a CSV file that equals its screen: the same rows in the same order, a batch in memory at a time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, StreamingHttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from merchant_platform.kernel import cells, tenancy
from security.authentication.step_up import Binding
from security.web.desk import Desk


def binds(request: HttpRequest, desk: Desk) -> Binding:
    """What a step-up before the file is for: a file that names customers is personal data."""
    return Binding(object_id=request.path, what=str(_("Export CSV")), is_required=desk.may("customer.view"))


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A time in the merchant's zone, as a spreadsheet reads it."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def stream(
    *,
    name: str,
    book_id: UUID,
    titles: Sequence[Any],
    batch: Callable[[UUID | None], tuple[Iterable[Sequence[Any]], UUID | None]],
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
    batch: Callable[[UUID | None], tuple[Iterable[Sequence[Any]], UUID | None]],
    language: str,
) -> Iterator[str]:
    yield cells.BYTE_ORDER_MARK + cells.line(titles)
    cursor: UUID | None = None
    while True:
        # The file leaves when the request is over: its language has to be said again.
        with translation.override(language), tenancy.within(book_id):
            rows, cursor = batch(cursor)
            shown = "".join(cells.line(row) for row in rows)
        yield shown
        if cursor is None:
            return
