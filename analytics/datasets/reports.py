"""Reports over the sales lines: what each makes of one frame, how such parts combine, and what is made of the whole.

A report is three pure functions, so that its parts may be made on any machine and in any
order: `of_frame` (a frame to a partial sum, by its keys), `combine` (how each column of
two partial sums becomes one), and `finish`. Amounts are whole minor units; nothing is
divided but shares, at the end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from analytics.datasets.files import CHARGE
from analytics.datasets.frames import Frame, Partition, Window, stacked

# Products that a report names, by currency; the rest is one row.
PRODUCTS_MAX = 100


@dataclass(frozen=True, slots=True)
class Report:
    """See above. `needs_history`: it is given what was before its window as well."""

    keys: Sequence[str]
    combine: Mapping[str, str]
    of_frame: Callable[[Frame], pa.Table]
    finish: Callable[[pd.DataFrame, Window], pd.DataFrame]
    needs_history: bool = False


def partial(name: str, partition: Partition) -> pa.Table:
    """What a report makes of one partition: a task of its own, wherever the file can be read."""
    return REPORTS[name].of_frame(Frame(partition))


def combine(name: str, partials: Sequence[pa.Table]) -> pa.Table:
    """Partial sums as one, in the order of their keys. Combining what was combined comes to the same."""
    report = REPORTS[name]
    # No threads: the order in which a table is read is the order of its rows.
    whole = pa.concat_tables(partials).group_by(list(report.keys), use_threads=False)
    combined = whole.aggregate(list(report.combine.items())).rename_columns([*report.keys, *report.combine])
    return combined.select(partials[0].column_names).sort_by([(key, "ascending") for key in report.keys])


def _sums(by: Sequence[str], measures: str, finish: Callable[[pd.DataFrame, Window], pd.DataFrame]) -> Report:
    """A report of measures that are added up."""
    named = measures.split()
    return Report(("currency", *by), dict.fromkeys(named, "sum"), lambda frame: frame.sums(by, named), finish)


def _balance(found: pd.DataFrame, _: Window) -> pd.DataFrame:
    """Gross - discounts - refunds = net. The tax is part of it, the fees are not taken off."""
    found["day"] = pd.to_datetime(found["day"], unit="D").dt.date
    found.insert(4, "gross_minor", found["collected_minor"] + found["discounts_minor"])
    return _with_net(found)


def _with_share(found: pd.DataFrame, _: Window) -> pd.DataFrame:
    """And what share of its currency's payments each row is, from 0 to 1."""
    found = _with_net(found)
    whole = found.groupby("currency")["collected_minor"].transform("sum")
    found["share"] = (found["collected_minor"] / whole.where(whole != 0)).fillna(0.0)
    return found.sort_values(["currency", "net_minor"], ascending=[True, False], kind="stable", ignore_index=True)


def _best_first(found: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The best PRODUCTS_MAX with a rank from 1; what is left is one row of rank 0 without a product."""
    found = _with_share(found, window)
    found["rank"] = found.groupby("currency").cumcount() + 1
    is_rest = found["rank"] > PRODUCTS_MAX
    rest = found[is_rest].assign(product="", rank=0).groupby(["currency", "product"], as_index=False).sum()
    return pd.concat([found[~is_rest], rest], ignore_index=True) if is_rest.any() else found


def _by_weekday(found: pd.DataFrame, _: Window) -> pd.DataFrame:
    found.insert(1, "weekday", found["hour"] // 24 + 1)
    found["hour"] %= 24
    return found


def _with_net(found: pd.DataFrame) -> pd.DataFrame:
    found["net_minor"] = found["collected_minor"] - found["refunded_minor"]
    return found


def _of_customers(frame: Frame) -> pa.Table:
    """When each customer was first seen, and what came of them in the window. Guests are the customer without an id."""
    parts = []
    for each in frame.slices:
        if each.kind != CHARGE:
            continue
        codes, labels = each.codes("customer")
        first = np.full(len(labels), np.iinfo(np.int64).max)
        np.minimum.at(first, codes, each.numbers("at"))
        sums = {}
        for name, column in (("charges_count", "count"), ("collected_minor", "amount_minor")):
            sums[name] = np.zeros(len(labels), dtype=np.int64)
            if not frame.is_before:
                np.add.at(sums[name], codes, each.numbers(column).astype(np.int64, copy=False))
        held = np.flatnonzero(first != np.iinfo(np.int64).max)
        kept = {name: values[held] for name, values in {"first_at": first, **sums}.items()}
        parts.append((each.currency, {"customer": labels.take(pa.array(held)), **kept}))
    return stacked(parts, ("customer", "first_at", "charges_count", "collected_minor"))


def _new_and_returning(found: pd.DataFrame, window: Window) -> pd.DataFrame:
    """A customer is new where their first payment ever, in any currency, lies in the window."""
    first = found.groupby("customer")["first_at"].transform("min")
    found["kind"] = np.where(found["customer"] == "", "guest", np.where(first >= window.since, "new", "returning"))
    found = found[found["charges_count"] > 0]
    found["customers_count"] = (found["customer"] != "").astype("int64")
    return found.groupby(["currency", "kind"], as_index=False)[
        ["customers_count", "charges_count", "collected_minor"]
    ].sum()


REPORTS: dict[str, Report] = {
    "sales_by_day": _sums(
        ("day",),
        "charges_count refunds_count collected_minor discounts_minor refunded_minor tax_minor fees_minor",
        _balance,
    ),
    "sales_by_category": _sums(("category",), "baskets_count items_milli collected_minor refunded_minor", _with_share),
    "sales_by_product": _sums(("product",), "items_milli collected_minor refunded_minor", _best_first),
    "sales_by_method": _sums(
        ("method", "brand"), "charges_count refunds_count collected_minor refunded_minor fees_minor", _with_share
    ),
    "sales_by_store": _sums(("store",), "charges_count refunds_count collected_minor refunded_minor", _with_share),
    "sales_by_hour": _sums(("hour",), "charges_count collected_minor", _by_weekday),
    "customers": Report(
        ("currency", "customer"),
        {"first_at": "min", "charges_count": "sum", "collected_minor": "sum"},
        _of_customers,
        _new_and_returning,
        needs_history=True,
    ),
}
