"""Tenancy: the one way to open a unit of work in a book.

A book is one merchant in one mode. Every tenant row carries its `book_id`; row-level
security shows the app role only the rows of the book that the transaction was opened
for (`app.book`). No session state is used, so a pooler in transaction mode works.

The book is named in the same trip as the first statement of the unit of work.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import connections, transaction

_open: ContextVar[tuple[str, UUID] | None] = ContextVar("open_book", default=None)


class AcrossBooks(RuntimeError):
    """A unit of work in one book tried to open another. Finish the first."""


class NoBook(RuntimeError):
    """The operation needs an open unit of work and there is none."""


@contextmanager
def within(book_id: UUID, *, using: str = "default", snapshot: bool = False) -> Iterator[None]:
    """Open a unit of work in a book: one transaction, its rows alone visible. Reads too.

    Nested in the same book it joins (a savepoint). With `snapshot` all of its statements see
    one moment, and it only reads. Raises AcrossBooks in another's.
    """
    outer = _open.get()
    if outer is not None and outer != (using, book_id):
        raise AcrossBooks(f"a unit of work is open in book {outer[1]}")
    assert not (snapshot and outer), "a snapshot begins with its transaction"
    with transaction.atomic(using=using):
        if snapshot:
            with connections[using].cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        naming = _Naming(using, book_id) if outer is None else None
        token = _open.set((using, book_id))
        try:
            yield
        finally:
            _open.reset(token)
            if naming is not None:
                naming.end()
        if outer is None and not connections[using].needs_rollback and len(connections[using].atomic_blocks) > 1:
            # Only a test wraps a unit of work in a transaction of its own: what would have
            # ended with the commit must not leak into the next one. A rollback takes it along.
            with connections[using].cursor() as cursor:
                cursor.execute("SELECT set_config('app.book', '', true)")


def book_id() -> UUID:
    """The book of the open unit of work. Raises NoBook where there is none."""
    current = _open.get()
    if current is None:
        raise NoBook("open the unit of work with tenancy.within(book_id)")
    return current[1]


class _Naming:
    """Names the book to the database before the first statement of a unit of work, in the same trip."""

    def __init__(self, using: str, book_id: UUID) -> None:
        self._wrappers = connections[using].execute_wrappers
        # A UUID's text needs no quoting, and holds no per cent sign.
        self._statement = f"SELECT set_config('app.book', '{book_id}', true)"
        self._wrappers.append(self)

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        self.end()
        if many or not isinstance(sql, str):
            execute(self._statement, None, False, context)
            return execute(sql, params, many, context)
        return execute(f"{self._statement};{sql}", params, many, context)

    def end(self) -> None:
        """There is nothing left to name."""
        if self in self._wrappers:
            self._wrappers.remove(self)
