"""Liveness and readiness: what a load balancer and a supervisor are told."""

import pytest
import redis
from django.db import connections
from django.test import Client

from merchant_platform import health
from tests.architecture.asking import as_owner

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A58")]

NOWHERE = 1


@pytest.fixture
def no_database():
    """Nobody answers where the app's database should be."""
    connection = connections["default"]
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = NOWHERE
    yield
    connection.close()
    connection.settings_dict["PORT"] = port


def answer(path: str) -> tuple[int, dict]:
    response = Client().get(path)
    return response.status_code, response.json()


class TestHealthz:
    def test_says_that_the_process_answers(self):
        assert answer("/healthz") == (200, {"status": "ok"})

    def test_asks_nobody_else(self, no_database):
        assert answer("/healthz") == (200, {"status": "ok"})


class TestReadyz:
    def test_says_ready_where_everything_is_there(self, platform):
        assert answer("/readyz") == (200, {"status": "ready"})

    def test_names_a_database_that_does_not_answer(self, platform, no_database):
        assert answer("/readyz") == (
            503,
            {
                "status": "not ready",
                "database": "the database does not answer",
                "ledger": "the ledger cannot be read",
            },
        )

    def test_is_ready_again_when_the_database_is_back(self, platform):
        connection = connections["default"]
        port = connection.settings_dict["PORT"]
        connection.close()
        connection.settings_dict["PORT"] = NOWHERE
        away = answer("/readyz")[0]
        connection.settings_dict["PORT"] = port

        assert (away, answer("/readyz")[0]) == (503, 200)

    def test_names_migrations_that_were_not_run(self, platform, monkeypatch):
        known = health._expected_migrations()
        monkeypatch.setattr(health, "_expected_migrations", lambda: known | {("payments", "9999_tomorrow")})

        assert answer("/readyz") == (
            503,
            {"status": "not ready", "database": "migrations are missing: manage.py migrate --database owner"},
        )

    def test_does_not_mind_migrations_of_a_newer_release(self, platform, monkeypatch):
        """The new release migrates first, while the old one still serves."""
        known = health._expected_migrations()
        monkeypatch.setattr(health, "_expected_migrations", lambda: frozenset(sorted(known)[1:]))

        assert answer("/readyz")[0] == 200

    def test_names_a_ledger_of_another_cluster(self, platform):
        as_owner("UPDATE payments_cluster SET system_identifier = system_identifier + 1")

        assert answer("/readyz") == (
            503,
            {
                "status": "not ready",
                "ledger": "the ledger was restored into another cluster: manage.py ledger rebase",
            },
        )

    def test_names_a_valkey_that_does_not_answer(self, platform, monkeypatch):
        nowhere = redis.Redis.from_url(f"redis://127.0.0.1:{NOWHERE}/0")
        monkeypatch.setattr(health, "_server", lambda: nowhere)

        assert answer("/readyz") == (503, {"status": "not ready", "valkey": "Valkey does not answer"})
