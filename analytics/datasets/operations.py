"""Keep the datasets: write anew what moved, and nothing else.

A month that is over is one file. The month that is not, which moves all the time, is a
file a day: a day more touches that day. When a month is over its days become one file,
without a question to the database; a day that moves later costs that month's file again,
and a question for that day.

The facts leave a due row for each day that they make again (facts.models.MovedDay). Files
are written under new names first; then one commit puts them into the manifest, takes the
old ones out, and takes away the due rows of what was read, as they were before reading. A
writer that is killed leaves files that nobody names, and the due rows. Old files lie for
an hour, for who is reading them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connections

from analytics.datasets import files, lines
from analytics.datasets.models import Dataset, DatasetErasure, DatasetFile, folder_of, made_folder_of
from analytics.facts.days import midnight
from analytics.facts.models import MovedDay, Projection
from merchant_platform.kernel import ids, tenancy
from security.merchants.models import Book

# Books that one round looks after.
BOOKS_A_ROUND = 500
_DAY = timedelta(days=1)
_LIES_SECONDS = 3_600

_DUE = """
SELECT id FROM security_book b
WHERE EXISTS (SELECT 1 FROM analytics_movedday m WHERE m.book_id = b.id)
    OR EXISTS (SELECT 1 FROM analytics_dataseterasure e WHERE e.book_id = b.id)
    OR EXISTS (SELECT 1 FROM analytics_projection p WHERE p.book_id = b.id)
        AND NOT EXISTS (SELECT 1 FROM analytics_dataset d WHERE d.book_id = b.id)
ORDER BY id LIMIT %s
"""
_NOTE_ALL = """
INSERT INTO analytics_movedday (book_id, day)
SELECT DISTINCT book_id, day FROM analytics_salesday WHERE book_id = %s ORDER BY day
ON CONFLICT (book_id, day) DO UPDATE SET version = excluded.version
"""
# In the order in which the facts write them.
_TAKE = """
DELETE FROM analytics_movedday WHERE book_id = %s AND day IN (
    SELECT day FROM analytics_movedday WHERE book_id = %s AND version = ANY (%s) ORDER BY day FOR UPDATE
)
"""


def due_books() -> list[UUID]:
    """Books with something to write, and those whose facts are kept and whose files nobody has begun."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(_DUE, [BOOKS_A_ROUND])
        return [book_id for (book_id,) in cursor.fetchall()]


def run(*, now: datetime, until: Callable[[], bool] = lambda: False) -> int:
    """Write all that is due, until `until` says that it is enough. This will return how many files were written."""
    written = 0
    for book_id in due_books():
        while not until() and (files_count := follow(book_id, now=now)) is not None:
            written += files_count
    return written


def follow(book_id: UUID, *, now: datetime) -> int | None:
    """Write the earliest month that is due. This will replace its files and return how many it wrote.

    None where nothing is due, another process is at it, or the book has no facts yet. One
    transaction, but for the files: what is due remains so if it does not end.
    """
    with tenancy.within(book_id):
        zone = _begun(book_id)
        if zone is None:
            return None
        standing = [each for each in DatasetFile.objects.order_by("first_day") if each.is_whole or _lost(each)]
        erased = list(DatasetErasure.objects.values_list("customer_id", flat=True))
        if erased:
            for each in standing:
                if found := [str(gone) for gone in erased if files.mentions(each.path, str(gone))]:
                    _replace(each, [each], _without(files.read(each.path), found), now)
                    return 1
            DatasetErasure.objects.filter(customer_id__in=erased).delete()
        moved = dict(MovedDay.objects.values_list("day", "version"))
        return _write_month(book_id, zone, standing, moved, now)


def rebuild(book_id: UUID) -> None:
    """Write all files of a book again, from the rows alone. This will take them out of the manifest and note all days.

    Until they are written, what is asked is read from the rows.
    """
    with tenancy.within(book_id):
        Dataset.objects.all().delete()
        DatasetFile.objects.all().delete()


def check(book_id: UUID) -> int:
    """Read every file of a book and compare it with the manifest. This will return how many differ; their days are due.

    Files are not read like this otherwise: a reader looks at the length alone.
    """
    with tenancy.within(book_id):
        if _begun(book_id) is None:
            return 0
        wrong = [
            each
            for each in DatasetFile.objects.order_by("first_day")
            if not each.is_whole or files.checksum(each.path) != each.checksum
        ]
        for each in wrong:
            _lost(each)
        return len(wrong)


def sweep(*, now: datetime) -> int:
    """Forget files that no row names and that nobody can be reading any more. This will return how many they were."""
    gone = 0
    for book_id in Dataset.objects.using("platform").values_list("pk", flat=True):
        with tenancy.within(book_id):
            named = {each.path for each in DatasetFile.objects.all()}
        for path in folder_of(book_id).glob("*"):
            if path not in named and path.stat().st_mtime < now.timestamp() - _LIES_SECONDS:
                path.unlink(missing_ok=True)
                gone += 1
    return gone


