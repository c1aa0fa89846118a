"""Child processes of the one command that runs everything: started apart, ended as a whole.

Each child gets a session of its own, so that a Ctrl-C in the terminal reaches only the
supervisor, which ends its children in their order. Where util-linux's setpriv exists, the
kernel also signals each child when the supervisor itself is killed with -9.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What a child is asked first, how many seconds it has, and what follows if it is still there.
GENTLY = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))

# A platform that runs for months must not fill the disk with its own words.
LOG_BYTES_MAX = 50 * 1024 * 1024
LOGS_KEPT = 3

Pause = Callable[[float], None]


@dataclass(frozen=True)
class Account:
    """The operating-system user a child runs as, where that is not ourselves."""

    uid: int
    gid: int
    # Lets the child pass folders that are closed to it, such as a clone in /root; needs setpriv.
    passes_closed_folders: bool = False


class Process:
    """One child: a command, its log file and the signals that end it."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        log: Path,
        environment: dict[str, str],
        directory: Path | str = "/",
        ending: Iterable[tuple[signal.Signals, float]] = GENTLY,
        account: Account | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._environment = environment
        self._directory = directory
        self._ending = tuple(ending)
        self._account = account
        self._child: subprocess.Popen | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def exit_code(self) -> int | None:
        """What the child ended with; None while it runs or before its first start."""
        return self._child.poll() if self._child else None

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """This will start the child. Its output is appended to its log."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                **launching(self._command, account=self._account, dies_by=self._ending[0][0]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._directory,
                env=self._environment,
                start_new_session=True,
            )

    def stop(self) -> None:
        """This will end the child and whatever is left of its group.

        The first signals go to the child alone: granian and Celery end their own workers,
        and a signal to a Celery pool process would kill the task it is running.
        """
        if self._child is None:
            return
        for number, seconds in self._ending:
            if self._child.poll() is None:
                self._child.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._child.wait(seconds)
        # The usual end is that the group went with its leader; macOS calls a group of the dead forbidden.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)


def launching(
    command: list[str], *, account: Account | None = None, dies_by: signal.Signals | None = None
) -> dict[str, Any]:
    """The arguments of subprocess.Popen that start a command as an account and tie its life to ours."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        dropped = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
        return {"args": command, **dropped}
    options = [f"--pdeathsig={dies_by.name.removeprefix('SIG')}"] if dies_by else []
    if account:
        options += [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
        if account.passes_closed_folders:
            # Without the secure bit access(2), by which initdb looks for postgres, would not count the right.
            options += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return {"args": [setpriv, *options, "--", *command] if options else command}


def rotate(log: Path) -> None:
    """This will move the log of the last start to <name>.1, the one before to <name>.2, and so on."""
    for number in range(LOGS_KEPT, 0, -1):
        older = log if number == 1 else log.with_name(f"{log.name}.{number - 1}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number}"))


def shorten(log: Path) -> None:
    """This will move a long log aside while its process goes on writing: every writer appends, so it may be cut."""
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def last_line(log: Path, *markers: str) -> str:
    """The last line of a log, or the last that holds one of the markers."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    wanted = [line for line in lines if any(marker in line for marker in markers)] if markers else lines
    return wanted[-1].strip() if wanted else ""


def complaint(log: Path) -> str:
    """What a manage.py command said before it failed, on one line."""
    _, expected, said = log.read_text(errors="replace").rpartition("CommandError: ")
    text = " ".join(said.split()) if expected else last_line(log)
    return text if text.endswith(".") else f"{text}."


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: Pause = time.sleep) -> bool:
    """Whether the condition came true within the given time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        pause(0.05)
    return True
