"""The sandbox acquirer beside the platform: another company's machine on this one, with a folder of its own."""

import http.client
import sys
from pathlib import Path

from merchant_platform.embedded.processes import GENTLY, Process, rotate, wait_until
from merchant_platform.embedded.servers import Server, sentences
from merchant_platform.embedded.start import MARK

READY_SECONDS_MAX = 20
# What it may know of our environment: nothing of databases and keys. With the mark, what a
# killed start left of it is found and ended.
INHERITED = ("PATH", "LANG", "PYTHONUNBUFFERED", "SANDBOX_FAULTS", MARK)


class Acquirer(Server):
    name = "acquirer"
    ending = GENTLY

    def __init__(self, data_dir: Path | str, *, environment: dict[str, str], checkout: Path, **options) -> None:
        super().__init__(data_dir, **options)
        self._environment = {name: value for name, value in environment.items() if name in INHERITED}
        # It works in its own folder, and finds the program in the checkout.
        self._environment["PYTHONPATH"] = str(checkout)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def secret(self) -> str:
        """What signs both ways, made at the first use."""
        return self.secrets.secret("SANDBOX_ACQUIRER_SECRET")

    def start(self) -> None:
        """This will start the acquirer and wait until it answers. Raises ServerTrouble."""
        with sentences(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            rotate(self.log)
            self._process = Process(
                self.name,
                [
                    *(sys.executable, "-m", "payments.providers.sandbox.serve", "--port", str(self._choose_port())),
                    *("--store", str(self.folder / "books.sqlite3")),
                ],
                log=self.log,
                environment={**self._environment, "SANDBOX_ACQUIRER_SECRET": self.secret},
                directory=self.folder,
                ending=self.ending,
            )
            self._process.start()
        ready = wait_until(lambda: self._answers() or not self.is_running, seconds=READY_SECONDS_MAX, pause=self._pause)
        if not ready:
            self.stop()
            raise self._trouble(f"The sandbox acquirer did not answer within {READY_SECONDS_MAX} seconds")
        if not self.is_running:
            raise self._trouble("The sandbox acquirer did not start")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
