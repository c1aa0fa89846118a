"""Pages of a filtered list that read a bounded number of rows, however long the history is.

What leads is walked by an index, newest first, by the id that the list is ordered by.
Without further conditions a page of it is the page. With some, which no index can serve
together, a window of its newest rows is looked through: a page may then come out short,
says how far back it looked, and the next one goes on from there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connections
from django.db.models import F, Model, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThanOrEqual, TupleLessThanOrEqual

from merchant_platform.kernel import ids, tenancy

# How many rows a page looks through where no index serves its filters, and how far a tab counts.
WINDOW, COUNT_MAX = 4_000, 1_000

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of creation times, half-open, as the ids that carry them."""

    since: datetime | None = None
    until: datetime | None = None

    def condition(self, column: str) -> Q:
        condition = Q()
        if self.since is not None:
            condition &= Q(**{f"{column}__gte": ids.first_at(self.since)})
        if self.until is not None:
            condition &= Q(**{f"{column}__lt": ids.first_at(self.until)})
        return condition


EVER = Span()


@dataclass(frozen=True, slots=True)
class Lead:
    """What an index walks in order: one or several sets of rows, and the column with the list's id.

    A lead of few among the list's rows `is_narrow`: its ids are read first, by its own
    index, and then named. Asked for the rows themselves in the list's order, the planner
    may walk all of the book's until it has found enough of them.
    """

    sets: Sequence["QuerySet[Any]"]
    column: str = "pk"
    is_narrow: bool = True

    def within(self, span: Span) -> "Lead":
        return replace(self, sets=[rows.filter(span.condition(self.column)) for rows in self.sets])

    def beyond(self, cursor: UUID | None, *, newer: bool) -> "Lead":
        if cursor is None:
            return self
        lookup = f"{self.column}__gt" if newer else f"{self.column}__lt"
        return replace(self, sets=[rows.filter(**{lookup: cursor}) for rows in self.sets])

    def ids(self, count: int, *, newer: bool = False) -> list[UUID]:
        """The ids of its newest rows (its oldest, where one pages towards the newer), up to `count`; one statement."""
        found = {row[self.column] for row in self.first(count, newer=newer)}
        return sorted(found, reverse=not newer)[:count]

    def first(self, count: int, *, newer: bool = False) -> "QuerySet[Any]":
        """The same to be asked for within a question, each set up to `count`."""
        order = self.column if newer else f"-{self.column}"
        parts = [rows.order_by(order).values(self.column).distinct()[:count] for rows in self.sets]
        return parts[0] if len(parts) == 1 else parts[0].union(*parts[1:], all=True)

    def at(self, place: int, *, newer: bool) -> UUID | None:
        """The id in a place of its order, counted from 0: where a window ends."""
        (rows,) = self.sets
        order = self.column if newer else f"-{self.column}"
        return rows.order_by(order).values_list(self.column, flat=True)[place : place + 1].first()


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, newest first, and where the pages beside it begin."""

    rows: list[Row]
    # Older rows stand after this id, newer ones before it.
    older: UUID | None = None
    newer: UUID | None = None
    # The page is short because the window was through; older rows were not looked at.
    looked_back_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows each tab has; those in `capped` have at least so many."""

    by_tab: dict[str, int] = field(default_factory=dict)
    capped: frozenset[str] = frozenset()


def page(
    rows: "QuerySet[Row]",
    lead: Lead,
    condition: Q,
    *,
    after: UUID | None = None,
    before: UUID | None = None,
    limit: int,
) -> Page[Row]:
    """One page: the rows after a cursor (older), before one (newer), or the newest.

    `condition` is what the lead does not say already. At most WINDOW rows of each set of
    the lead are looked through.
    """
    is_newer = before is not None
    lead = lead.beyond(before if is_newer else after, newer=is_newer)
    chosen, end = (
        in_window(rows, lead, condition, newer=is_newer)
        if condition
        else (_led(rows, lead, limit + 1, newer=is_newer), None)
    )
    found = list(chosen.order_by("pk" if is_newer else "-pk")[: limit + 1])
    has_more = len(found) > limit
    found = found[:limit]
    if has_more:
        end = None
    on = found[-1].pk if has_more else end
    if is_newer:
        found.reverse()
        return Page(found, older=_beside(found, -1, before), newer=on)
    return Page(
        found,
        older=on,
        newer=_beside(found, 0, after) if after is not None else None,
        looked_back_to=ids.made_at(end) if end is not None else None,
    )


def in_window(
    rows: "QuerySet[Row]", lead: Lead, condition: Q, *, newer: bool = False
) -> tuple["QuerySet[Row]", UUID | None]:
    """The rows of a window that fit a condition, and where the window ends; None where it holds all that there is.

    What the window holds is asked first and then said: so a range of the index is read, or
    the rows named, whatever else the book holds.
    """
    if lead.is_narrow:
        named = lead.ids(WINDOW, newer=newer)
        return rows.filter(condition, pk__in=named), named[-1] if len(named) == WINDOW else None
    end = lead.at(WINDOW - 1, newer=newer)
    found = (rows & lead.sets[0]).filter(condition)
    if end is not None:
        # Book and id as one value: by the id alone the rows of other books would be read too. The id alone besides:
        # of the pair the planner cannot tell how few rows it leaves.
        key, bound = Tuple(F("book_id"), F("pk")), (tenancy.book_id(), end)
        found = found.filter(TupleLessThanOrEqual(key, bound) if newer else TupleGreaterThanOrEqual(key, bound))
        found = found.filter(pk__lte=end) if newer else found.filter(pk__gte=end)
    return found, end


def _led(rows: "QuerySet[Row]", lead: Lead, count: int, *, newer: bool) -> "QuerySet[Row]":
    """The first rows that a lead leads to."""
    return rows.filter(pk__in=lead.ids(count, newer=newer)) if lead.is_narrow else rows & lead.sets[0]


def every(read: Callable[[UUID | None], Page[Row]]) -> Iterator[list[Row]]:
    """All pages of a list, one after the other: an export holds one of them at a time."""
    cursor: UUID | None = None
    while True:
        found = read(cursor)
        yield found.rows
        if found.older is None:
            return
        cursor = found.older


def count(querysets: Sequence["QuerySet[Any]"]) -> list[int]:
    """How many rows each ordered set has, counted up to one more than COUNT_MAX: one statement."""
    parts: list[str] = []
    parameters: list[Any] = []
    for rows in querysets:
        sql, values = rows.values("pk")[: COUNT_MAX + 1].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS counted)")
        parameters.extend(values)
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        return list(cursor.fetchone())


def _beside(found: Sequence[Model], place: int, cursor: UUID | None) -> UUID | None:
    return found[place].pk if found else cursor
