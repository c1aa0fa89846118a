"""Two years of trade in one book: how long its facts take to make again, and what is asked of them.

Every number is of the real tables, the real page and the real file: Home through all its
middleware and its template, the list of payments as CSV. Seconds are by the clock, and
beside them the seconds of processors that this process and the database used, for machines
that have other things to do; memory is what all processes of the platform hold, each
shared page once. The peers are given the same sales lines, in their own memory.
"""

import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import psutil  # type: ignore[import-untyped]
import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.facts import operations as facts
from analytics.facts.models import BuyerCount, BuyerDay, DirtyQuarter, PaymentDay, SalesDay
from analytics.insights import queries
from analytics.insights.periods import Period
from merchant_platform.kernel import clock, ids, tenancy
from security.merchants.models import LIVE, Book
from tests.benchmarks import trade, wallet_payments
from tests.staff import make_staff, signed_in

DAYS, REQUESTS, ROWS_STREAMED = 730, 50, 1_000_000
PRESETS = ("7", "28", "90")
HOME_P95_MS, REBUILD_SECONDS, MEMORY_GIB, BYTES_A_LINE = 100, 180, 4, 2_048
_ALL_BUYERS = """
SELECT customer_id::text AS customer, (created_at AT TIME ZONE %s)::date AS day, received_minor
FROM payments_paymentintent WHERE book_id = %s AND status = 'succeeded'
"""


def measure(*, lines: int, port: int, data_dir: Path, emit: Callable[..., None]) -> bool:
    """Seed a book, make its facts, ask its pages. Returns whether they answer what was seeded, within the targets."""
    book, _ = wallet_payments._merchant("seller")
    orders, now = lines // 2, clock.wall()
    step = timedelta(days=DAYS) / orders
    with used(data_dir) as seeding:
        made = trade.prepare(book, since=now - timedelta(days=DAYS), step=step)
        trade.sell(made, 0, orders)
        _vacuum()
    a_line = trade.bytes_of_tables() / lines
    emit(bench="facts: seeded by COPY", lines=lines, bytes_a_line=round(a_line), **seeding.figures)
    with used(data_dir) as rebuilding:
        call_command("facts", "rebuild", book=ids.show("bk", book.pk), stdout=sys.stderr)
        _make_all(book)
    _vacuum()
    emit(bench="facts: rebuilt", lines=lines, target_seconds=REBUILD_SECONDS, **rebuilding.figures)
    is_right = _counts(book, orders, now)

    client = signed_in(make_staff(book.merchant, "analyst"), HTTP_HOST=f"localhost:{port}")
    home = _home(client, book, now)
    emit(bench="facts: Home", lines=lines, requests=REQUESTS, target_p95_ms=HOME_P95_MS, **home)
    emit(bench="facts: a day more", lines=lines, **_day_more(made, orders, data_dir))
    streamed = _stream(client, book, data_dir)
    emit(bench="facts: payments as CSV", **streamed)
    for figures in _peers(book, now):
        emit(bench="facts: buyers and volume of 28 days and of 28 before", **figures)
    return (
        is_right
        and streamed["rows"] >= min(orders, ROWS_STREAMED)
        and home["p95_ms"] < HOME_P95_MS
        and a_line < BYTES_A_LINE
        and rebuilding.seconds < REBUILD_SECONDS
        and rebuilding.peak_bytes < MEMORY_GIB << 30
    )


