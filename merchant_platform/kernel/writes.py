"""Several rows of one act, in one statement: one trip to the database instead of one a row.

    with writing(into) as writes:
        writes.insert(order, line)
        writes.update(intent, where={"status": "processing"}, status="succeeded")

The statement is a chain of WITH clauses. The database checks constraints and references
when all of it is written, and it reads as things were before; so a row may not be both
inserted and updated in it: a row that waits to be inserted is changed by its attributes,
and its values are taken when the statement is sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import IntegrityError, connections, models
from django.db.models.expressions import DatabaseDefault

from merchant_platform.kernel.errors import Conflict, PlatformError

_Statement = tuple[str, list[Any]]


class Writes:
    """What is to be written. Nothing is, until `send`."""

    def __init__(self) -> None:
        self._inserts: list[models.Model] = []
        self._updates: list[_Update] = []
        self._statements: list[_Statement] = []
        self._refusals: dict[str, PlatformError] = {}

    def insert(self, *rows: models.Model, refusals: Mapping[str, PlatformError] | None = None) -> None:
        """Write new rows. `refusals` are what to raise, by the name of the constraint that a row would break."""
        self._inserts += rows
        self._refusals |= refusals or {}

    def update(self, row: models.Model, *, where: Mapping[str, Any], **values: Any) -> None:
        """Change a row whose columns still are as `where` says. `send` raises Conflict where they are not.

        Two changes of one row become one; a row that waits to be inserted is changed before it is.
        """
        if not self.holds(row):
            known = next((update for update in self._updates if update.row is row), None)
            if known is None:
                known = _Update(row)
                self._updates.append(known)
            known.where |= {name: value for name, value in where.items() if name not in known.values}
            known.values |= values
        for name, value in values.items():
            setattr(row, name, value)

    def add(self, statement: str, parameters: Sequence[Any]) -> int:
        """Any INSERT or UPDATE that ends in RETURNING. This will give its place in what `send` returns."""
        self._statements.append((statement, list(parameters)))
        return len(self._statements) - 1

    def holds(self, row: models.Model) -> bool:
        """Whether a row waits here to be inserted."""
        return any(waiting is row for waiting in self._inserts)

    def send(self) -> list[int]:
        """Write everything in one statement, in the open unit of work. This will return how many rows each `add` wrote.

        Raises Conflict where an update's row is not as it was, and what `refusals` name.
        What was sent is not sent again.
        """
        inserts, updates, added, refusals = self._inserts, self._updates, self._statements, self._refusals
        self._inserts, self._updates, self._statements, self._refusals = [], [], [], {}
        parts = [
            *added,
            *(_update(update) for update in updates),
            *(_insert(rows) for rows in _by_table(inserts)),
        ]
        if not parts:
            return []
        try:
            written = _send(parts)
        except IntegrityError as error:
            name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
            if name in refusals:
                raise refusals[name] from error
            raise
        for update, count in zip(updates, written[len(added) :], strict=False):
            if count != 1:
                what = update.row._meta.verbose_name
                raise Conflict(f"This {what} was changed by another request at the same time. Try again.")
        return written[: len(added)]


@contextmanager
def writing(into: Writes | None) -> Iterator[Writes]:
    """The caller's `into`, which the caller sends; without one, a new one that is sent at the end of the block."""
    if into is not None:
        yield into
        return
    writes = Writes()
    yield writes
    writes.send()


@dataclass(slots=True)
class _Update:
    row: models.Model
    where: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def _send(parts: Sequence[_Statement]) -> list[int]:
    with connections["default"].cursor() as cursor:
        if len(parts) == 1:
            cursor.execute(*parts[0])
            return [cursor.rowcount]
        names = [f"w{number}" for number in range(len(parts))]
        chain = ", ".join(f"{name} AS ({statement})" for name, (statement, _) in zip(names, parts, strict=True))
        counts = ", ".join(f"(SELECT count(*) FROM {name})" for name in names)
        cursor.execute(f"WITH {chain} SELECT {counts}", [value for _, values in parts for value in values])
        return list(cursor.fetchone())


def _by_table(rows: Sequence[models.Model]) -> list[list[models.Model]]:
    tables: dict[type[models.Model], list[models.Model]] = {}
    for row in rows:
        tables.setdefault(type(row), []).append(row)
    return list(tables.values())


def _insert(rows: Sequence[models.Model]) -> _Statement:
    connection, model = connections["default"], type(rows[0])
    lines: list[str] = []
    values: list[Any] = []
    for row in rows:
        places = []
        for column in _columns(model).values():
            value = row.__dict__[column.attname]
            if isinstance(value, DatabaseDefault):
                places.append("DEFAULT")
            else:
                places.append("%s")
                values.append(column.get_db_prep_save(value, connection=connection))
        lines.append(f"({', '.join(places)})")
        row._state.adding, row._state.db = False, connection.alias
    return f"{_into(model)} VALUES {', '.join(lines)} RETURNING 1", values


def _update(update: _Update) -> _Statement:
    row, connection = update.row, connections["default"]
    columns = _columns(type(row))

    def prepared(values: Mapping[str, Any]) -> list[Any]:
        return [columns[name].get_db_prep_save(value, connection=connection) for name, value in values.items()]

    key = row._meta.pk.attname
    changes = ", ".join(f'"{columns[name].column}" = %s' for name in update.values)
    conditions = {key: row.pk, **update.where}
    tests = " AND ".join(f'"{columns[name].column}" = %s' for name in conditions)
    statement = f'UPDATE "{row._meta.db_table}" SET {changes} WHERE {tests} RETURNING 1'
    return statement, prepared(update.values) + prepared(conditions)


@cache
def _columns(model: type[models.Model]) -> dict[str, models.Field]:
    """What a statement may write: all but what the database computes."""
    return {column.attname: column for column in model._meta.concrete_fields if not column.generated}


@cache
def _into(model: type[models.Model]) -> str:
    columns = ", ".join(f'"{column.column}"' for column in _columns(model).values())
    return f'INSERT INTO "{model._meta.db_table}" ({columns})'
