"""The ground every test stands on: servers, database, and a word about what could not run."""

import os

import django
import pytest

from tests import servers
from tests.needs import NOT_RUN


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Servers first, Django's settings next; pytest-django's own turn comes after."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        servers.share(worker)
    else:
        servers.start()
    os.environ["DJANGO_SETTINGS_MODULE"] = "merchant_platform.settings"
    django.setup()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker) -> None:
    """In the place of pytest-django's: its test database is made by the role that uses it."""
    from tests import database

    with django_db_blocker.unblock():
        database.prepare()


def pytest_terminal_summary(terminalreporter) -> None:
    """A line for each test that a missing system package kept from running, or the silence would pass for success."""
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if NOT_RUN in reason:
            terminalreporter.write_line(f"{NOT_RUN}{report.nodeid}: {reason.partition(NOT_RUN)[2]}")
