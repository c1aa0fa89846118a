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
# Rows that a run must have on average to be added up by itself first.
_WORTH_IT = 8
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
    """Rows of one currency and kind, as files order them."""

    currency: str
    kind: str
    batch: pa.RecordBatch

    def numbers(self, name: str) -> np.ndarray:
        return self.batch.column(name).to_numpy()

    def codes(self, name: str) -> tuple[np.ndarray, pa.Array]:
        """A column as codes, and what each code stands for."""
        if name == "hour":
            return self.numbers(name), _HOURS
        if name == "day":
            day = self.numbers(name)
            first = int(day.min())
            return day - first, pa.array(range(first, int(day.max()) + 1), pa.int64())
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
                keys, summed = _sums(each, by, own)
                zero = np.zeros(len(keys[by[0]]), dtype=np.int64)
                parts.append((each.currency, {**keys, **{name: summed.get(name, zero) for name in named}}))
        return stacked(parts, [*by, *named])


def _sums(part: Slice, by: Sequence[str], columns: dict[str, str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What each measure comes to by some keys. Rows of the same key that lie together are added up first."""
    keys = [part.codes(name) for name in by]
    sizes = [len(labels) for _, labels in keys]
    runs = _runs([codes for codes, _ in keys])
    codes = _joint([codes if runs is None else codes[runs] for codes, _ in keys], sizes)
    summed = {}
    for name, column in columns.items():
        values = part.numbers(column)
        summed[name] = np.zeros(int(np.prod(sizes)), dtype=np.int64)
        np.add.at(
            summed[name],
            codes,
            values.astype(np.int64, copy=False) if runs is None else np.add.reduceat(values, runs, dtype=np.int64),
        )
    held = np.flatnonzero(np.any([each != 0 for each in summed.values()], axis=0))
    places = np.unravel_index(held, sizes)
    named = {name: labels.take(pa.array(place)) for name, (_, labels), place in zip(by, keys, places, strict=True)}
    return named, {name: each[held] for name, each in summed.items()}


def _runs(keys: Sequence[np.ndarray]) -> np.ndarray | None:
    """Where runs of rows of the same keys begin. None where they are too short to be worth it."""
    changes = keys[0][1:] != keys[0][:-1]
    for more in keys[1:]:
        changes |= more[1:] != more[:-1]
    if np.count_nonzero(changes) * _WORTH_IT > len(changes):
        return None
    return np.concatenate(([0], np.flatnonzero(changes) + 1))


def _joint(keys: Sequence[np.ndarray], sizes: Sequence[int]) -> np.ndarray:
    """Several codes as one, in the order of the keys."""
    joint = keys[0]
    for codes, size in zip(keys[1:], sizes[1:], strict=True):
        joint = joint.astype(np.int32) * np.int32(size) + codes
    return joint


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
