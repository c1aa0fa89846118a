"""Signed notices: written with the change they tell of, sent until they are acknowledged."""

import json
import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx

from payments.providers.sandbox import signing
from payments.providers.sandbox.acquirer.faults import Faults
from payments.providers.sandbox.acquirer.store import Store

logger = logging.getLogger(__name__)

RETRY_AFTER = (1, 5, 30, 120, 600, 3_600, 6 * 3_600, 24 * 3_600)  # seconds after each attempt that failed
TIMEOUT = httpx.Timeout(5.0, connect=2.0)
BATCH = 100
# How long a notice that is to come late waits for the one it lets pass.
HELD_BACK_SECONDS = 2.0
IDLE_SECONDS_MAX = 60.0


class Notices:
    """The queue of notices, and the thread that sends them."""

    def __init__(self, store: Store, faults: Faults, *, secret: str) -> None:
        self._store = store
        self._faults = faults
        self._secret = secret
        self._woken = threading.Event()
        # Where every notice goes in place of the address that its account named.
        self.everything_to: str | None = None

    def tell(self, account: str, kind: str, known: Mapping[str, Any]) -> None:
        """This will write a notice of what is known now, in the open transaction."""
        identifier = f"acn_{secrets.token_hex(12)}"
        body = json.dumps({"id": identifier, "account": account, "type": kind, "object": dict(known)})
        where = {"account": account, "key": known["key"], "operation": "notice"}
        if self._faults.strikes(("lost_notice",), **where):
            return
        copies = 2 if self._faults.strikes(("duplicate_notice",), **where) else 1
        is_late = self._faults.strikes(("reordered_notices",), **where) is not None
        is_badly_signed = self._faults.strikes(("badly_signed_notice",), **where) is not None
        for _ in range(copies):
            self._store.insert(
                "notice",
                id=identifier,
                account=account,
                url=self._store.all("SELECT notify_url FROM account WHERE account = ?", [account])[0]["notify_url"],
                body=body,
                is_badly_signed=int(is_badly_signed),
                due_at=time.time() + (HELD_BACK_SECONDS if is_late else 0),
            )
        self.wake()

    def wake(self) -> None:
        self._woken.set()

    def next_due(self) -> float | None:
        return self._store.all("SELECT min(due_at) AS due_at FROM notice WHERE done_at IS NULL")[0]["due_at"]

    def hurry(self) -> None:
        """This will make everything due that waits for its time or for another attempt."""
        with self._store.transaction():
            self._store.one("UPDATE notice SET due_at = ? WHERE done_at IS NULL AND due_at > ?", [time.time()] * 2)
        self.wake()

    def forget(self) -> None:
        """This will send no notice that was not taken yet."""
        with self._store.transaction():
            self._store.one("UPDATE notice SET due_at = NULL WHERE done_at IS NULL")

    def send_due(self, client: httpx.Client) -> int:
        """Send what is due, the longest due first. Gives how many were tried."""
        due = self._store.all(
            "SELECT * FROM notice WHERE done_at IS NULL AND due_at <= ? ORDER BY due_at, number LIMIT ?",
            [time.time(), BATCH],
        )
        for notice in due:
            self._note(notice, was_acknowledged=self._send(client, notice))
        return len(due)

    def wait(self, *others: float | None) -> None:
        """Sleep until something is due or somebody wakes us."""
        times = [due for due in (self.next_due(), *others) if due is not None]
        seconds = max(min(times) - time.time(), 0) if times else IDLE_SECONDS_MAX
        self._woken.wait(min(seconds, IDLE_SECONDS_MAX))
        self._woken.clear()

    def _send(self, client: httpx.Client, notice: sqlite3.Row) -> bool:
        url = self.everything_to + notice["account"] if self.everything_to else notice["url"]
        body = notice["body"].encode()
        # A badly signed one is followed by the same notice well signed, as a mended sender would.
        secret = "another secret" if notice["is_badly_signed"] and not notice["attempts_count"] else self._secret
        signature = signing.sign(secret, method="NOTICE", path=notice["account"], body=body, at=int(time.time()))
        headers = {signing.HEADER: signature, "Content-Type": "application/json"}
        try:
            return client.post(url, content=body, headers=headers).is_success
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            logger.info("a notice was not taken: %s", type(error).__name__)
            return False

    def _note(self, notice: sqlite3.Row, *, was_acknowledged: bool) -> None:
        now, attempts = time.time(), notice["attempts_count"] + 1
        if was_acknowledged:
            values: list[Any] = [now, None]
        else:
            values = [None, now + RETRY_AFTER[attempts - 1] if attempts <= len(RETRY_AFTER) else None]
        with self._store.transaction():
            self._store.one(
                "UPDATE notice SET attempts_count = ?, done_at = ?, due_at = ? WHERE number = ?",
                [attempts, *values, notice["number"]],
            )
