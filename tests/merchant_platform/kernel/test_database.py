"""Provisioning, on the very server of the test run: roles and databases that are there stay as they are."""

from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from django.conf import settings

from merchant_platform.kernel.database import ProvisioningFailed, Role, provision, role_of
from tests.architecture.asking import APP, PLATFORM, as_owner
from tests.cast import wait_until

pytestmark = pytest.mark.django_db

DATABASE = "test_provisioned"


def at(url: str, *, user: str | None = None, password: str = "secret", database: str = DATABASE) -> str:
    parts = urlsplit(url)
    netloc = parts.netloc if user is None else f"{user}:{password}@{parts.netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{database}"))


def can_connect(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


@pytest.fixture
def fresh(django_db_setup):
    """A database and two roles that are not there before the test nor after it."""

    def remove() -> None:
        # A connection that was closed ends a moment later, and only its own role may hurry it.
        wait_until(lambda: not as_owner("SELECT 1 FROM pg_stat_activity WHERE datname = %s", [DATABASE]))
        as_owner(f"DROP DATABASE IF EXISTS {DATABASE}")
        for role in ("test_app", "test_platform"):
            as_owner(f"DROP ROLE IF EXISTS {role}")

    remove()
    yield {
        "owner_url": at(settings.OWNER_URL),
        "app_url": at(settings.OWNER_URL, user="test_app"),
        "platform_url": at(settings.OWNER_URL, user="test_platform"),
    }
    remove()


class TestRoleOf:
    def test_reads_the_name_and_the_password_of_an_address(self):
        assert role_of("postgres://merchant%40app:p%2Fw@db:5432/x") == Role("merchant@app", "p/w")
        assert role_of("postgres://db/x") == Role("", "")


class TestProvision:
    def test_makes_the_database_and_both_roles(self, fresh):
        provision(**fresh)

        assert can_connect(fresh["app_url"])
        assert can_connect(fresh["platform_url"])
        assert as_owner("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = %s", [DATABASE]) == [
            ("UTF8",)
        ]

    def test_gives_the_roles_no_power_and_bounds_their_waiting(self, fresh):
        provision(**fresh)

        roles = as_owner(
            "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb, rolconfig FROM pg_roles"
            " WHERE rolname IN ('test_app', 'test_platform') ORDER BY rolname"
        )
        assert roles == [
            ("test_app", False, ["lock_timeout=5s", "statement_timeout=30s"]),
            ("test_platform", False, ["lock_timeout=5s"]),
        ]

    def test_may_be_repeated_and_sets_a_changed_password(self, fresh):
        provision(**fresh)
        with closing(psycopg2.connect(fresh["owner_url"])) as connection, connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept AS SELECT 1 AS number")
        renewed = at(settings.OWNER_URL, user="test_app", password="other")

        provision(**(fresh | {"app_url": renewed}))

        assert can_connect(renewed)
        assert not can_connect(fresh["app_url"])
        with closing(psycopg2.connect(fresh["owner_url"])) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT number FROM kept")
            assert cursor.fetchall() == [(1,)]

    def test_tells_an_administrator_what_an_owner_without_rights_needs(self, fresh):
        provision(**fresh)

        with pytest.raises(ProvisioningFailed, match="CREATEROLE and CREATEDB") as refused:
            provision(
                owner_url=fresh["app_url"],
                app_url=at(settings.OWNER_URL, user="test_platform"),
                platform_url=fresh["platform_url"],
            )

        assert "secret" not in str(refused.value)

    def test_tells_that_nobody_answers_and_repeats_no_password(self):
        with pytest.raises(ProvisioningFailed, match="did not accept the connection") as refused:
            provision(
                owner_url="postgres://owner:swordfish@127.0.0.1:1/x",
                app_url="postgres://a:b@127.0.0.1:1/x",
                platform_url="postgres://c:d@127.0.0.1:1/x",
            )

        assert "swordfish" not in str(refused.value)

    def test_bounded_the_waiting_of_the_roles_that_the_tests_use(self):
        assert dict(
            as_owner("SELECT rolname, rolconfig FROM pg_roles WHERE rolname = ANY (%s)", [[APP, PLATFORM]])
        ) == {
            APP: ["lock_timeout=5s", "statement_timeout=30s"],
            PLATFORM: ["lock_timeout=5s"],
        }
