import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from merchant_platform.kernel import clock
from merchant_platform.kernel.events import relay

IDLE_SECONDS = 0.5
TROUBLE_SECONDS = 5.0


class Command(BaseCommand):
    help = "Hand events to the handlers they are owed to. Any number may run; SIGTERM ends it after the batch."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        while not stopping.is_set():
            try:
                handed_over = relay.run_once(now=clock.wall())
            except Exception:
                relay.logger.exception("the relay could not read the queue")
                close_old_connections()
                stopping.wait(TROUBLE_SECONDS)
                continue
            if handed_over < relay.BATCH:
                stopping.wait(IDLE_SECONDS)
