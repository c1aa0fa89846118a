"""The test database: made by the owner, used by the app role, emptied by one statement.

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
TABLES = """
    SELECT format('%%I', relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
      AND (split_part(relname, '_', 1) = ANY (%s) OR relname = ANY (%s))
    ORDER BY relname
"""


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
    """This will delete every row that a test can have written, as the owner, in one statement."""
    with _owner().cursor() as cursor:
        cursor.execute(TABLES, [list(EMPTIED), list(EMPTIED_TABLES)])
        tables = ", ".join(row[0] for row in cursor.fetchall())
        if tables:
            cursor.execute(f"TRUNCATE {tables} CASCADE")


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