@dataclass(slots=True)
class Used:
    """What some work took."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    before_bytes: int = 0
    peak_bytes: int = 0

    @property
    def figures(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 1),
            "cpu_seconds": round(self.cpu_seconds, 1),
            "peak_mib": self.peak_bytes >> 20,
            "grown_mib": (self.peak_bytes - self.before_bytes) >> 20,
        }


@contextmanager
def used(data_dir: Path) -> Iterator[Used]:
    """Watch the processes of the platform and this one."""
    found, is_over = Used(), threading.Event()
    found.before_bytes = _memory(data_dir)

    def watch() -> None:
        while not is_over.wait(1.0):
            found.peak_bytes = max(found.peak_bytes, _memory(data_dir))

    watching = threading.Thread(target=watch)
    watching.start()
    began, cpu = time.perf_counter(), _cpu(data_dir)
    try:
        yield found
    finally:
        found.seconds, found.cpu_seconds = time.perf_counter() - began, _cpu(data_dir) - cpu
        is_over.set()
        watching.join()
        found.peak_bytes = max(found.peak_bytes, _memory(data_dir))


def _processes(data_dir: Path) -> list[psutil.Process]:
    """This process, what it started, and the database's."""
    found = {process.pid: process for process in (psutil.Process(), *psutil.Process().children(recursive=True))}
    for path in data_dir.rglob("postmaster.pid"):
        server = psutil.Process(int(path.read_text().split("\n")[0]))
        found |= {process.pid: process for process in (server, *server.children())}
    return list(found.values())


def _memory(data_dir: Path) -> int:
    total = 0
    for process in _processes(data_dir):
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


def _cpu(data_dir: Path) -> float:
    """Of this process and the database: the workers of the platform do other things."""
    total = time.process_time()
    for process in _processes(data_dir):
        try:
            if process.name() == "postgres":
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        except psutil.NoSuchProcess:
            continue
    return total


def _vacuum() -> None:
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")


def _make_all(book: Book) -> None:
    """Until nothing is due: the platform's own worker may be at it as well."""
    while True:
        with tenancy.within(book.pk):
            if not DirtyQuarter.objects.exists():
                return
        if not facts.follow(book.pk):
            time.sleep(0.1)


def _counts(book: Book, orders: int, now: datetime) -> bool:
    """Whether the facts count what was seeded."""
    with tenancy.within(book.pk):
        made = sum(PaymentDay.objects.values_list("made_count", flat=True))
        sold = sum(SalesDay.objects.values_list("charges_count", flat=True))
    return made == sold == orders


def _desk(book: Book) -> str:
    """Where the book's own pages begin: trade is seeded in a test book."""
    return f"/dashboard/{book.merchant.slug}/{'' if book.mode == LIVE else 'test/'}"


def _home(client: Client, book: Book, now: datetime) -> dict[str, Any]:
    """Home for buttons and for chosen periods, each asked before the clock runs."""
    today = now.astimezone(book.merchant.zone).date()
    desk = _desk(book)
    addresses = [f"{desk}?period={days}" for days in PRESETS]
    for length, back in ((366, 0), (180, 30), (28, 200), (1, 0)):
        last = today - timedelta(days=back)
        first = last - timedelta(days=length - 1)
        addresses.append(f"{desk}?period=custom&since={first}&until={last}")
    by_address: dict[str, list[float]] = {address: [] for address in addresses}
    for address in addresses:
        assert client.get(address).status_code == 200
    for number in range(REQUESTS):
        address = addresses[number % len(addresses)]
        began = time.perf_counter()
        client.get(address)
        by_address[address].append((time.perf_counter() - began) * 1000)
    took = [each for times in by_address.values() for each in times]
    with CaptureQueriesContext(connections["default"]) as own, CaptureQueriesContext(connections["platform"]) as others:
        client.get(addresses[1])
    return {
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(statistics.quantiles(took, n=20)[-1], 1),
        "median_ms_by_period": {
            address.partition("?")[2]: round(statistics.median(times), 1) for address, times in by_address.items()
        },
        "statements": len(own) + len(others),
    }


