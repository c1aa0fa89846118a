"""`python -m payments.providers.sandbox.serve`: the sandbox acquirer, until a signal.

SANDBOX_ACQUIRER_SECRET signs both ways; SANDBOX_FAULTS switches faults on from the start
(`slow:count=3:seed=7,timeout_after_commit:operation=capture`).
"""

import argparse
import logging
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path

import httpx

from payments.providers.sandbox.acquirer import faults
from payments.providers.sandbox.acquirer.server import Acquirer, Server
from payments.providers.sandbox.acquirer.store import Store

logger = logging.getLogger(__name__)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", type=Path, required=True, help="the SQLite file of its books")
    options = parser.parse_args()
    secret = os.environ.get("SANDBOX_ACQUIRER_SECRET", "")
    if not secret:
        sys.exit("SANDBOX_ACQUIRER_SECRET is not set.")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    options.store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made by us before SQLite does, so that nobody else reads it.
    os.close(os.open(options.store, os.O_RDWR | os.O_CREAT, 0o600))
    store = Store(options.store)
    acquirer = Acquirer(store, secret=secret, faults=faults.read(os.environ.get("SANDBOX_FAULTS", "")))
    server = Server((options.host, options.port), acquirer)
    # Blocked before the first thread starts, which inherits it: the signals wait for us below.
    endings = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    failures: list[Exception] = []
    worker = threading.Thread(target=_working, args=(acquirer, failures), name="notices")
    worker.start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    logger.info("the sandbox acquirer serves on %s:%s", options.host, options.port)
    signal.sigwait(endings)
    server.server_close()
    acquirer.stop()
    worker.join()
    store.close()
    sys.exit(1 if failures else 0)


def _working(acquirer: Acquirer, failures: list[Exception]) -> None:
    """Without its notices an acquirer is dumb: better to end, and be started again."""
    try:
        acquirer.work()
    except (httpx.HTTPError, sqlite3.Error, OSError) as error:
        logger.exception("the thread that sends notices failed")
        failures.append(error)
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
