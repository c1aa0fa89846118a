"""The acquirer's own store: one SQLite file, one connection, one transaction at a time."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    account TEXT PRIMARY KEY,
    present TEXT NOT NULL,
    notify_url TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS payment (
    reference TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status TEXT NOT NULL,
    sequence INTEGER NOT NULL DEFAULT 1,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    authorized_minor INTEGER NOT NULL DEFAULT 0,
    captured_minor INTEGER NOT NULL DEFAULT 0,
    refunded_minor INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    decline_code TEXT,
    captures INTEGER NOT NULL,
    payee TEXT NOT NULL,
    return_url TEXT NOT NULL,
    instrument TEXT NOT NULL,
    card_mac TEXT NOT NULL,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    expires_at TEXT,
    challenge_base TEXT NOT NULL,
    challenge_digest TEXT,
    challenge_until REAL,
    authentication TEXT NOT NULL DEFAULT '{}',
    network TEXT NOT NULL DEFAULT '{}',
    UNIQUE (account, key)
);
CREATE UNIQUE INDEX IF NOT EXISTS payment_challenge ON payment (challenge_digest);
CREATE INDEX IF NOT EXISTS payment_expiry ON payment (account, expires_at) WHERE status = 'authorized';
CREATE TABLE IF NOT EXISTS operation (
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    reference TEXT NOT NULL,
    PRIMARY KEY (account, key)
);
CREATE TABLE IF NOT EXISTS refund (
    reference TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    payment TEXT NOT NULL REFERENCES payment (reference),
    status TEXT NOT NULL,
    sequence INTEGER NOT NULL DEFAULT 1,
    amount_minor INTEGER NOT NULL,
    failure_reason TEXT,
    UNIQUE (account, key)
);
CREATE TABLE IF NOT EXISTS movement (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    reference TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS movement_day ON movement (account, day, number);
CREATE TABLE IF NOT EXISTS verified (
    account TEXT NOT NULL,
    card_mac TEXT NOT NULL,
    PRIMARY KEY (account, card_mac)
);
-- What happens later without being asked: a refund settles, a challenge runs out. By the world's time.
CREATE TABLE IF NOT EXISTS later (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at REAL NOT NULL,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS notice (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    is_badly_signed INTEGER NOT NULL DEFAULT 0,
    attempts_count INTEGER NOT NULL DEFAULT 0,
    due_at REAL,
    done_at REAL
);
CREATE INDEX IF NOT EXISTS notice_due ON notice (due_at) WHERE done_at IS NULL;
"""


class Store:
    """Rows as mappings; every write inside `transaction()`."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        # An answer is a promise: with WAL and FULL it survives a crash of the machine.
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one at a time. Not to be nested."""
        # The connection's own context commits, or rolls back what was begun.
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    def all(self, statement: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def one(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        with self._lock:
            return self._connection.execute(statement, values).fetchone()

    def insert(self, table: str, **values: Any) -> None:
        marks = ", ".join("?" for _ in values)
        self.one(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))

    def close(self) -> None:
        with self._lock:
            self._connection.close()
