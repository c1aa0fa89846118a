"""Sheets that people take away: CSV that streams, and that no spreadsheet program executes."""

from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

from merchant_platform.kernel import cells


def stream(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """A CSV file as an answer that is written while it is read."""
    response = StreamingHttpResponse(_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield cells.BYTE_ORDER_MARK + cells.line(header)
    for row in rows:
        yield cells.line(row)
