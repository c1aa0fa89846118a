"""Arrays for the database as one literal: `{1,2,NULL}`.

Given a list, psycopg2 writes a constructor with a cast an element, which the server parses
one expression after the other: of a thousand entries, that took as long as writing them.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID


def literal(values: Iterable[UUID | datetime | int | None]) -> str:
    """The values of an array whose type the statement names; none of them can hold a character that means something."""
    return "{" + ",".join(map(_text, values)) + "}"


def _text(value: UUID | datetime | int | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, UUID):
        return value.hex
    return value.isoformat() if isinstance(value, datetime) else str(value)
