"""`manage.py up` as a person meets it: started, stopped, killed, started again."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psycopg2
import pytest
from django.conf import settings

# Generous: a busy machine may need it, and a passing test never waits for it.
PATIENCE_SECONDS = 180


class Platform:
    """One `manage.py up` in a process group of its own, as make or a terminal starts it."""

    def __init__(self, data_dir: Path, port: int, **environment: str) -> None:
        ours = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_DIR", "PORT", "VAULT_KEYS", "SANDBOX_ACQUIRER_URL")
        inherited = {name: value for name, value in os.environ.items() if name not in ours}
        self.data_dir = data_dir
        self.output = data_dir.with_suffix(f".{time.monotonic_ns()}.out")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=settings.BASE_DIR,
                env={**inherited, "DATA_DIR": str(data_dir), "PORT": str(port), "DEMO": "0", **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def until_ready(self) -> "Platform":
        wait_for(lambda: "The platform runs at" in self.said or self.process.poll() is not None, lambda: self.said)
        assert "The platform runs at" in self.said, self.said
        return self

    def until_ended(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def signal(self, number: signal.Signals, *, times: int = 1) -> None:
        for _ in range(times):
            os.killpg(self.process.pid, number)

    def children(self) -> set[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return {int(pid) for pid in path.read_text().split()}

    def processes(self) -> dict[int, str]:
        """Every living process of this DATA_DIR: ours by their environment, the servers by their folder."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environment = (process / "environ").read_bytes().split(b"\0")
                folder = os.readlink(process / "cwd")
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # It ended meanwhile, or is dead and not collected, or is not ours.
            if f"DATA_DIR={self.data_dir}".encode() in environment or folder.startswith(str(self.data_dir)):
                found[int(process.name)] = command
        return found


