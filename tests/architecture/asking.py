"""Questions that the architecture tests put to the database and to the sources."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connections
from django.db.models import Model

from merchant_platform.kernel.tables import app_role, platform_role

ROOT = Path(__file__).parents[2]
APPS = ("merchant_platform", "security", "payments", "members", "analytics")
APP, PLATFORM = app_role(), platform_role()


def ask(alias: str, statement: str, parameters: Any = None) -> list[tuple]:
    """The rows of a statement, run by the role behind an alias."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def as_owner(statement: str, parameters: Any = None) -> list[tuple]:
    """The same by the owner, committed at once and apart from the test's own transaction: rows that others then see."""
    with _owner().cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def code_of(error: BaseException) -> str:
    """The SQLSTATE behind one of Django's database errors."""
    return str(getattr(error.__cause__, "pgcode", None))


def is_ours(model: type[Model]) -> bool:
    return model.__module__.partition(".")[0] in APPS


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Every Python file under folders, by its path from the root; migrations and tests left out."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), _parsed(path)


def dotted(node: ast.AST) -> str:
    """`datetime.now` of an attribute or name, empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""


@cache
def _owner():
    connection = psycopg2.connect(settings.OWNER_URL)
    connection.autocommit = True
    return connection


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))
