"""A platform of its own for a benchmark: what `make run` starts, in a fresh folder, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_SECONDS = 180
# Where the benchmarks' own receiver listens.
WEBHOOK_HOST = "127.0.0.1"


@contextmanager
def running(*, demo: bool = False) -> Iterator[tuple[int, Path]]:
    """Start `manage.py up` with default durability; yields its port and DATA_DIR; stops it and removes the folder."""
    with tempfile.TemporaryDirectory(prefix="merchant-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # Postgres runs as another user where we are root
        data_dir = Path(folder) / "data"
        port = _free_port()
        environment = {
            **os.environ,
            "DATA_DIR": str(data_dir),
            "PORT": str(port),
            "DEMO": "1" if demo else "0",
            "WEBHOOK_ALLOW_HOSTS": WEBHOOK_HOST,
            "WEB_WORKERS": os.environ.get("WEB_WORKERS", "2"),
        }
        for name in ("DATABASE_URL", "DATABASE_APP_URL", "DATABASE_PLATFORM_URL", "REDIS_URL", "PUBLIC_URL"):
            environment.pop(name, None)
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up"], env=environment, stdout=sys.stderr, cwd=ROOT
        )
        try:
            _wait_until_ready(process, port)
            yield port, data_dir
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(process: subprocess.Popen, port: int) -> None:
    for _ in range(STARTS_WITHIN_SECONDS * 4):
        if process.poll() is not None:
            raise SystemExit("The platform did not start; what it said stands above.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.25)
    raise SystemExit("The platform was not ready in time.")
