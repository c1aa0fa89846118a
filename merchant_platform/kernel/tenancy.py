"""Tenancy: the one way to open a unit of work in a book.

A book is one merchant in one mode. Every tenant row carries its `book_id`; row-level
security shows the app role only the rows of the book that the transaction was opened
for (`app.book`). No session state is used, so a pooler in transaction mode works.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connections, transaction

_open: ContextVar[tuple[str, UUID] | None] = ContextVar("open_book", default=None)


class AcrossBooks(RuntimeError):
    """A unit of work in one book tried to open another. Finish the first."""


class NoBook(RuntimeError):
    """The operation needs an open unit of work and there is none."""


@contextmanager
def within(book_id: UUID, *, using: str = "default") -> Iterator[None]:
    """Open a unit of work in a book: one transaction, its rows alone visible. Reads too.

    Nested in the same book it joins (a savepoint). Raises AcrossBooks in another's.
    """
    outer = _open.get()
    if outer is not None and outer != (using, book_id):
        raise AcrossBooks(f"a unit of work is open in book {outer[1]}")
    with transaction.atomic(using=using):
        if outer is None:
            _set(using, str(book_id))
        token = _open.set((using, book_id))
        try:
            yield
        finally:
            _open.reset(token)
        if outer is None and not connections[using].needs_rollback and len(connections[using].atomic_blocks) > 1:
            # Only a test wraps a unit of work in a transaction of its own: what would have
            # ended with the commit must not leak into the next one. A rollback takes it along.
            _set(using, "")


def book_id() -> UUID:
    """The book of the open unit of work. Raises NoBook where there is none."""
    current = _open.get()
    if current is None:
        raise NoBook("open the unit of work with tenancy.within(book_id)")
    return current[1]


def _set(using: str, value: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config('app.book', %s, true)", [value])
