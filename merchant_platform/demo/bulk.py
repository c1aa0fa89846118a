"""Many rows in one statement, as the app role: row-level security refuses COPY and allows INSERT … SELECT."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connections
from django.db.models import NOT_PROVIDED, Model
from psycopg2 import sql

from merchant_platform.kernel.wire import dump

Item = TypeVar("Item")


def insert(rows: Sequence[Model]) -> None:
    """Write unsaved rows of one table, in the open unit of work. This will send them as one JSON document.

    What all rows share is sent once, in a record that the others are filled up from. The
    database fills in what has a default there. Not for binary columns.
    """
    if not rows:
        return
    meta = rows[0]._meta
    names = [(field.column, field.attname) for field in meta.concrete_fields if field.db_default is NOT_PROVIDED]
    shared, own = _told_apart(names, [vars(row) for row in rows])
    columns = sql.SQL(", ").join(sql.Identifier(column) for column, _ in names)
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {columns}"
        " FROM json_populate_recordset(json_populate_record(NULL::{table}, %s::json), %s::json)"
    ).format(table=sql.Identifier(meta.db_table), columns=columns)
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, [dump(shared), dump(own)])


def _told_apart(
    names: Sequence[tuple[str, str]], rows: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The columns in which all rows agree, and each row's others."""
    first = rows[0]
    shared = {column: first[name] for column, name in names if all(row[name] == first[name] for row in rows)}
    differing = [(column, name) for column, name in names if column not in shared]
    return shared, [{column: row[name] for column, name in differing} for row in rows]


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items; the next one is worked out in a thread while the caller waits for the database."""
    source = iter(items)
    end = object()
    interval = sys.getswitchinterval()
    # The caller needs the interpreter back after each statement; by default a busy thread keeps it for 5 ms.
    sys.setswitchinterval(interval / 10)
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="demo") as thread:
            coming = thread.submit(next, source, end)
            while (item := coming.result()) is not end:
                coming = thread.submit(next, source, end)
                yield item  # type: ignore[misc]
    finally:
        sys.setswitchinterval(interval)
