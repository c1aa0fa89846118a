"""Facts are never changed: the grants say so, and behind them a trigger that no grant switches off."""

import pytest
from django.db import DatabaseError, connections, transaction
from psycopg2 import errorcodes

from merchant_platform.tables import APPEND_ONLY
from tests.architecture.asking import APP, PLATFORM, ask, code_of
from tests.architecture.world import columns

pytestmark = pytest.mark.django_db(databases=["default", "owner", "platform"])

TABLES = sorted(APPEND_ONLY)


def change(verb: str, table: str) -> str:
    column = columns(table)[0].name
    return {
        "UPDATE": f"UPDATE {table} SET {column} = {column}",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[verb]


def refusal(alias: str, statement: str) -> tuple[str | None, str]:
    """The SQLSTATE and the sentence with which the database refuses a statement."""
    with pytest.raises(DatabaseError) as refused, transaction.atomic(using=alias):
        connections[alias].cursor().execute(statement)
    return code_of(refused.value), str(refused.value).splitlines()[0]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
class TestFirstWall:
    @pytest.mark.parametrize("alias", ["default", "platform"])
    def test_is_the_grant(self, alias, verb, table):
        assert refusal(alias, change(verb, table)) == (
            errorcodes.INSUFFICIENT_PRIVILEGE,
            f"permission denied for table {table}",
        )


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
class TestSecondWall:
    @pytest.mark.parametrize("role", [APP, PLATFORM])
    def test_is_the_trigger_where_somebody_granted_too_much(self, role, verb, table):
        # The owner grants and steps into the role; the test's transaction takes both back.
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"GRANT UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO {role}")
            cursor.execute(f"GRANT {role} TO CURRENT_USER")
            cursor.execute(f"SET LOCAL ROLE {role}")

        code, sentence = refusal("owner", change(verb, table))

        assert ask("owner", "SELECT current_user") == [(role,)]
        assert code == errorcodes.INSUFFICIENT_PRIVILEGE
        assert sentence.endswith(" is append-only")

    def test_lets_the_owner_through(self, verb, table):
        with connections["owner"].cursor() as cursor:
            cursor.execute(change(verb, table))

        assert ask("owner", "SELECT current_user <> ALL (ARRAY[%s, %s])", [APP, PLATFORM]) == [(True,)]
