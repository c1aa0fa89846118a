"""The road of a request into its log: a tuple in memory, and a thread that writes them, many in one insert.

A request appends and goes on; it makes no round trip for its log and shares no
transaction with it. A few times a second the thread takes what is there. The buffer has
a bound: what does not fit is counted and told, never waited for. A process that is
killed loses the last quarter of a second of its log, and no payment.
"""

import logging
import os
import threading
import time
from collections import deque
from multiprocessing.util import Finalize

from django.conf import settings
from django.db import Error, connections

from merchant_platform.kernel.request_log import operations
from merchant_platform.kernel.request_log.lines import Noted, kept

logger = logging.getLogger(__name__)

LINES_MAX = 10_000
BATCH = 1_000
TROUBLE_SECONDS = 2.0


class Buffer:
    """What one process has noted and not written. `append` may be called from any thread."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew: what a parent had noted is the parent's to write, and its thread did not come along."""
        self.lines: deque[tuple] = deque()
        self.dropped_count = 0
        self._writer: threading.Thread | None = None
        self._starting = threading.Lock()
        self._writing = threading.Lock()

    def append(self, noted: tuple) -> None:
        """Note a request: a tuple in the order of `Noted`."""
        if len(self.lines) >= LINES_MAX:
            self.dropped_count += 1
            return
        self.lines.append(noted)
        if self._writer is None:
            self._start()

    def flush(self) -> int:
        """Write what was noted. This will insert up to a batch a statement and return how many lines were written.

        Raises django.db.Error where the database does not take them; they stay noted then.
        """
        with self._writing:
            return self._flush()

    def _flush(self) -> int:
        written = 0
        while self.lines:
            taken = [self.lines.popleft() for _ in range(min(len(self.lines), BATCH))]
            try:
                operations.write([kept(Noted._make(noted)) for noted in taken])
            except Error:
                self.lines.extendleft(reversed(taken))
                raise
            written += len(taken)
        if self.dropped_count:
            # A single number: whether one more is dropped just now does not matter.
            dropped, self.dropped_count = self.dropped_count, 0
            logger.warning("requests are missing in the request log: its buffer was full", extra={"count": dropped})
        return written

    def _start(self) -> None:
        if not settings.REQUEST_LOG_FLUSH_SECONDS:
            return
        with self._starting:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="request log", daemon=True)
                self._writer.start()
                # Web servers end their workers by multiprocessing's own exit, which knows neither atexit nor
                # threads begun by the server; what is registered here runs in every process, for itself alone.
                Finalize(None, self._write_the_rest, exitpriority=10)

    def _write(self) -> None:
        while True:
            try:
                self.flush()
            except Error:
                logger.warning("the request log could not be written: it is tried again", exc_info=True)
                connections["platform"].close()
                time.sleep(TROUBLE_SECONDS)
            except Exception:  # one line that cannot be written must not end the log of all others
                logger.exception("a batch of the request log was lost")
            time.sleep(settings.REQUEST_LOG_FLUSH_SECONDS)

    def _write_the_rest(self) -> None:
        """At the end of the process."""
        try:
            self.flush()
        except Error:
            logger.warning("the end of the request log could not be written", exc_info=True)
        connections["platform"].close()


log = Buffer()
os.register_at_fork(after_in_child=log.reset)
