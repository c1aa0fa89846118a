"""The acquirer as a process: what it promised survives its death, and it starts with the faults it is told."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings as django_settings

from merchant_platform.embedded.processes import wait_until
from payments.providers.port import Unanswered
from payments.providers.sandbox.client import Sandbox
from payments.providers.sandbox.control import Control
from tests import acquirer as machine
from tests.payments.providers.sandbox.asking import NOW, key, question
from tests.servers import free_address


@pytest.fixture
def alone(settings):
    """An address where no other test's acquirer is."""
    settings.SANDBOX_ACQUIRER_URL = free_address()


@pytest.fixture
def start(alone, tmp_path):
    """Starts an acquirer on the same books each time; what runs at the end is ended."""
    started = []

    def start_one(**environment):
        started.append(machine.start(tmp_path, **environment))
        Control().send_notices_to("http://127.0.0.1:9/")
        return started[-1]

    yield start_one
    for process in started:
        process.stop()


class TestServe:
    def test_remembers_after_kill_9_what_it_answered(self, start):
        sandbox, asked = Sandbox(), question(captures=False)
        killed = start()
        held = sandbox.authorise(asked)
        taken = sandbox.capture(
            key=key("cap"), account=asked.account, reference=held.reference, amount_minor=700, is_final=True
        )
        os.kill(killed.pid, signal.SIGKILL)
        wait_until(lambda: not killed.is_running, seconds=30)

        start()

        assert sandbox.query(key=asked.key, account=asked.account) == taken
        assert [line.amount_minor for line in sandbox.statement(account=asked.account, day=NOW.date())] == [700]

    def test_starts_with_the_faults_of_its_setting(self, start):
        start(SANDBOX_FAULTS="error_before_commit:operation=authorise:count=1")
        asked = question()

        with pytest.raises(Unanswered):
            Sandbox().authorise(asked)

        assert Sandbox().authorise(asked).status == "captured"

    def test_ends_when_it_is_asked_to(self, start):
        process = start()

        os.kill(process.pid, signal.SIGTERM)

        assert wait_until(lambda: not process.is_running, seconds=30)
        assert process.exit_code == 0

    def test_refuses_to_start_without_a_secret(self, tmp_path):
        environment = {**os.environ, "SANDBOX_ACQUIRER_SECRET": ""}

        ended = subprocess.run(
            [sys.executable, "-m", "payments.providers.sandbox.serve", "--port", "1", "--store", str(tmp_path / "s")],
            cwd=django_settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
        )

        assert (ended.returncode, ended.stderr) == (1, "SANDBOX_ACQUIRER_SECRET is not set.\n")
