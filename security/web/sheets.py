"""Sheets that people take away: CSV that streams, and that no spreadsheet program executes."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from django.http import StreamingHttpResponse

from merchant_platform.kernel.cells import guarded

# By this mark Excel knows that a file is UTF-8.
_BYTE_ORDER_MARK = "\ufeff"


def stream(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """A CSV file as an answer that is written while it is read."""
    response = StreamingHttpResponse(_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _BYTE_ORDER_MARK + _line(header)
    for row in rows:
        yield _line([guarded(cell) for cell in row])


def _line(cells: Sequence[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
