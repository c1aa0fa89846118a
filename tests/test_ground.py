"""The ground the tests stand on: the right role, the right database, and nothing left by the test before."""

import pytest
from django.db import connections

from tests import database, needs


def ask(alias: str, statement: str) -> list:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


class TestDatabase:
    @pytest.mark.django_db(databases=["default", "owner", "platform"])
    @pytest.mark.parametrize(
        ("alias", "role"),
        [("default", "merchant_app"), ("owner", "merchant_owner"), ("platform", "merchant_platform")],
    )
    def test_gives_each_alias_its_role(self, alias, role):
        assert ask(alias, "SELECT current_user, left(current_database(), 5)") == [(role, "test_")]

    @pytest.mark.django_db(transaction=True)
    def test_is_emptied_of_what_a_test_wrote_and_of_nothing_else(self):
        ask("default", "INSERT INTO django_session VALUES ('key', 'data', now()) RETURNING 1")
        kept = "SELECT (SELECT count(*) FROM django_migrations), (SELECT count(*) FROM django_content_type)"
        before = ask("default", kept)

        database.empty()

        assert ask("default", "SELECT count(*) FROM django_session") == [(0,)]
        assert ask("default", kept) == before

    def test_refuses_a_database_that_is_not_for_tests(self, monkeypatch):
        monkeypatch.setitem(connections["platform"].settings_dict, "NAME", "merchant")

        with pytest.raises(RuntimeError, match="platform is merchant"):
            database.prepare()


class TestNeeds:
    def test_lets_a_developer_go_on_without(self, monkeypatch):
        monkeypatch.delenv("CI", raising=False)

        with pytest.raises(pytest.skip.Exception, match="not run: no-such-program is not installed"):
            needs.program("no-such-program", package="nothing")

    def test_fails_where_everything_must_run(self, monkeypatch):
        monkeypatch.setenv("CI", "true")

        with pytest.raises(pytest.fail.Exception, match="not run: no-such-program is not installed"):
            needs.program("no-such-program", package="nothing")
