"""Lists and searches: newest first, stable, by cursor.

An id carries its row's creation time, so ordering by id alone is ordering by creation,
a cursor is an id, and a range of creation times is a range of ids. One index, the key
(book, id), serves them all.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from merchant_platform.kernel import clock, ids
from merchant_platform.kernel.api.params import Created, InvalidParameter, ListParams

Row = TypeVar("Row", bound=Model)
_UNIX_MAX = 253_402_300_799  # the last second of the year 9999


def page(
    rows: "QuerySet[Row]",
    params: ListParams,
    *,
    prefix: str,
    url: str,
    render: Callable[[Sequence[Row]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """One page of a list object. Raises InvalidParameter for a cursor that is no id or names no row of this book."""
    if params.starting_after and params.ending_before:
        raise InvalidParameter(
            "You may only specify one of these parameters: starting_after, ending_before.", code="parameters_exclusive"
        )
    rows = created_within(rows, params.created)
    if params.ending_before:
        cursor = _cursor(rows, params.ending_before, prefix, "ending_before")
        found = list(rows.filter(pk__gt=cursor).order_by("pk")[: params.limit + 1])
        has_more = len(found) > params.limit
        found = found[: params.limit][::-1]
    else:
        if params.starting_after:
            rows = rows.filter(pk__lt=_cursor(rows, params.starting_after, prefix, "starting_after"))
        found = list(rows.order_by("-pk")[: params.limit + 1])
        has_more = len(found) > params.limit
        found = found[: params.limit]
    return {"object": "list", "data": render(found), "has_more": has_more, "url": url}


def created_within(rows: "QuerySet[Row]", created: Created | None) -> "QuerySet[Row]":
    """The rows made in a range of Unix seconds, as a range of ids."""
    if created is None:
        return rows
    if created.gte is not None:
        rows = rows.filter(pk__gte=_bound(created.gte))
    if created.gt is not None:
        rows = rows.filter(pk__gte=_bound(created.gt + 1))
    if created.lt is not None:
        rows = rows.filter(pk__lt=_bound(created.lt))
    if created.lte is not None:
        rows = rows.filter(pk__lt=_bound(created.lte + 1))
    return rows


def identifier(prefix: str, text: str, *, param: str) -> UUID:
    """The id in a parameter. Raises InvalidParameter (`resource_missing`) for what cannot be one."""
    try:
        return ids.parse(prefix, text)
    except ids.MalformedId as error:
        raise InvalidParameter(
            f"No such {ids.kind(prefix)}: '{text[:100]}'", code="resource_missing", param=param
        ) from error


def _cursor(rows: QuerySet, text: str, prefix: str, param: str) -> UUID:
    cursor = identifier(prefix, text, param=param)
    if not rows.model._default_manager.filter(pk=cursor).exists():
        raise InvalidParameter(f"No such {ids.kind(prefix)}: '{text}'", code="resource_missing", param=param)
    return cursor


def moment(seconds: int) -> datetime:
    """The time of any number of Unix seconds: before 1970 and after the year 9999 there is nothing."""
    return clock.from_unix(min(max(seconds, 0), _UNIX_MAX))


def _bound(seconds: int) -> UUID:
    return ids.first_at(moment(seconds))
