"""Keeps services running until a person says stop, then ends them in the order opposite to their start."""

import os
import select
import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from merchant_platform.embedded.processes import shorten

DEATHS_MAX, DEATHS_SECONDS = 5, 60.0
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 0.5, 8.0
# A dead child wakes the supervisor at once; this is only how long it sleeps when all is well.
ROUND_SECONDS = 5.0


class StopRequested(Exception):
    """A person, or the system, asked the platform to end."""


class KeepsDying(Exception):
    """A service cannot be kept running; the text is one sentence for a person."""


class Service(Protocol):
    name: str
    log: Path

    @property
    def is_running(self) -> bool: ...
    @property
    def exit_code(self) -> int | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Supervisor:
    def __init__(self, *, say: Callable[[str], None]) -> None:
        self._say = say
        self._services: list[Service] = []
        self._deaths: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=DEATHS_MAX))
        self._due_at: dict[str, float] = {}
        self.is_asked_to_stop = False
        self._woken, self._wakes = os.pipe()

    @property
    def has_services(self) -> bool:
        return bool(self._services)

    def listen(self) -> None:
        """This will take SIGINT, SIGTERM and SIGHUP as the wish to stop, and let a child's end wake us.

        The handler sets one attribute and does nothing else: make and a process group deliver
        the same signal twice within a millisecond, and a second handler inside the first would
        wait for ever for the lock that even threading.Event holds.
        """
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wakes, False)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP on purpose.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._ask_to_stop)

    def pause(self, seconds: float) -> None:
        """This will wait that long or until a signal. Raises StopRequested."""
        if not self.is_asked_to_stop:
            select.select([self._woken], [], [], seconds)
            with suppress(BlockingIOError):  # The time was up and no signal came.
                os.read(self._woken, 4096)
        if self.is_asked_to_stop:
            raise StopRequested

    def start(self, service: Service) -> None:
        """This will start a service and keep it from now on."""
        self._services.append(service)
        service.start()

    def watch(self) -> None:
        """This will start again what dies, until asked to stop. Raises StopRequested or KeepsDying."""
        while True:
            self.look_after()
            self.pause(BACKOFF_SECONDS if self._due_at else ROUND_SECONDS)

    def look_after(self) -> None:
        """One round: note who died, start who is due. Raises KeepsDying."""
        now = time.monotonic()
        for service in self._services:
            shorten(service.log)
            if service.is_running:
                continue
            if service.name not in self._due_at:
                # The dead leave children: granian's workers would go on answering beside new ones.
                service.stop()
                self._due_at[service.name] = now + self._note_death(service, now)
            elif now >= self._due_at[service.name]:
                del self._due_at[service.name]
                service.start()

    def stop(self) -> None:
        """This will end the services, the last started first."""
        while self._services:
            self._services.pop().stop()

    def _note_death(self, service: Service, now: float) -> float:
        """How many seconds to wait before the next start."""
        deaths = self._deaths[service.name]
        deaths.append(now)
        recent = sum(now - died < DEATHS_SECONDS for died in deaths)
        if recent >= DEATHS_MAX:
            raise KeepsDying(
                f"{service.name} ended {recent} times within a minute, so everything was stopped: see {service.log}."
            )
        self._say(f"{service.name} ended unexpectedly ({_how(service.exit_code)}) and is started again: {service.log}")
        return min(BACKOFF_SECONDS * 2 ** (recent - 1), BACKOFF_SECONDS_MAX)

    def _ask_to_stop(self, *_: object) -> None:
        self.is_asked_to_stop = True


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