def wait_for(condition: Callable[[], object], explain: Callable[[], object] = str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(0.05)


def acquirer_answers(port: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).json() == {"status": "ok"}
    except httpx.HTTPError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def as_owner(platform: Platform, statement: str) -> list:
    """What another shell does: it finds the running platform through run.env."""
    address = re.search(r"^DATABASE_URL=(.+)$", (platform.data_dir / "run.env").read_text(), re.M)
    assert address
    with closing(psycopg2.connect(address[1])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


class World:
    """One DATA_DIR on which the platform runs again and again: only the first start makes a database."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.started: list[Platform] = []

    def start(self) -> Platform:
        self.started.append(Platform(self.data_dir, self.port))
        return self.started[-1]

    def running(self) -> Platform:
        """The platform that an earlier test left running, or a new one: starts take seconds."""
        if self.started and self.started[-1].process.poll() is None:
            return self.started[-1]
        return self.start().until_ready()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("up") / "data")
    yield world
    for platform in world.started:
        if platform.process.poll() is None:
            platform.process.terminate()
            platform.until_ended()


class TestUp:
    def test_leaves_no_process_and_keeps_what_was_written(self, world):
        first = world.running()
        as_owner(first, "CREATE TABLE kept AS SELECT 'a row' AS word")
        processes = first.processes()
        first.signal(signal.SIGTERM, times=2)

        assert first.until_ended() == 0, first.said
        assert len(processes) > 8
        assert first.processes() == {}
        assert not (world.data_dir / "run.env").exists()
        assert as_owner(world.running(), "SELECT word FROM kept") == [("a row",)]

    def test_keeps_an_acquirer_beside_it(self, world):
        platform = world.running()
        kept = json.loads((world.data_dir / "ports.json").read_text())["acquirer"]
        first = next(pid for pid, command in platform.processes().items() if "sandbox.serve" in command)

        os.kill(first, signal.SIGKILL)

        def again() -> list[int]:
            return [pid for pid, command in platform.processes().items() if "sandbox.serve" in command and pid != first]

        wait_for(again, lambda: platform.said)
        wait_for(lambda: acquirer_answers(kept), lambda: platform.said)
        written = (world.data_dir / "run.env").read_text()
        assert f"SANDBOX_ACQUIRER_URL=http://127.0.0.1:{kept}\n" in written
        assert re.search(r"^SANDBOX_ACQUIRER_SECRET=\S{40,}$", written, re.M)
        assert re.search(r"^VAULT_KEYS=first:\S{44}$", written, re.M)
        assert (world.data_dir / "acquirer" / "books.sqlite3").stat().st_mode & 0o077 == 0
        # Another company's machine is told nothing of ours.
        environment = Path(f"/proc/{again()[0]}/environ").read_bytes()
        assert not re.search(rb"DATABASE_URL|REDIS_URL|SECRET_KEY|VAULT_KEYS", environment)

    def test_takes_its_children_along_when_it_is_killed(self, world):
        killed = world.running()
        killed.process.kill()
        killed.until_ended()

        wait_for(lambda: not killed.processes(), killed.processes)

    def test_starts_after_everything_was_killed_but_workers_of_the_web_server(self, world):
        killed = world.running()
        as_owner(killed, "CREATE TABLE late AS SELECT 1 AS number")
        orphans = {pid for pid, command in killed.processes().items() if "granian" in command} - killed.children()
        # Held still, it cannot look after its children while they die.
        killed.process.send_signal(signal.SIGSTOP)
        for pid in killed.processes().keys() - orphans - {killed.process.pid}:
            with suppress(ProcessLookupError):  # Its parent went first and took it along.
                os.kill(pid, signal.SIGKILL)
        killed.process.kill()
        killed.until_ended()
        assert orphans
        assert orphans <= killed.processes().keys()

        recovered = world.running()

        assert as_owner(recovered, "SELECT number FROM late") == [(1,)]
        assert not orphans & recovered.processes().keys()

    def test_is_alone_in_its_folder_and_starts_again_what_died(self, world):
        platform = world.running()
        second = world.start()
        assert second.until_ended() == 1
        assert second.said.count("\n") == 1
        assert "already runs" in second.said
        world.started.remove(second)

        beat = next(pid for pid, command in platform.processes().items() if " beat " in command)
        os.kill(beat, signal.SIGKILL)

        wait_for(lambda: [pid for pid, c in platform.processes().items() if " beat " in c and pid != beat])
        assert "beat ended unexpectedly (signal SIGKILL)" in platform.said
        platform.signal(signal.SIGINT)
        assert platform.until_ended() == 0, platform.said
        assert platform.processes() == {}

    def test_ends_cleanly_when_asked_while_it_starts(self, world):
        platform = world.start()
        wait_for(lambda: "Preparing the database" in platform.said)
        platform.signal(signal.SIGTERM, times=2)

        assert platform.until_ended() == 0, platform.said
        assert platform.processes() == {}


class TestUpTrouble:
    def test_of_a_busy_port_is_one_sentence(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as busy:
            port = busy.getsockname()[1]
            platform = Platform(tmp_path / "data", port)
            code = platform.until_ended()

        assert code == 1
        assert platform.said == f"Port {port} is busy: choose another one with `PORT=... make run`.\n"

    @pytest.mark.parametrize("port", ["abc", "-1", "0", "65536"])
    def test_of_a_port_that_is_none_is_one_sentence(self, tmp_path, port):
        platform = Platform(tmp_path / "data", port)

        assert platform.until_ended() == 1
        assert platform.said.strip().strip("'").endswith("and a port is a number from 1 to 65535.")
        assert "Traceback" not in platform.said

    def test_of_a_broken_data_directory_is_one_sentence(self, tmp_path):
        (tmp_path / "data" / "postgres").mkdir(parents=True)
        platform = Platform(tmp_path / "data", free_port())

        assert platform.until_ended() == 1
        assert "is not a whole Postgres data directory" in platform.said
        assert "Traceback" not in platform.said

    def test_of_a_database_elsewhere_that_does_not_answer_is_one_sentence(self, tmp_path):
        platform = Platform(tmp_path / "data", free_port(), DATABASE_URL="postgres://owner:secret@127.0.0.1:1/merchant")

        assert platform.until_ended() == 1
        assert "Postgres did not accept the connection" in platform.said
        assert "Traceback" not in platform.said
        assert "secret" not in platform.said
