"""Provisioning: the roles and the database, nothing else (grants are the first migration).

Three roles: the owner owns every object and migrates; `app` owns nothing, cannot bypass
row-level security and serves requests and tasks; `platform` runs what crosses books.
"""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql


class ProvisioningFailed(Exception):
    """The database cannot be prepared with the given address; the text says what to do."""


@dataclass(frozen=True)
class Role:
    name: str
    password: str


def role_of(url: str) -> Role:
    """The role that a database address names."""
    parts = urlsplit(url)
    return Role(unquote(parts.username or ""), unquote(parts.password or ""))


def provision(*, owner_url: str, app_url: str, platform_url: str) -> None:
    """Make the database and the app and platform roles where they are missing. This will set the roles' passwords.

    The owner must exist; it needs CREATEROLE, and CREATEDB where the database is missing.
    Idempotent. Raises ProvisioningFailed, whose text is meant for a person.
    """
    owner, app, platform = role_of(owner_url), role_of(app_url), role_of(platform_url)
    name = unquote(urlsplit(owner_url).path.lstrip("/"))
    try:
        _create_database_if_missing(owner_url, name)
        connection = _connect(owner_url)
        try:
            with connection.cursor() as cursor:
                for role in (app, platform):
                    _make_role(cursor, role)
                    # Waiting for a row is bounded in the server, where no pooler can lose the setting.
                    _set(cursor, role, "lock_timeout", "5s")
                _set(cursor, app, "statement_timeout", "30s")
        finally:
            connection.close()
    except psycopg2.errors.InsufficientPrivilege as error:
        raise ProvisioningFailed(
            f"The role {owner.name} may not create roles or the database {name}. As an administrator give it "
            f"CREATEROLE and CREATEDB, or create the database and the roles {app.name} and {platform.name} yourself "
            f"and give their addresses in DATABASE_APP_URL and DATABASE_PLATFORM_URL. ({str(error).strip()})"
        ) from error
    except psycopg2.OperationalError as error:
        raise ProvisioningFailed(f"Postgres did not accept the connection: {str(error).strip()}") from error


def _create_database_if_missing(owner_url: str, name: str) -> None:
    connection = _connect(urlunsplit(urlsplit(owner_url)._replace(path="/postgres")))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone() is None:
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(name))
                )
    finally:
        connection.close()


def _connect(url: str):
    connection = psycopg2.connect(url, connect_timeout=10)
    connection.autocommit = True
    return connection


def _make_role(cursor, role: Role) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.name])
    verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
    cursor.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD %s").format(verb, sql.Identifier(role.name)), [role.password])


def _set(cursor, role: Role, setting: str, value: str) -> None:
    cursor.execute(
        sql.SQL("ALTER ROLE {} SET {} = %s").format(sql.Identifier(role.name), sql.Identifier(setting)), [value]
    )
