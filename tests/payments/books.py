"""The books as a stranger to our code reads them: every row of every table, as the owner."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg2
from django.conf import settings

from payments import proof

Rows = dict[str, list[str]]


def assert_agree() -> None:
    """The whole books proof, over all books."""
    assert proof.prove() == []


def rows() -> Rows:
    """Every row of every table that a test can write, as JSON text."""
    found: Rows = {name: [] for name in tables()}
    asked = " UNION ALL ".join(f"SELECT '{name}', row_to_json(t)::text FROM {name} AS t" for name in tables())
    for name, text in run(asked):
        found[name].append(text)
    return {name: sorted(texts) for name, texts in found.items()}


@contextmanager
def unchanged() -> Iterator[None]:
    """What happens inside writes nothing at all, in no table."""
    before = rows()
    yield
    assert differing(before, rows()) == {}


def differing(before: Rows, after: Rows) -> dict[str, tuple[list[str], list[str]]]:
    """By table, what went and what came: a test shows these, not the thousand rows that stayed."""
    return {
        name: (sorted(set(before[name]) - set(after[name])), sorted(set(after[name]) - set(before[name])))
        for name in before
        if before[name] != after[name]
    }


def counts() -> dict[str, int]:
    """How many rows each table has; empty ones are left out."""
    asked = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables())
    return {name: count for name, count in run(asked) if count}


def added(before: Mapping[str, int]) -> dict[str, int]:
    """How many rows each table has more than before; what stayed as it was is left out."""
    now = counts()
    changes = {name: now.get(name, 0) - before.get(name, 0) for name in tables()}
    return {name: change for name, change in changes.items() if change}


@cache
def tables() -> list[str]:
    """The tables that a test can write: all but Django's own."""
    return [
        name
        for (name,) in run(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND split_part(relname, '_', 1) IN ('kernel', 'security', 'payments', 'members', 'analytics') ORDER BY 1"
        )
    ]


def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """One statement as the owner, whom no policy and no trigger stops, committed at once."""
    with _owner().cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


@cache
def _owner() -> Any:
    """A connection apart from Django's: it sees only what was committed."""
    connection = psycopg2.connect(settings.OWNER_URL)
    connection.autocommit = True
    return connection
