"""Lists of the dashboard: a page of rows at a time, by a cursor in the address, newest first or in a column's order.

Only the page's rows are read, whatever stands before and behind it: the cursor is a row's
public id, and every comparison is one that an index answers under row security.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, Model, QuerySet
from django.db.models.fields.tuple_lookups import TupleGreaterThan, TupleLessThan
from django.http import HttpRequest

from merchant_platform.kernel import ids
from security.web.parts import Ways

SIZE = 25
AFTER, BEFORE = "after", "before"
# A tab counts no further: what it says beyond is "more".
COUNTED_MAX = 999
# How many rows of an export are in memory at a time.
BATCH = 500

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: list[Row]
    ways: Ways


def page(
    rows: "QuerySet[Row]", request: HttpRequest, *, prefix: str, column: str | None = None, size: int = SIZE
) -> Page[Row]:
    """The page that the address names: newest first, or in the order of a column.

    A cursor that names no row of this book is the first page.
    """
    after = _cursor(rows, request.GET.get(AFTER, ""), prefix, column)
    before = _cursor(rows, request.GET.get(BEFORE, ""), prefix, column) if after is None else None
    found = list(_ordered(rows, column, after=after, before=before)[: size + 1])
    has_more = len(found) > size
    found = found[:size]
    if before is not None:
        found.reverse()
    older = has_more if before is None else True
    newer = after is not None if before is None else has_more
    return Page(
        found,
        Ways(
            newer=_way(request, BEFORE, prefix, found[0]) if newer and found else "",
            older=_way(request, AFTER, prefix, found[-1]) if older and found else "",
        ),
    )


def batches(rows: "QuerySet[Row]", *, column: str | None = None) -> Iterator[list[Row]]:
    """All rows, a batch at a time, in the same order as the pages. The caller opens the units of work."""
    after = None
    while found := list(_ordered(rows, column, after=after, before=None)[:BATCH]):
        yield found
        after = _place(found[-1], column)


def counted(rows: QuerySet[Any]) -> str:
    """How many rows there are, up to a number beyond which nobody counts."""
    count = rows.order_by()[: COUNTED_MAX + 1].count()
    return f"{COUNTED_MAX}+" if count > COUNTED_MAX else str(count)


def query(request: HttpRequest, **change: str | None) -> str:
    """The address of the same list with other parameters, from its first page; None takes one away."""
    kept = {name: value for name, value in request.GET.items() if name not in (AFTER, BEFORE) and value}
    given = {name: value for name, value in {**kept, **change}.items() if value}
    return f"{request.path}?{urlencode(given)}" if given else request.path


def _ordered(
    rows: "QuerySet[Row]", column: str | None, *, after: tuple[Any, ...] | None, before: tuple[Any, ...] | None
) -> "QuerySet[Row]":
    if column is None:
        if after is not None:
            rows = rows.filter(pk__lt=after[0])
        if before is not None:
            return rows.filter(pk__gt=before[0]).order_by("pk")
        return rows.order_by("-pk")
    place = (F(column), F("pk"))
    if after is not None:
        rows = rows.filter(TupleGreaterThan(place, after))
    if before is not None:
        return rows.filter(TupleLessThan(place, before)).order_by(f"-{column}", "-pk")
    return rows.order_by(column, "pk")


def _cursor(rows: QuerySet[Any], text: str, prefix: str, column: str | None) -> tuple[Any, ...] | None:
    try:
        identifier = ids.parse(prefix, text)
    except ids.MalformedId:
        return None
    if column is None:
        return (identifier,)
    return rows.model._default_manager.filter(pk=identifier).values_list(column, "pk").first()


def _place(row: Model, column: str | None) -> tuple[Any, ...]:
    return (row.pk,) if column is None else (attrgetter(column.replace("__", "."))(row), row.pk)


def _way(request: HttpRequest, name: str, prefix: str, row: Model) -> str:
    identifier: UUID = row.pk
    return query(request, **{name: ids.show(prefix, identifier)})


def chosen(request: HttpRequest, name: str, among: Mapping[str, Any], default: str) -> str:
    """A parameter of the address that is one of some words, else the default."""
    given = request.GET.get(name, "")
    return given if given in among else default
