"""Rows for every tenant table, built from what the database says of its columns: no table can be forgotten."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from merchant_platform.tables import TENANT
from tests.architecture.asking import as_owner

# What a check asks of a text, where 'x' will not do.
WORDS = {
    ("analytics_report", "kind"): "sales",
    ("analytics_report", "format"): "csv",
    ("analytics_report", "language"): "en",
    ("analytics_report", "status"): "failed",
    ("analytics_reportschedule", "kind"): "sales",
    ("analytics_reportschedule", "format"): "csv",
    ("analytics_reportschedule", "language"): "en",
    ("analytics_reportschedule", "frequency"): "daily",
    ("analytics_reportschedule", "status"): "active",
    ("members_contact", "kind"): "phone",
    ("members_duplicate", "reason"): "phone",
    ("members_memberimport", "status"): "planned",
    ("members_importrow", "kind"): "created",
    ("members_importrow", "state"): "waiting",
    ("members_member", "source"): "api",
    ("members_member", "status"): "active",
    ("members_offer", "kind"): "percent",
    ("members_offer", "status"): "draft",
    ("members_offerredemption", "status"): "held",
    ("members_lot", "kind"): "earned",
    ("members_lotmove", "elsewhere_points"): "0",
    ("members_redemption", "status"): "held",
    ("members_run", "kind"): "tiers",
    ("payments_bulkitem", "status"): "waiting",
    ("payments_bulkjob", "act"): "refund",
    ("payments_holdoutcome", "kind"): "complete",
    ("payments_storedvalueload", "status"): "pending",
    ("payments_tender", "status"): "chosen",
    ("payments_webhookdelivery", "status"): "pending",
    ("payments_webhookendpoint", "status"): "enabled",
    ("security_approval", "status"): "requested",
    ("security_consent", "purpose"): "profile",
}
# References of which a check asks one: the first, where none is given.
ONE_OF = {
    "analytics_report": ("staff_id",),
    "payments_receipt": ("intent_id", "order_id"),
    "payments_refundline": ("refund_id", "tender_refund_id"),
    "payments_storedvalueload": ("order_line_id",),
}
# What a check asks of a row that has a certain reference: other words, and other references.
WITH: dict[tuple[str, str], tuple[dict[str, str], tuple[str, ...]]] = {
    ("members_member", "merged_into_id"): ({"status": "merged"}, ()),
    ("payments_storedvalueload", "entry_id"): ({"status": "loaded"}, ()),
    ("payments_tender", "entry_id"): ({"status": "completed"}, ("hold_id",)),
    ("payments_tender", "hold_id"): ({"status": "reserved"}, ()),
}
# Numbers that a book gives once.
COUNTED = {("payments_receipt", "number")}
# Short texts that are given once on the platform.
ONCE = {("security_merchant", "slug"), ("security_user", "email")}
_numbers = count(1)
# Tables of which a book has one row: whoever points there points at that one.
ONE_A_BOOK = frozenset({"security_datakey"})
AT = datetime(2026, 3, 2, tzinfo=UTC)

_MAKERS: dict[str, Any] = {
    "bigint": lambda: 1,
    "boolean": lambda: False,
    "bytea": lambda: uuid4().bytes,
    "character varying": lambda: "x",
    "date": AT.date,
    "integer": lambda: 1,
    "integer[]": list,
    "jsonb": lambda: "{}",
    "smallint": lambda: 1,
    "text": lambda: uuid4().hex,
    "timestamp with time zone": lambda: AT,
    "uuid": uuid4,
    "uuid[]": list,
    "xid8": lambda: "3",
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    is_needed: bool


@dataclass(frozen=True)
class Reference:
    """A foreign key: its columns here, and the columns they name there."""

    name: str
    table: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]

    @property
    def column(self) -> str:
        """The column beside the book."""
        return next(column for column in self.columns if column != "book_id")


@dataclass
class World:
    """Rows of one book, made by the owner; each table's first row is what others point at."""

    book_id: UUID
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def fill(self) -> "World":
        """This will write a row into every tenant table."""
        for table in sorted(TENANT):
            self.row(table)
        return self

    def row(self, table: str) -> dict[str, Any]:
        """The book's row of a table, made where it is missing."""
        if table not in self.rows:
            self.rows[table] = self.new(table)
        return self.rows[table]

    def new(self, table: str) -> dict[str, Any]:
        """One more row of a table, with parents of its own where a unique key would object."""
        values = self.values(table)
        add(table, values)
        return values

    def values(self, table: str, **given: Any) -> dict[str, Any]:
        """The values of a row that could be inserted; what it points at is there."""
        values: dict[str, Any] = dict(given)
        needed = set(_needed(table))
        if not set(ONE_OF.get(table, ())) & set(given):
            needed |= set(ONE_OF.get(table, ())[:1])
        for name in given:
            words, also = WITH.get((table, name), ({}, ()))
            values |= words
            needed |= set(also)
        for reference in references(table):
            if reference.column not in values and reference.column in needed:
                values[reference.column] = self.target(reference)
        for column in columns(table):
            if column.is_needed and column.name not in values:
                key = (table, column.name)
                type_ = "text" if key in ONCE else column.type
                made = next(_numbers) if key in COUNTED else WORDS.get(key) or _MAKERS[type_]()
                values[column.name] = self.book_id if column.name == "book_id" else made
        return values

    def target(self, reference: Reference) -> Any:
        """The id of a row that a reference of this book may name."""
        if reference.target in TENANT:
            make = self.row if reference.target in ONE_A_BOOK else self.new
            return make(reference.target)["id"]
        values = World(self.book_id).values(reference.target)
        add(reference.target, values)
        return values["id"]


def insertion(table: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The statement that writes a row, and its parameters."""
    marks = ", ".join("%s" for _ in values)
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values())


def add(table: str, values: Mapping[str, Any]) -> None:
    """This will write a row as the owner."""
    as_owner(*insertion(table, values))


def stored(table: str, book_id: UUID) -> list[str]:
    """All rows of a book as the owner sees them, as text that can be compared."""
    rows = as_owner(f"SELECT to_jsonb(t) FROM {table} t WHERE book_id = %s", [book_id])
    return sorted(json.dumps(row, sort_keys=True) for (row,) in rows)


@cache
def columns(table: str) -> tuple[Column, ...]:
    return tuple(
        Column(*described)
        for described in as_owner(
            "SELECT a.attname, split_part(format_type(a.atttypid, NULL), '(', 1), a.attnotnull AND NOT a.atthasdef"
            " FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped",
            [table],
        )
    )


@cache
def references(table: str) -> tuple[Reference, ...]:
    """The foreign keys of a table."""
    return tuple(
        Reference(name, table, tuple(here), target, tuple(there))
        for name, target, here, there in as_owner(
            "SELECT k.conname, k.confrelid::regclass::text,"
            " ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS c (number, place)"
            "  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.number ORDER BY c.place),"
            " ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS c (number, place)"
            "  JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.number ORDER BY c.place)"
            " FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid = %s::regclass ORDER BY k.conname",
            [table],
        )
    )


def _needed(table: str) -> set[str]:
    return {column.name for column in columns(table) if column.is_needed}
