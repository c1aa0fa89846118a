"""`manage.py courier`: sends webhooks until it is told to stop."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from merchant_platform.kernel import clock
from payments.webhooks import courier

IDLE_SECONDS = 0.5
# How long a round waits for an answer before it looks for new work.
WAIT_SECONDS = 0.05
TROUBLE_SECONDS = 5.0
NICENESS = 10


class Command(BaseCommand):
    help = "Send webhooks. Any number may run; SIGTERM ends it once what is under way was answered."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        _give_way()
        sending = courier.Courier()
        while not stopping.is_set():
            try:
                was_busy = sending.round(now=clock.wall, wait_seconds=WAIT_SECONDS)
            except Exception:
                courier.logger.exception("the courier could not do its round")
                close_old_connections()
                stopping.wait(TROUBLE_SECONDS)
                continue
            if not was_busy and not sending.under_way:
                stopping.wait(IDLE_SECONDS)
        sending.finish(now=clock.wall)
        sending.close()


def _give_way() -> None:
    """Where processors are short, webhooks wait and payments do not."""
    os.nice(NICENESS)
    # Linux shares processors among sessions first, where it groups them (sched(7), autogroup).
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(NICENESS))
