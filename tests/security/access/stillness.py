"""Whether anything was written: asked after every refusal, so it must cost next to nothing.

What is tried runs in a transaction that is taken back, so that whoever is let in changes
nothing for those who come next. A refusal that wrote something there is tried once more for
good, and then the database itself is looked at.

Every transaction that writes takes a number, and the next number to be given out is known to
all. Where it has not moved, nobody wrote anything. Where it has, it may have been somebody else
(a server in the background, another test), so all rows of all tables are compared.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import connection, transaction

from merchant_platform.tables import FRAMEWORK, PLATFORM, TENANT
from tests.architecture.asking import as_owner

# A session notes who came, a line of the request log what was asked.
NOT_COUNTED = frozenset({"django_session", "usersessions_usersession", "kernel_loggedrequest"})


class Stillness:
    """What the database held when this was made."""

    def __init__(self) -> None:
        self._number, self._rows = next_number(), rows()

    def is_kept(self) -> bool:
        """Whether it still holds exactly that."""
        number = next_number()
        if number == self._number:
            return True
        is_kept = rows() == self._rows
        self._number = number
        return is_kept

    def changed(self) -> list[str]:
        """The tables that changed."""
        return sorted(name for name, was in rows().items() if was != self._rows.get(name))


def taken_back(act: Callable[[], Any]) -> tuple[Any, bool]:
    """Do something and take it back: what it answered, and whether it wrote anything meanwhile."""
    with transaction.atomic():
        reply = act()
        has_written = connection.needs_rollback or _has_a_number()
        transaction.set_rollback(True)
    return reply, has_written


def _has_a_number() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        return cursor.fetchone()[0]


def next_number() -> str:
    """The number that the next writing transaction will get."""
    [(number,)] = as_owner("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
    return number


def rows() -> dict[str, tuple]:
    """For each table how many rows it has and a sum of their versions: one statement."""
    return {name: tuple(rest) for name, *rest in as_owner(_statement())}


@cache
def _statement() -> str:
    return " UNION ALL ".join(
        f"SELECT '{table}', count(*), sum(hashtext(xmin::text || ' ' || ctid::text)::bigint) FROM {table}"
        for table in sorted((TENANT | PLATFORM | FRAMEWORK) - NOT_COUNTED)
    )
