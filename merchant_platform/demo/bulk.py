"""Many rows in one statement, as the app role: row-level security refuses COPY and allows INSERT … SELECT."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import orjson
from django.db import connections
from django.db.models import NOT_PROVIDED, Model
from django.db.models.base import ModelState
from psycopg2 import sql

Item = TypeVar("Item")


def insert(rows: Sequence[Model]) -> None:
    """Write unsaved rows of one table, in the open unit of work. This will send them as one JSON document.

    The database fills in what has a default there, and what it computes. Not for binary columns.
    """
    if not rows:
        return
    meta = rows[0]._meta
    # The document has all that a row remembers, under its columns' names; these are the columns that are taken of it.
    names = [field.column for field in meta.concrete_fields if field.db_default is NOT_PROVIDED and not field.generated]
    document = orjson.dumps([vars(row) for row in rows], default=_left_out)
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in names)
    table = sql.Identifier(meta.db_table)
    statement = sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json)"
    )
    with connections["default"].cursor() as cursor:
        cursor.execute(statement.format(table=table, columns=columns), [document.decode()])


def _left_out(value: object) -> None:
    """What Django remembers of a row beside its columns. Raises TypeError for anything else that JSON has not."""
    if not isinstance(value, ModelState):
        raise TypeError(f"no JSON of {type(value)}")


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