def _day_more(made: trade.Trade, orders: int, data_dir: Path) -> dict[str, Any]:
    """Sell for one more day, and see which rows of the facts that writes."""
    book = made.book
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        began_at = int(cursor.fetchone()[0])
    a_day = max(int(timedelta(days=1) / made.step), 1)
    trade.sell(made, orders, orders + a_day)
    since = made.since + orders * made.step
    with tenancy.within(book.pk):
        first = since.replace(minute=since.minute // 15 * 15, second=0, microsecond=0)
        # As the events of these payments would have it.
        DirtyQuarter.objects.bulk_create(
            [DirtyQuarter(book_id=book.pk, quarter_at=first + number * facts.QUARTER) for number in range(102)],
            ignore_conflicts=True,
        )
    with used(data_dir) as taken:
        _make_all(book)
    written, days = 0, set()
    for model in (PaymentDay, SalesDay, BuyerDay, BuyerCount):
        with tenancy.within(book.pk), connections["default"].cursor() as cursor:
            cursor.execute(
                f"SELECT day, count(*) FROM {model._meta.db_table}"
                " WHERE book_id = %s AND xmin::text::bigint >= %s GROUP BY day",
                [book.pk, began_at],
            )
            for day, count in cursor.fetchall():
                days.add(day.isoformat())
                written += count
    return {"orders": a_day, "rows_written": written, "days_touched": sorted(days), **taken.figures}


def _stream(client: Client, book: Book, data_dir: Path) -> dict[str, Any]:
    """The list of payments as a file: how soon it begins, and what memory a million rows take."""
    with used(data_dir) as taken:
        began = time.perf_counter()
        answer = client.get(f"{_desk(book)}payments/export")
        assert answer.status_code == 200, answer.status_code
        parts = iter(answer.streaming_content)  # type: ignore[attr-defined]
        next(parts)
        first_byte = time.perf_counter() - began
        own = psutil.Process().memory_info().rss
        rows = grown = 0
        for part in parts:
            rows += part.count(b"\n")
            grown = max(grown, psutil.Process().memory_info().rss - own)
            if rows >= ROWS_STREAMED:
                break
        answer.close()
    return {
        "rows": rows,
        "first_byte_ms": round(first_byte * 1000),
        "server_process_grown_mib": grown >> 20,
        **taken.figures,
    }


def _peers(book: Book, now: datetime) -> Iterator[dict[str, Any]]:
    """Who paid how much, by those who read every payment again: what Home asks of one row a day."""
    zone = book.merchant.zone
    period = Period.of_days(28, zone=zone, now=now - timedelta(days=1))
    first, before = period.first, period.before.first
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection.cursor("paid") as cursor:
        cursor.itersize = 100_000
        cursor.execute(_ALL_BUYERS, [zone.key, str(book.pk)])
        columns: tuple[list[Any], ...] = ([], [], [])
        while rows := list(islice(cursor, 100_000)):
            for column, values in zip(columns, zip(*rows, strict=True), strict=True):
                column.extend(values)
    frame = pl.DataFrame(dict(zip(("customer", "day", "received_minor"), columns, strict=True)))
    frame = frame.with_columns(pl.col("customer").cast(pl.Categorical))
    database = duckdb.connect()
    database.register("given", frame.to_arrow())
    database.execute("CREATE TABLE paid AS SELECT * FROM given")
    last = period.last

    def ours() -> tuple[int, int]:
        with tenancy.within(book.pk):
            found = queries.compare(Period(first, last, zone, now))["CNY"]
        return found.current.customers, found.before.customers

    def polars() -> tuple[int, int]:
        counted = (
            frame.lazy().filter(pl.col("day").is_between(before, last))
            .group_by(pl.col("day") >= first)
            .agg(pl.col("customer").drop_nulls().n_unique(), pl.col("received_minor").sum())
            .collect().sort("day")["customer"]
        )  # fmt: skip
        return counted[1], counted[0]

    def duck() -> tuple[int, int]:
        found = dict(
            database.execute(
                "SELECT day >= ?, count(DISTINCT customer) FROM paid WHERE day BETWEEN ? AND ? GROUP BY ALL",
                [first, before, last],
            ).fetchall()
        )
        return found[True], found[False]

    said = ours()
    for name, ask in (("ours", ours), ("polars, all in memory", polars), ("duckdb, all in memory", duck)):
        took = []
        for _ in range(10):
            began = time.perf_counter()
            answer = ask()
            took.append((time.perf_counter() - began) * 1000)
        yield {"who": name, "p50_ms": round(statistics.median(took), 1), "says_the_same": answer == said}
