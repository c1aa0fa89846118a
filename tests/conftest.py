"""The ground every test stands on: servers, database, and a word about what could not run."""

import os

import django
import pytest

from tests import servers
from tests.needs import NOT_RUN

# Tests of every app read the books with it: said before any of them imports it.
pytest.register_assert_rewrite("tests.payments.books")

# The notes of tests that the summary prints: the fixtures `proven`, `walked` and `tried`.
NOTED = frozenset({"proven", "walked", "tried"})
LONG = ("tests/browser/", "tests/architecture/", "tests/merchant_platform/test_up")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Servers first, Django's settings next; pytest-django's own turn comes after.

    Where the tests are shared out among processes (`-n`), each has servers of its own: a
    transaction that one test holds open keeps the others of its cluster from seeing an end.
    """
    if not _shares_out(config):
        servers.start()
    os.environ["DJANGO_SETTINGS_MODULE"] = "merchant_platform.settings"
    django.setup()
    from django.conf import settings

    # Every client makes the middleware anew: it looks for a file when it is asked for one, not for all of them.
    settings.WHITENOISE_AUTOREFRESH = True
    _hash_cheaply()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """A process that inherits the name of the settings would load them before its own servers run."""
    if _shares_out(session.config):
        del os.environ["DJANGO_SETTINGS_MODULE"]


def _hash_cheaply() -> None:
    """Argon2 as ever, at the least it can cost: dear hashes guard passwords, and those of tests are no secret."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    Argon2PasswordHasher.time_cost = Argon2PasswordHasher.parallelism = 1
    Argon2PasswordHasher.memory_cost = 8


def _shares_out(config: pytest.Config) -> bool:
    """Whether this process only hands tests to others."""
    return bool(config.getoption("numprocesses", default=None)) and "PYTEST_XDIST_WORKER" not in os.environ


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no process is left alone with them at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker) -> None:
    """In the place of pytest-django's: its test database is made by the role that uses it."""
    from tests import database

    with django_db_blocker.unblock():
        database.prepare()


@pytest.fixture
def proven(record_property):
    """Notes how many cases were tried and from which seed: `proven(200)`. The summary prints it."""

    def note(cases_max: int) -> None:
        from tests.payments.cases import SEED

        record_property("proven", f"{cases_max} cases, repeat with PROVE_SEED={SEED}")

    return note


def pytest_terminal_summary(terminalreporter) -> None:
    """What tests noted of themselves, a line each, and one for each that could not run.

    Generated cases are noted so that they can be tried again; walks and matrices, so that one that saw little cannot
    pass for one that saw all; and where a system package is missing, silence would pass for success. It stands here
    and not beside them: a process that only hands tests to others reads no other conftest.
    """
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, text in getattr(report, "user_properties", ()):
                if name in NOTED and report.when == "call":
                    terminalreporter.write_line(f"{outcome} {report.nodeid}: {text}")
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if NOT_RUN in reason:
            terminalreporter.write_line(f"{NOT_RUN}{report.nodeid}: {reason.partition(NOT_RUN)[2]}")
