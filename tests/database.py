"""The test database: made by the owner, used by the app role, emptied in two statements.

Django's own way does not fit: it creates and flushes as the role that the tests use, and
the app role may do neither.
"""

from functools import cache
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from psycopg2 import sql

from merchant_platform.kernel.database import provision

# A test may fill these; what Django itself keeps (migrations, content types, permissions) stays.
EMPTIED = ("kernel", "security", "payments", "members", "analytics")
EMPTIED_TABLES = (
    "account_emailaddress",
    "account_emailconfirmation",
    "django_admin_log",
    "django_session",
    "mfa_authenticator",
    "usersessions_usersession",
)
# Those that refer to others before those they refer to.
TABLES = """
    WITH RECURSIVE reference AS (
        SELECT DISTINCT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid
    ), deep (oid, depth) AS (
        SELECT oid, 0 FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND (split_part(relname, '_', 1) = ANY (%s) OR relname = ANY (%s))
        UNION
        SELECT confrelid, depth + 1 FROM deep JOIN reference ON conrelid = deep.oid WHERE depth < 20
    )
    SELECT format('%%I', relname) FROM deep JOIN pg_class USING (oid)
    WHERE split_part(relname, '_', 1) = ANY (%s) OR relname = ANY (%s)
    GROUP BY relname ORDER BY max(depth), relname
"""
# A table that has grown beyond this gets new files; most have a few rows, which are deleted in a fifth of that time.
TRUNCATED_BYTES = 1024 * 1024


def prepare() -> None:
    """This will make the test database anew, with its roles and tables, and teach Django to empty it."""
    for alias in connections:
        name = connections[alias].settings_dict["NAME"]
        if not name.startswith("test_"):
            raise RuntimeError(f"Tests run in a database whose name begins with test_, and {alias} is {name}.")
    _drop()
    provision(owner_url=settings.OWNER_URL, app_url=settings.APP_URL, platform_url=settings.PLATFORM_URL)
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    setattr(TransactionTestCase, "_fixture_teardown", lambda self: empty())  # noqa: B010 (mypy does not know it)


def empty() -> None:
    """This will delete every row that a test can have written, as the owner."""
    tables, looking = _tables()
    with _owner().cursor() as cursor:
        cursor.execute(looking)
        filled, are_large = cursor.fetchone()
        if not are_large:
            try:
                cursor.execute("; ".join(["SELECT", *(f"DELETE FROM {table}" for table in filled)]))
                return
            except psycopg2.IntegrityError:
                pass  # somebody else is still writing: what follows waits for them
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")


@cache
def _tables() -> tuple[list[str], str]:
    """All tables that are emptied, and the question which of them have rows and whether one has grown large."""
    with _owner().cursor() as cursor:
        cursor.execute(TABLES, [list(EMPTIED), list(EMPTIED_TABLES)] * 2)
        tables = [name for (name,) in cursor.fetchall()]
        filled = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in tables)
        sizes = ", ".join(f"pg_relation_size('{table}')" for table in tables)
        # Planned once.
        cursor.execute(
            f"PREPARE looking AS SELECT array_remove(ARRAY[{filled}], NULL), greatest({sizes}) > {TRUNCATED_BYTES}"
        )
    return tables, "EXECUTE looking"


@cache
def _owner():
    """A connection apart from Django's, which a test that does not name the alias `owner` may not use."""
    connection = psycopg2.connect(settings.OWNER_URL)
    connection.autocommit = True
    with connection.cursor() as cursor:
        # A test that left a transaction open would hold this up for ever.
        cursor.execute("SET lock_timeout = '20s'")
    return connection


def _drop() -> None:
    address = urlsplit(settings.OWNER_URL)
    connection = psycopg2.connect(urlunsplit(address._replace(path="/postgres")))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            name = sql.Identifier(unquote(address.path.lstrip("/")))
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
    finally:
        connection.close()
