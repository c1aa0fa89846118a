import pytest


def pytest_configure(config):
    """The cast, the server and the browser need Django's apps, which the root's own turn has loaded."""
    for module in (
        "cast",
        "payers",
        "acquirer",
        "contract.server",
        "payments.webhooks.post",
        "browser.chromium",
        "browser.small_world",
    ):
        config.pluginmanager.import_plugin(f"tests.{module}")


@pytest.fixture
def walked(record_property):
    """Notes what a walk has seen: `walked(pages=30, languages=2)`. The summary prints it."""
    return lambda **counts: record_property("walked", " × ".join(f"{count} {what}" for what, count in counts.items()))
