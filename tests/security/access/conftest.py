import pytest


def pytest_configure(config):
    """The small world of the pages, with the servers that its rows come from."""
    for module in ("payers", "acquirer", "payments.webhooks.post", "browser.small_world", "security.access.objects"):
        config.pluginmanager.import_plugin(f"tests.{module}")


@pytest.fixture
def tried(record_property):
    """Notes what was tried: `tried(doors=110, roles=12)`. The summary prints it."""
    return lambda **counts: record_property("tried", " × ".join(f"{count} {what}" for what, count in counts.items()))
