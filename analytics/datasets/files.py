"""The files: sales lines by columns, as Arrow writes them, mapped into memory and read where they lie.

A file is one table of COLUMNS. Words are codes into a dictionary of the file, from 0 on
without gaps, so that a sum by one of them is an addition into an array. Rows lie by
currency and kind, one record batch each, and within it by day. Any reader of Arrow reads
them; this module needs no database and no settings, so that other machines run it.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CHARGE, REFUND = "charge", "refund"
WORDS = ("kind", "currency", "store", "method", "brand", "category", "product", "customer")
# `at` is in milliseconds, as ids are; `day` counts from 1970 and `hour` from Monday's midnight, in the merchant's zone;
# `count` is 1 on the first line of a payment or refund (-1 of one that failed), `basket` on the first of a category.
COLUMNS = {
    "at": pa.int64(),
    "day": pa.int32(),
    "hour": pa.uint8(),
    **dict.fromkeys(WORDS, pa.string()),
    "count": pa.int8(),
    "basket": pa.int8(),
    **dict.fromkeys(("amount_minor", "discount_minor", "tax_minor", "fee_minor", "items_milli"), pa.int64()),
}
_EPOCH = date(1970, 1, 1).toordinal()
_CODES = (pa.int8(), pa.int16(), pa.int32())


@dataclass(frozen=True, slots=True)
class Written:
    """What a file came to."""

    rows_count: int
    bytes_count: int
    checksum: str


def number_of(day: date) -> int:
    """A day as files count it."""
    return day.toordinal() - _EPOCH


def day_of(number: int) -> date:
    """A day from its number."""
    return date.fromordinal(number + _EPOCH)


def write(table: pa.Table, path: Path) -> Written:
    """Write a table as a file that is there whole or not at all, for this user's eyes alone."""
    half = path.with_suffix(".half")
    with open(half, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
        _into(stream, table)
        stream.flush()
        os.fsync(stream.fileno())
    with open(half, "rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    written = Written(table.num_rows, half.stat().st_size, checksum)
    half.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return written


def packed(table: pa.Table) -> bytes:
    """What a file of the table would hold."""
    sink = pa.BufferOutputStream()
    _into(sink, table)
    return sink.getvalue().to_pybytes()


def batches(source: str | bytes) -> Iterator[pa.RecordBatch]:
    """The record batches of a file, by its path, or of what it would hold. Nothing is copied."""
    opened: Any = pa.memory_map(source) if isinstance(source, str) else pa.BufferReader(source)
    reader = pa.ipc.open_file(opened)
    return (reader.get_batch(number) for number in range(reader.num_record_batches))


def read(path: Path) -> pa.Table:
    """A file as a table whose words are written out."""
    found = pa.Table.from_batches(list(batches(str(path))), schema=_schema(path))
    return found.cast(pa.schema(COLUMNS))


def mentions(path: Path, customer: str) -> bool:
    """Whether a customer stands in a file."""
    return any(pc.index(batch.column("customer").dictionary, customer).as_py() >= 0 for batch in batches(str(path)))


def _schema(path: Path) -> pa.Schema:
    with pa.memory_map(str(path)) as mapped:
        return pa.ipc.open_file(mapped).schema


def _into(sink: Any, table: pa.Table) -> None:
    ordered = _coded(
        table.select(list(COLUMNS)).sort_by([("currency", "ascending"), ("kind", "ascending"), ("day", "ascending")])
    )
    with pa.ipc.new_file(sink, ordered.schema) as writer:
        for start, stop in _runs(ordered):
            writer.write_batch(ordered.slice(start, stop - start).to_batches()[0])


def _coded(table: pa.Table) -> pa.Table:
    """The table with each column in one piece, and words as codes of the smallest kind that holds them."""
    columns = {}
    for name in COLUMNS:
        column = table.column(name).combine_chunks()
        if name in WORDS:
            column = column.dictionary_encode()
            kind = next(each for each in _CODES if len(column.dictionary) <= 1 << each.bit_width - 1)
            column = pa.DictionaryArray.from_arrays(column.indices.cast(kind), column.dictionary)
        columns[name] = column
    return pa.table(columns)


def _runs(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Where the rows of each currency and kind begin and end."""
    if not table.num_rows:
        return iter(())
    currency, kind = (table.column(name).chunk(0).indices.to_numpy() for name in ("currency", "kind"))
    edges = np.flatnonzero((np.diff(currency) != 0) | (np.diff(kind) != 0)) + 1
    return zip([0, *edges.tolist()], [*edges.tolist(), table.num_rows], strict=True)
