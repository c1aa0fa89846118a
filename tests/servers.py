"""The Postgres and Valkey of one test run: in a folder of their own, gone when the run ends."""

import atexit
import base64
import os
import secrets
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from merchant_platform.embedded import Postgres, Valkey

DATABASE = "test_merchant"
# Below those that systems lend to clients (from 32768 on Linux): what listens there may start much later.
PORTS = range(20_000, 32_000)
# What a developer's shell may carry and a test run must not see.
FOREIGN = (
    "DASK_SCHEDULER",
    "DATABASE_APP_URL",
    "DATASETS_DIR",
    "VAULT_IN_LIVE",
    "SANDBOX_FAULTS",
    "DATABASE_PLATFORM_URL",
    "PUBLIC_URL",
    "DEBUG",
    "HOST",
    "PORT",
    "DEMO",
)


def start() -> None:
    """This will start both servers and point the environment at them, before Django's settings load."""
    folder = Path(tempfile.mkdtemp(prefix="merchant-tests-"))
    # As root, Postgres runs as a user of its own, who must pass through.
    folder.chmod(0o711)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    postgres, valkey = Postgres(folder / "servers", durable=False), Valkey(folder / "servers")
    for server in (postgres, valkey):
        atexit.register(server.stop)
        server.start()
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ |= {
        "DATABASE_URL": postgres.url(database=DATABASE),
        "REDIS_URL": valkey.url,
        "SECRET_KEY": postgres.secrets.secret("SECRET_KEY"),
        "DATA_DIR": str(folder / "data"),
        "VAULT_KEYS": f"tests:{base64.b64encode(os.urandom(32)).decode()}",
        # The acquirer itself is started by the first test that wants it (tests/acquirer.py).
        "SANDBOX_ACQUIRER_URL": free_address(),
        "SANDBOX_ACQUIRER_SECRET": postgres.secrets.secret("SANDBOX_ACQUIRER_SECRET"),
        "SANDBOX_ACQUIRER_TIMEOUT_SECONDS": "2",
        # A test writes the request log itself, where it wants to read it.
        "REQUEST_LOG_FLUSH_SECONDS": "0",
    }


def free_address() -> str:
    """An address on this machine where nobody listens, and which no client is lent meanwhile."""
    while True:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return f"http://127.0.0.1:{port}"
