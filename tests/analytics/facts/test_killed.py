"""A process that makes facts and is killed in the middle: another one goes on, to the same last digit."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connections

from analytics.facts import operations as facts
from analytics.facts.models import DirtyQuarter
from merchant_platform.kernel import tenancy
from tests.analytics.facts.test_exact import state, traded
from tests.analytics.facts.world import Trade

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])

# A process of its own, which makes a rebuild in small transactions and stays in the middle of one of them.
_WORKER = """
import os, sys, time, uuid
import django
django.setup()
from django.conf import settings
for alias, name in zip(("default", "platform", "owner"), sys.argv[2:]):
    settings.DATABASES[alias]["NAME"] = name
from django.db import connections
for alias in ("default", "platform"):
    connections[alias].settings_dict["NAME"] = settings.DATABASES[alias]["NAME"]
from analytics.facts import buyers, operations as facts
book, made = uuid.UUID(sys.argv[1]), buyers.make
rounds = 0

def stay(*args):
    made(*args)
    if rounds == 3:
        print("in the middle", flush=True)
        time.sleep(60)

buyers.make = stay
while facts.follow(book, limit=200):
    rounds += 1
"""


class TestFollow:
    @pytest.mark.requirement("A3")
    def test_a_rebuild_that_is_killed_goes_on_and_equals_what_was_kept(self, book):
        traded(Trade(book, days=14), 60)
        facts.run()
        kept = state(book)
        due = facts.rebuild(book.pk)
        process = worker(book)
        assert process.stdout.readline() == "in the middle\n", process.stderr.read()

        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
        unlocked()

        with tenancy.within(book.pk):
            left = DirtyQuarter.objects.count()
        assert left == due - 3 * 200, "three rounds are made, and the fourth left nothing"
        assert state(book) != kept
        facts.run()
        assert state(book) == kept


def worker(book):
    names = [settings.DATABASES[alias]["NAME"] for alias in ("default", "platform", "owner")]
    return subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(book.pk), *map(str, names)],
        cwd=settings.BASE_DIR,
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def unlocked():
    """Wait until the database has noticed that its client is gone: `follow` passes over what is locked."""
    for _ in range(200):
        with connections["platform"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE relation = 'analytics_projection'::regclass"
                " AND pid <> pg_backend_pid()"
            )
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.1)
    raise AssertionError("The killed process still holds its rows.")
