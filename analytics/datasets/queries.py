"""Ask the datasets: reports over a book's sales lines, exact at the moment of asking.

Days whose files may be believed are read from files; those that moved since are read from
the database, by the SELECT that the files are made by. A stopped worker makes reports
slower, not wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.datasets import engine, lines
from analytics.datasets.files import number_of, packed
from analytics.datasets.frames import Partition, Window
from analytics.datasets.models import Dataset, DatasetFile, made_folder_of
from analytics.datasets.reports import REPORTS
from analytics.facts import queries as facts
from analytics.facts.days import midnight
from merchant_platform.kernel import tenancy
from security.merchants.models import Book

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


def run(name: str, *, book_id: UUID, since: datetime, until: datetime) -> pd.DataFrame:
    """A report of the sales of a book from `since` up to `until`, which is no part of it. Raises KeyError.

    Both are moments; days and hours are those of the merchant's zone. A sale is where the
    ledger moved it, a refund where it was given. Amounts are integers in minor units,
    apart by `currency`, which is the first column everywhere; the rows of a currency add
    up to the ledger's sums. Columns of each report (REPORTS), after the currency:

    - `sales_by_day`: day (date), charges_count, refunds_count, gross_minor (before discounts), collected_minor,
      discounts_minor, refunded_minor, tax_minor (part of what was collected), fees_minor, net_minor (gross - discounts
      - refunds). Days on which nothing moved have no row.
    - `sales_by_category`: category ("": none), baskets_count, items_milli, collected_minor, refunded_minor, net_minor,
      share (of what was collected, 0.0 to 1.0); the largest net first.
    - `sales_by_product`: product (a UUID as text, "": none), items_milli, collected_minor, refunded_minor, net_minor,
      share, rank; those after reports.PRODUCTS_MAX are one row of rank 0.
    - `sales_by_method`: method, brand ("": none), charges_count, refunds_count, collected_minor, refunded_minor,
      fees_minor, net_minor, share.
    - `sales_by_store`: store (a UUID as text; facts.models.NO_STORE: none), charges_count, refunds_count,
      collected_minor, refunded_minor, net_minor, share.
    - `sales_by_hour`: weekday (1 is Monday), hour (0 to 23), charges_count, collected_minor.
    - `customers`: kind ("new", "returning", "guest"), customers_count, charges_count, collected_minor.
    """
    return snapshot(book_id=book_id, since=since, until=until).run(name)


def snapshot(*, book_id: UUID, since: datetime, until: datetime) -> "Snapshot":
    """What a book's sales of some time are at this moment: several reports of one snapshot agree with each other."""
    zone = Book.objects.select_related("merchant").get(pk=book_id).merchant.zone
    with tenancy.within(book_id):
        moved = facts.moved_days(zone=zone.key)
        if moved is None or not Dataset.objects.filter(zone=zone.key).exists():
            moved, files = None, []
        else:
            files = list(DatasetFile.objects.order_by("first_day"))
    return Snapshot(book_id, zone, since, until, moved, files)


@dataclass
class Snapshot:
    """The partitions of a window. `moved` are days that no file is to be believed of; None are all."""

    book_id: UUID
    zone: ZoneInfo
    since: datetime
    until: datetime
    moved: set[date] | None
    files: list[DatasetFile]
    _read: dict[bool, list[Partition]] = field(default_factory=dict)

    def run(self, name: str) -> pd.DataFrame:
        """A report over the snapshot; see `run` above."""
        partitions = self._partitions(is_before=False)
        if REPORTS[name].needs_history:
            partitions = [*self._partitions(is_before=True), *partitions]
        return engine.compute(name, partitions, Window.between(self.since, self.until))

    def _partitions(self, *, is_before: bool) -> list[Partition]:
        """Of the window, or of all that was before it; made once."""
        if is_before not in self._read:
            since, until = (_BEGINNING, self.since) if is_before else (self.since, self.until)
            self._read[is_before] = list(self._made(since, until, is_before)) if since < until else []
        return self._read[is_before]

    def _made(self, since: datetime, until: datetime, is_before: bool) -> Iterator[Partition]:
        moved, window = set(self.moved or ()), Window.between(since, until)
        for each in self.files:
            begins, ends = midnight(each.first_day, self.zone), midnight(each.last_day + _DAY, self.zone)
            days = {day for day in moved if each.first_day <= day <= each.last_day}
            if ends <= since or begins >= until or (each.is_day and days):
                continue
            if not each.is_whole:
                moved.update(
                    each.first_day + _DAY * number for number in range((each.last_day - each.first_day).days + 1)
                )
                continue
            only = None if since <= begins and ends <= until else window
            yield Partition(str(each.path), only, frozenset(map(number_of, days)), is_before)
        stretches = [(since, until)] if self.moved is None else list(_stretches(moved, since, until, self.zone))
        if stretches:
            with tenancy.within(self.book_id):
                found = lines.copy(stretches, zone=self.zone.key, scratch=made_folder_of(self.book_id))
            yield Partition(packed(found), is_before=is_before)


def _stretches(
    days: Iterable[date], since: datetime, until: datetime, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    """The parts of some days that lie between two moments."""
    for day in sorted(days):
        begins, ends = max(midnight(day, zone), since), min(midnight(day + _DAY, zone), until)
        if begins < ends:
            yield begins, ends
