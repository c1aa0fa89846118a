"""What is settled before anything starts: whose environment, whose folder, whose port."""

import errno
import fcntl
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# In the environment of every child: the DATA_DIR whose supervisor started it.
MARK = "SUPERVISED_FROM"


class CannotRun(Exception):
    """The platform cannot start or go on; the text is one sentence for a person."""


def given_environment() -> dict[str, str]:
    """The environment as the person gave it.

    settings.py reads a run.env that a killed start left behind into os.environ; taken from
    there, its addresses would pass for servers elsewhere, and ours would not be started.
    """
    try:
        words = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return dict(os.environ)
    return dict(os.fsdecode(word).split("=", 1) for word in words if b"=" in word)


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """This will hold DATA_DIR for one `up` at a time; the kernel lets go of it however we end."""
    with (data_dir / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotRun(
                f"The platform already runs from {data_dir}: stop it first, or start another one with "
                "`DATA_DIR=... PORT=... make run`."
            ) from error
        yield


def end_left_overs(data_dir: Path) -> None:
    """This will kill what an earlier start left in this DATA_DIR, such as the workers of a web server killed with -9.

    Called with the lock held: whoever still carries the mark has lost its supervisor.
    """
    ended: set[int] = set()
    for _ in range(100):
        left_over = _marked(data_dir)
        for pid in left_over:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended.update(left_over)
        # Until the kernel has closed what they listened on, their port counts as busy.
        if not any(map(_is_ending, ended)):
            return
        time.sleep(0.05)


def _marked(data_dir: Path) -> list[int]:
    mark, marked = f"{MARK}={data_dir}".encode(), []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # It ended meanwhile, or belongs to somebody else.
            if mark in environment.read_bytes().split(b"\0"):
                marked.append(int(environment.parent.name))
    return marked


def _is_ending(pid: int) -> bool:
    """Whether a killed process still holds anything: it forgets its environment before it closes its sockets."""
    for status in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):  # That thread is gone.
            if status.read_text().rpartition(")")[2].split()[0] not in "ZX":
                return True
    return False


def refuse_busy_port(host: str, port: int) -> None:
    """Raises CannotRun where the web server could not listen."""
    if not 0 < port < 65536:
        raise CannotRun(f"PORT is {port}, and a port is a number from 1 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotRun(f"Port {port} is busy: choose another one with `PORT=... make run`.") from error
        raise CannotRun(f"The web server cannot listen on {host}, port {port} ({error.strerror}).") from error