def _begun(book_id: UUID) -> str | None:
    """The book's zone, with its dataset locked; begun anew for a zone that it was not made for. None: not now."""
    zone = Projection.objects.filter(pk=book_id).values_list("zone", flat=True).first()
    if zone is None or zone != Book.objects.select_related("merchant").get(pk=book_id).merchant.time_zone:
        return None
    Dataset.objects.bulk_create([Dataset(book_id=book_id, zone="")], ignore_conflicts=True)
    kept = Dataset.objects.select_for_update(skip_locked=True).first()
    if kept is None:
        return None
    if kept.zone != zone:
        DatasetFile.objects.all().delete()
        kept.zone = zone
        kept.save(update_fields=["zone"])
        with connections["default"].cursor() as cursor:
            cursor.execute(_NOTE_ALL, [book_id])
    return zone


def _lost(file: DatasetFile) -> bool:
    """What to do about a row whose file is not there: its days are due again. False, as it counts no more."""
    MovedDay.objects.bulk_create(
        [MovedDay(book_id=file.book_id, day=day) for day in _days(file.first_day, file.last_day)], ignore_conflicts=True
    )
    file.delete()
    return False


def _write_month(
    book_id: UUID, zone: str, standing: Sequence[DatasetFile], moved: Mapping[date, UUID], now: datetime
) -> int | None:
    """Write the earliest month with days that moved, or that is over and still a file a day."""
    last = max((_month(day) for day in (*moved, *(each.first_day for each in standing))), default=None)
    over = {_month(each.first_day) for each in standing if each.is_day} - {last}
    month = min({_month(day) for day in moved} | over, default=None)
    if month is None:
        return None
    own = [each for each in standing if _month(each.first_day) == month]
    days = sorted(day for day in moved if _month(day) == month)
    fresh = _copied(book_id, zone, days)
    written = 0
    if month == last and all(each.is_day for each in own):
        for day in days:
            replaced = [each for each in own if each.first_day == day]
            written += _replace(
                DatasetFile(book_id=book_id, first_day=day, last_day=day), replaced, _of(fresh, [day]), now
            )
    else:
        kept = [_but(files.read(each.path), days) for each in own if each.first_day not in days or not each.is_day]
        whole = DatasetFile(book_id=book_id, first_day=month, last_day=_month(month + 31 * _DAY) - _DAY)
        written = _replace(whole, own, pa.concat_tables([*kept, fresh]), now)
    with connections["default"].cursor() as cursor:
        cursor.execute(_TAKE, [book_id, book_id, [moved[day] for day in days]])
    return written


def _replace(place: DatasetFile, replaced: Sequence[DatasetFile], table: pa.Table, now: datetime) -> int:
    """Write a file for the days of `place` instead of others. This will return how many: none where nothing is left."""
    made = DatasetFile(book_id=place.book_id, first_day=place.first_day, last_day=place.last_day, name=ids.new(now))
    for each in replaced:
        each.delete()
    if not table.num_rows:
        return 0
    made_folder_of(made.book_id)
    written = files.write(table, made.path)
    made.rows_count, made.bytes_count, made.checksum = written.rows_count, written.bytes_count, written.checksum
    made.save(force_insert=True)
    return 1


def _copied(book_id: UUID, zone: str, days: Iterable[date]) -> pa.Table:
    at = ZoneInfo(zone)
    stretches = [(midnight(day, at), midnight(day + _DAY, at)) for day in days]
    if not stretches:
        return pa.schema(files.COLUMNS).empty_table()
    return lines.copy(stretches, zone=zone, scratch=made_folder_of(book_id))


def _of(table: pa.Table, days: Iterable[date]) -> pa.Table:
    return table.filter(_is_of(table, days))


def _but(table: pa.Table, days: Iterable[date]) -> pa.Table:
    return table.filter(pc.invert(_is_of(table, days)))


def _is_of(table: pa.Table, days: Iterable[date]) -> pa.ChunkedArray:
    return pc.is_in(table.column("day"), pa.array([files.number_of(day) for day in days], pa.int32()))


def _without(table: pa.Table, customers: Sequence[str]) -> pa.Table:
    """The table with some customers as guests."""
    column = table.column("customer")
    cleared = pc.if_else(pc.is_in(column, pa.array(customers)), "", column)
    return table.set_column(table.schema.get_field_index("customer"), "customer", cleared)


def _month(day: date) -> date:
    return day.replace(day=1)


def _days(first: date, last: date) -> list[date]:
    return [first + number * _DAY for number in range((last - first).days + 1)]
