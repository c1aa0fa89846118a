"""Sales lines that nobody sold, as a table of the datasets: for what is asked of files alone, and for benchmarks."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from analytics.datasets import files

_UUID = "0190a1b2-0000-7000-8000-{:012}"


def month(chance: np.random.Generator, first: date, rows: int, *, customers: int = 50_000) -> pa.Table:
    """The lines of a month: forty categories, two thousand products, one line in 25 a refund, one in ten in euros."""
    days = ((first + timedelta(days=31)).replace(day=1) - first).days
    day = np.sort(chance.integers(0, days, rows)).astype(np.int32) + files.number_of(first)
    minute = chance.integers(0, 1_440, rows)
    amount = chance.integers(100, 9_000, rows)
    return pa.table(
        {
            "at": day.astype(np.int64) * 86_400_000 + minute * 60_000,
            "day": day,
            # 1 January 1970 was a Thursday.
            "hour": ((day + 3) % 7 * 24 + minute // 60).astype(np.uint8),
            "kind": _words(chance, [files.CHARGE] * 24 + [files.REFUND], rows),
            "currency": _words(chance, ["CNY"] * 9 + ["EUR"], rows),
            "store": _words(chance, [_UUID.format(each) for each in range(5)], rows),
            "method": _words(chance, ["wallet", "card", "points", "stored_value"], rows),
            "brand": _words(chance, ["", "visa", "unionpay"], rows),
            "category": _words(chance, [f"category {each}" for each in range(40)], rows),
            "product": _words(chance, [_UUID.format(each) for each in range(2_000)], rows),
            "customer": _words(chance, ["", *(_UUID.format(each) for each in range(customers))], rows),
            "count": (chance.random(rows) < 0.5).astype(np.int8),
            "basket": (chance.random(rows) < 0.9).astype(np.int8),
            "amount_minor": amount,
            "discount_minor": amount // 20,
            "tax_minor": amount // 17,
            "fee_minor": amount * 4 // 1_000,
            "items_milli": chance.integers(1, 4, rows) * 1_000,
        }
    )


def _words(chance: np.random.Generator, words: list[str], rows: int) -> pa.Array:
    return pa.array(words).take(pa.array(chance.integers(0, len(words), rows)))
