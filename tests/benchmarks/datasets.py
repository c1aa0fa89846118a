"""Five reports over many order lines, beside polars, duckdb and plain pandas over the same lines in the same run.

The lines are made up straight into the files (tests/analytics/datasets/made.py): ten
million orders through the database would take longer than everything else here. The peers
get the same files, read into their own memory before the clock runs, words as categories
where they know such; ours are mapped, and read by queries.run with its manifest. Each report is
asked ROUNDS times and the fastest counts. The processor's time stands beside the
clock's, for machines that have other things to do.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa

from analytics.datasets import files, queries
from analytics.datasets.models import Dataset, DatasetFile, made_folder_of
from analytics.facts import operations as facts
from analytics.facts.models import Projection
from merchant_platform.kernel import clock, ids, tenancy
from security.merchants.models import Book
from tests.analytics.datasets import made
from tests.benchmarks import wallet_payments

MONTHS, ROUNDS = 12, 3
FIRST = date(2025, 1, 1)
TARGET_SECONDS = 0.5
REPORTS = ("sales_by_day", "sales_by_category", "sales_by_product", "sales_by_method", "sales_by_hour")
# By what each report adds up, and what: the same work for everybody.
_ASKED = {
    "sales_by_day": (["day"], "charges refunds collected discounts refunded tax fees"),
    "sales_by_category": (["category"], "baskets items collected refunded"),
    "sales_by_product": (["product"], "items collected refunded"),
    "sales_by_method": (["method", "brand"], "charges refunds collected refunded fees"),
    "sales_by_hour": (["hour"], "charges collected"),
}
_MEASURES = {
    "charges": ("charge", "count"),
    "refunds": ("refund", "count"),
    "baskets": ("charge", "basket"),
    "collected": ("charge", "amount_minor"),
    "refunded": ("refund", "amount_minor"),
    "discounts": ("charge", "discount_minor"),
    "tax": (None, "tax_minor"),
    "fees": (None, "fee_minor"),
    "items": ("charge", "items_milli"),
}


def measure(*, lines: int, emit: Callable[..., None]) -> bool:
    """Make the files, ask everybody. Returns whether all said the same and ours was within the target."""
    book, _ = wallet_payments._merchant("columns")
    began = time.perf_counter()
    table = _written(book, lines)
    emit(bench="datasets: files", lines=table.num_rows, seconds=round(time.perf_counter() - began, 1))
    peers = {"ours": _ours(book), "polars": _polars(table), "duckdb": _duckdb(table), "pandas": _pandas(table)}
    took: dict[str, tuple[float, float]] = {}
    answers = {}
    for name, ask in peers.items():
        wall = cpu = 0.0
        for report in REPORTS:
            rounds = [_timed(lambda report=report, ask=ask: ask(report)) for _ in range(ROUNDS)]
            wall, cpu = wall + min(each[0] for each in rounds), cpu + min(each[1] for each in rounds)
            answers[name, report] = rounds[0][2]
        took[name] = wall, cpu
        emit(
            bench="datasets: five reports over everything", who=name, lines=table.num_rows, seconds=round(wall, 3),
            cpu_seconds=round(cpu, 3), times_ours=round(wall / took["ours"][0], 2),
            times_ours_cpu=round(cpu / took["ours"][1], 2),
        )  # fmt: skip
    agree = all(answers[name, report] == answers["ours", report] for name in peers for report in REPORTS)
    emit(bench="datasets: agree", all_say_the_same=agree, target_seconds=TARGET_SECONDS, cores=os.cpu_count())
    return agree and took["ours"][0] < TARGET_SECONDS


def _written(book: Book, lines: int) -> pa.Table:
    """Months of lines as files with a manifest, as the writer leaves them."""
    chance, now, first, tables = np.random.default_rng(5), clock.wall(), FIRST, []
    facts.note_changes()
    folder = made_folder_of(book.pk)
    with tenancy.within(book.pk):
        Projection.objects.get_or_create(pk=book.pk, defaults={"zone": book.merchant.time_zone})
        Dataset.objects.get_or_create(pk=book.pk, defaults={"zone": book.merchant.time_zone})
        for _ in range(MONTHS):
            after = (first + timedelta(days=31)).replace(day=1)
            tables.append(made.month(chance, first, lines // MONTHS))
            name = ids.new(now)
            written = files.write(tables[-1], folder / f"{name.hex}.arrow")
            DatasetFile.objects.create(
                book_id=book.pk, first_day=first, last_day=after - timedelta(days=1), name=name,
                rows_count=written.rows_count, bytes_count=written.bytes_count, checksum=written.checksum,
            )  # fmt: skip
            first = after
    return pa.concat_tables(tables)


def _ours(book: Book) -> Callable[[str], int]:
    since, until = datetime(2024, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)

    def ask(report: str) -> int:
        found = queries.run(report, book_id=book.pk, since=since, until=until)
        return int(found["collected_minor"].sum())

    return ask


def _coded(table: pa.Table) -> pa.Table:
    """Words as codes, for those who group by them faster."""
    for name in files.WORDS:
        column = table.column(name).combine_chunks().dictionary_encode()
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _polars(table: pa.Table) -> Callable[[str], int]:
    frame: Any = pl.from_arrow(_coded(table))
    frame = frame.with_columns(pl.col(name).cast(pl.Categorical) for name in files.WORDS)

    def ask(report: str) -> int:
        by, measures = _ASKED[report]
        sums = []
        for measure_ in measures.split():
            kind, column = _MEASURES[measure_]
            value = pl.col(column).cast(pl.Int64)
            chosen = value.sum() if kind is None else value.filter(pl.col("kind") == kind).sum()
            sums.append(chosen.alias(measure_))
        return int(frame.lazy().group_by("currency", *by).agg(sums).collect()["collected"].sum())

    return ask


def _duckdb(table: pa.Table) -> Callable[[str], int]:
    connection = duckdb.connect()
    connection.register("given", table)
    enums = []
    for name in files.WORDS:
        connection.execute(f"CREATE TYPE {name}_word AS ENUM (SELECT DISTINCT {name} FROM given)")
        enums.append(f"{name}::{name}_word AS {name}")
    rest = ", ".join(f'"{name}"' for name in files.COLUMNS if name not in files.WORDS)
    connection.execute(f"CREATE TABLE lines AS SELECT {', '.join(enums)}, {rest} FROM given")

    def ask(report: str) -> int:
        by, measures = _ASKED[report]
        sums = []
        for measure_ in measures.split():
            kind, column = _MEASURES[measure_]
            narrowed = f" FILTER (WHERE kind = '{kind}')" if kind else ""
            sums.append(f'sum("{column}"){narrowed} AS {measure_}')
        found = connection.execute(
            f"SELECT currency, {', '.join(by)}, {', '.join(sums)} FROM lines GROUP BY currency, {', '.join(by)}"
        ).df()
        return int(found["collected"].sum())

    return ask


def _pandas(table: pa.Table) -> Callable[[str], int]:
    frame = _coded(table).to_pandas()

    def ask(report: str) -> int:
        by, measures = _ASKED[report]
        collected = 0
        for kind in ("charge", "refund", None):
            columns = [column for name in measures.split() for of, column in [_MEASURES[name]] if of == kind]
            if columns:
                rows = frame if kind is None else frame[frame["kind"] == kind]
                found = rows.groupby(["currency", *by], observed=True)[columns].sum()
                if kind == "charge":
                    collected = int(found["amount_minor"].sum())
        return collected

    return ask


def _timed(act: Callable[[], int]) -> tuple[float, float, int]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = act()
    return time.perf_counter() - wall, time.process_time() - cpu, found
