"""The sandbox acquirer in a process of its own, one a test session, and the hands that play with it.

    def test_asks_what_became_of_it(self, acquirer):
        acquirer.fail("timeout_after_commit", operation="authorise")
        ...
        [notice] = acquirer.wait_for_notices(1)

Every test starts with a healthy acquirer whose notices come to a recorder here: nothing is
sent to a platform unless the test says so (`acquirer.send_notices_to(f"{server}/hooks/sandbox/")`).
What the acquirer remembers stays for the session; each test has accounts of its own (books).
"""

import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings

from merchant_platform.embedded.processes import GENTLY, Process, wait_until
from payments.providers.sandbox.control import Control
from tests import cast

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Received:
    """One notice as it arrived: `provider.read_notice(headers=…, body=…)` reads it."""

    account: str
    headers: dict[str, str]
    body: bytes


class Acquirer(Control):
    """The control of the process (`fail`, `heal`, `hurry`, `send_notices_to`), and the notices it sent here."""

    def __init__(self, process: Process, store: Path, recorder: "Recorder") -> None:
        super().__init__()
        self.process = process
        self.store = store
        self._recorder = recorder

    @property
    def notices(self) -> list[Received]:
        """What has come so far in this test, in the order of its coming."""
        return list(self._recorder.received)

    def wait_for_notices(self, count: int) -> list[Received]:
        """The first `count` notices of this test, once they are here."""
        cast.wait_until(lambda: len(self._recorder.received) >= count)
        return self.notices[:count]

    def refuse_notices(self, status: int) -> None:
        """Answer every notice with this status until the test ends: they are sent again."""
        self._recorder.status = status

    def take_notices(self) -> None:
        self._recorder.status = 200

    def begin(self) -> None:
        """This will forget what the last test did, as far as an acquirer can."""
        self.heal()
        self.forget()
        self.take_notices()
        self.send_notices_to(self._recorder.address)
        self._recorder.received.clear()


class Recorder(ThreadingHTTPServer):
    """The receiving end of notices."""

    daemon_threads = True

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), _Take)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Take(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(Received(self.path.lstrip("/"), dict(self.headers.items()), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def acquirer_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acquirer]:
    """The running process; tests take `acquirer`."""
    folder = tmp_path_factory.mktemp("acquirer")
    process = start(folder)
    recorder = Recorder()
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    try:
        yield Acquirer(process, folder / "acquirer.sqlite3", recorder)
    finally:
        process.stop()
        recorder.shutdown()
        recorder.server_close()


@pytest.fixture
def acquirer(acquirer_process: Acquirer) -> Iterator[Acquirer]:
    """A healthy acquirer, behind `payments.providers.port.find("sandbox")`."""
    acquirer_process.begin()
    yield acquirer_process
    acquirer_process.heal()


def start(folder: Path, **environment: str) -> Process:
    """An acquirer with its books in a folder, at settings.SANDBOX_ACQUIRER_URL, once it answers."""
    address = urlsplit(settings.SANDBOX_ACQUIRER_URL)
    process = Process(
        "acquirer",
        [
            *(sys.executable, "-m", "payments.providers.sandbox.serve", "--port", str(address.port)),
            *("--store", str(folder / "acquirer.sqlite3")),
        ],
        log=folder / "acquirer.log",
        environment={**os.environ, **environment},
        directory=settings.BASE_DIR,
        ending=GENTLY,
    )
    process.start()
    ready = wait_until(lambda: answers() or not process.is_running, seconds=PATIENCE_SECONDS)
    assert ready, process.log.read_text()
    assert process.is_running, process.log.read_text()
    return process


def answers() -> bool:
    """Whether the acquirer is there."""
    try:
        return httpx.get(f"{settings.SANDBOX_ACQUIRER_URL}/healthz", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
