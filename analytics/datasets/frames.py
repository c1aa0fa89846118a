"""A frame: the sales lines of one file, or of a stretch of it, and sums over them.

Sums are of whole numbers from beginning to end, in arrays that the codes of a file index:
no word is compared with another, and no amount passes through a float.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from analytics.datasets.files import CHARGE, REFUND, WORDS, batches

# Each measure: the kind of rows that it is of (None: of both), and their column.
MEASURES: dict[str, tuple[str | None, str]] = {
    "charges_count": (CHARGE, "count"),
    "baskets_count": (CHARGE, "basket"),
    "refunds_count": (REFUND, "count"),
    "collected_minor": (CHARGE, "amount_minor"),
    "refunded_minor": (REFUND, "amount_minor"),
    "discounts_minor": (CHARGE, "discount_minor"),
    "tax_minor": (None, "tax_minor"),
    "fees_minor": (None, "fee_minor"),
    "items_milli": (CHARGE, "items_milli"),
}
_HOURS = pa.array(range(168), pa.int64())


@dataclass(frozen=True, slots=True)
class Window:
    """From a moment up to another one, which is no part of it; in milliseconds."""

    since: int
    until: int

    @classmethod
    def between(cls, since: datetime, until: datetime) -> "Window":
        return cls(_milliseconds(since), _milliseconds(until))


@dataclass(frozen=True, slots=True)
class Partition:
    """A file, by its path, or what one would hold: one piece of work, which may be done on another machine.

    Rows outside `only` and rows of the days `without` are left out. `is_before` the window
    that is asked for lies what tells only who was a customer by then.
    """

    source: str | bytes
    only: Window | None = None
    without: frozenset[int] = frozenset()
    is_before: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one currency and kind, by day."""

    currency: str
    kind: str
    batch: pa.RecordBatch

    def numbers(self, name: str) -> np.ndarray:
        return self.batch.column(name).to_numpy()

    def codes(self, name: str) -> tuple[np.ndarray, pa.Array]:
        """A column as codes, and what each code stands for."""
        if name == "hour":
            return self.numbers(name), _HOURS
        column = self.batch.column(name)
        return column.indices.to_numpy(), column.dictionary


class Frame:
    """The rows of a partition."""

    def __init__(self, partition: Partition) -> None:
        self.is_before = partition.is_before
        self.slices = [
            Slice(batch.column("currency")[0].as_py(), batch.column("kind")[0].as_py(), batch)
            for batch in (_kept(each, partition) for each in batches(partition.source))
            if batch.num_rows
        ]

    def sums(self, by: Sequence[str], measures: Iterable[str]) -> pa.Table:
        """Measures by currency and by words, the hour or the day. What is 0 everywhere is left out."""
        named, parts = list(measures), []
        for each in self.slices:
            own = {name: column for name in named for kind, column in [MEASURES[name]] if kind in (None, each.kind)}
            if own:
                keys, summed = _by_day(each, own) if list(by) == ["day"] else _by_codes(each, by, own)
                zero = np.zeros(len(keys[by[0]]), dtype=np.int64)
                parts.append((each.currency, {**keys, **{name: summed.get(name, zero) for name in named}}))
        return stacked(parts, [*by, *named])


def _by_day(part: Slice, columns: dict[str, str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Days lie one after the other."""
    day = part.numbers("day")
    starts = np.concatenate(([0], np.flatnonzero(day[1:] != day[:-1]) + 1))
    summed = {name: np.add.reduceat(part.numbers(column), starts, dtype=np.int64) for name, column in columns.items()}
    return {"day": day[starts].astype(np.int64)}, summed


def _by_codes(part: Slice, by: Sequence[str], columns: dict[str, str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Several words are one code, in the order of their names."""
    codes, labels = part.codes(by[0])
    dictionaries = [labels]
    for name in by[1:]:
        more, labels = part.codes(name)
        codes = codes.astype(np.int32) * np.int32(len(labels)) + more
        dictionaries.append(labels)
    sizes = [len(each) for each in dictionaries]
    summed = {}
    for name, column in columns.items():
        summed[name] = np.zeros(int(np.prod(sizes)), dtype=np.int64)
        np.add.at(summed[name], codes, part.numbers(column).astype(np.int64, copy=False))
    held = np.flatnonzero(np.any([each != 0 for each in summed.values()], axis=0))
    places = np.unravel_index(held, sizes)
    keys = {name: labels.take(pa.array(place)) for name, labels, place in zip(by, dictionaries, places, strict=True)}
    return keys, {name: each[held] for name, each in summed.items()}


def stacked(parts: Sequence[tuple[str, Mapping[str, Any]]], columns: Sequence[str]) -> pa.Table:
    """Columns of some currencies below each other; where there are none, a table of the same kind without rows."""
    schema = pa.schema(
        [("currency", pa.string()), *((name, pa.string() if name in WORDS else pa.int64()) for name in columns)]
    )
    return pa.concat_tables(
        [
            schema.empty_table(),
            *(
                pa.table([pa.repeat(currency, len(found[columns[0]])), *map(found.__getitem__, columns)], schema=schema)
                for currency, found in parts
            ),
        ]
    )


def _kept(batch: pa.RecordBatch, partition: Partition) -> pa.RecordBatch:
    """The rows that count, without copying where all of them do."""
    if partition.only is None and not partition.without:
        return batch
    kept = np.ones(batch.num_rows, dtype=bool)
    if partition.only:
        at = batch.column("at").to_numpy()
        kept &= (at >= partition.only.since) & (at < partition.only.until)
    if partition.without:
        kept &= ~np.isin(batch.column("day").to_numpy(), list(partition.without))
    return batch if kept.all() else batch.filter(pa.array(kept))


def _milliseconds(at: datetime) -> int:
    whole = at.replace(microsecond=0)
    return int(whole.timestamp()) * 1000 + at.microsecond // 1000
