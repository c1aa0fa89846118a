"""The files: sales lines by columns, as Arrow writes them, mapped into memory and read where they lie.

A file is one table of COLUMNS. Words are codes into a dictionary of the file, from 0 on
without gaps, so that a sum by one of them is an addition into an array. Rows lie by
currency and kind, one record batch each, and within it in CLUSTERED order, so that rows
that are added up together mostly lie together. Any reader of Arrow reads them; this module
needs no database and no settings, so that other machines run it.
"""

import hashlib
import os
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
# The order of rows within a batch: few words first, so that runs of one word are long.
CLUSTERED = ("method", "brand", "category", "day")
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
    written = Written(table.num_rows, half.stat().st_size, checksum(half))
    half.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return written


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def packed(table: pa.Table) -> bytes:
    """What a file of the table would hold."""
    sink = pa.BufferOutputStream()
    _into(sink, table)
    return sink.getvalue().to_pybytes()


def batches(source: str | bytes) -> list[pa.RecordBatch]:
    """The record batches of a file, by its path, or of what it would hold. Nothing is copied."""
    reader = pa.ipc.open_file(pa.memory_map(source) if isinstance(source, str) else pa.BufferReader(source))
    return [reader.get_batch(number) for number in range(reader.num_record_batches)]


def read(path: Path) -> pa.Table:
    """A file as a table whose words are written out."""
    return pa.Table.from_batches(batches(str(path))).cast(pa.schema(COLUMNS))


def mentions(path: Path, customer: str) -> bool:
    """Whether a customer stands in a file."""
    found = batches(str(path))
    return any(pc.index(batch.column("customer").dictionary, customer).as_py() >= 0 for batch in found)


def _into(sink: Any, table: pa.Table) -> None:
    coded = _coded(table)
    keys = {
        name: (column.indices if name in WORDS else column).to_numpy()
        for name in ("currency", "kind", *CLUSTERED)
        for column in [coded.column(name).chunk(0)]
    }
    place = keys["currency"].astype(np.int64) * 2 + keys["kind"]
    order = np.lexsort((*(keys[name] for name in reversed(CLUSTERED)), place))
    ordered, edges = coded.take(pa.array(order)), np.flatnonzero(np.diff(place[order])) + 1
    with pa.ipc.new_file(sink, ordered.schema) as writer:
        for start, stop in zip([0, *edges.tolist()], [*edges.tolist(), ordered.num_rows], strict=True):
            for batch in ordered.slice(start, stop - start).to_batches():
                writer.write_batch(batch)


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
