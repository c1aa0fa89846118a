import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext


def pytest_configure(config):
    """The cast and its like need Django's apps, which the root's own turn has loaded."""
    for module in (
        "cast",
        "payers",
        "acquirer",
        "contract.server",
        "payments.ledger.postings",
        "payments.webhooks.post",
    ):
        config.pluginmanager.import_plugin(f"tests.{module}")


@pytest.fixture
def asked(monkeypatch):
    """Counts what is asked of the database, all connections: BEGIN and COMMIT too."""
    # Once a second a process asks whether any key changed, whoever's request it is.
    monkeypatch.setattr("security.credentials.authentication.POLL_SECONDS", 3_600)

    from payments.intents.hot_path import wallets

    def count(act, *, status=200):
        act()  # the key is remembered, the connections are open
        with (
            CaptureQueriesContext(connections["default"]) as asked,
            CaptureQueriesContext(wallets.connection) as together,
            CaptureQueriesContext(connections["platform"]) as others,
        ):
            reply = act()
        assert reply.status == status, reply.json
        assert len(others) == 0
        return [query["sql"] for query in [*together, *asked]]

    return count
