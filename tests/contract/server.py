"""The real web server, in a process of its own, on the database of the tests.

What it answers went through HTTP, through several processes and threads, and as the app
role: nothing of the test's own process helps. Its tests are `transaction=True`, since it
sees only what was committed.
"""

import http.client
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest
from django.conf import settings
from django.utils.datastructures import CaseInsensitiveMapping

from merchant_platform.embedded.processes import GENTLY, Process, wait_until
from tests.cast import Api, Reply

# Generous: a busy machine may need it, and a passing test never waits for it.
PATIENCE_SECONDS = 120
WORKERS, THREADS = 2, 8


@pytest.fixture(scope="session")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's address."""
    with serving(tmp_path_factory.mktemp("server")) as address:
        yield address


@contextmanager
def serving(folder: Path, *, host: str = "127.0.0.1") -> Iterator[str]:
    """A server that people call by a name: passkeys are made for `localhost`, never for an address in numbers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = Process(
        "web",
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "merchant_platform.wsgi:application"),
            *("--host", "127.0.0.1", "--port", str(port), "--http", "1", "--no-ws", "--no-access-log"),
            # More threads than the platform itself runs: here requests must meet in the database.
            *("--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--backpressure", "128"),
        ],
        log=folder / "web.log",
        environment={**os.environ, "PUBLIC_URL": f"http://{host}:{port}", "LOG_LEVEL": "ERROR"},
        directory=settings.BASE_DIR,
        ending=GENTLY,
    )
    process.start()
    try:
        ready = wait_until(lambda: _answers(port) or not process.is_running, seconds=PATIENCE_SECONDS)
        assert ready, Path(process.log).read_text()
        assert process.is_running, Path(process.log).read_text()
        yield f"http://{host}:{port}"
    finally:
        process.stop()


@dataclass(frozen=True)
class Wire(Api):
    """The client of the cast, over HTTP: `Wire(key, address=server)`."""

    address: str = ""

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "",
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        sent = {**self._authorization(), **({"Content-Type": content_type} if content_type else {}), **(headers or {})}
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, f"/v1/{path}" + (f"?{query}" if query else ""), body or None, sent)
            response = connection.getresponse()
            content = response.read()
            # Names of headers mean the same in any case, and every server writes them as it likes.
            received = CaseInsensitiveMapping(dict(response.getheaders()))
            return Reply(response.status, orjson.loads(content) if content else None, received)
        finally:
            connection.close()


@pytest.fixture
def wire(server: str, key: str) -> Wire:
    """The café's server, with its secret test key, speaking with ours over HTTP."""
    return Wire(key, address=server)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
