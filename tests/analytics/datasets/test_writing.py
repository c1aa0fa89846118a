"""What is written, when, and what is left of it when somebody pulls the plug."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.datasets import files, lines, queries
from analytics.datasets import operations as datasets
from analytics.datasets.models import DatasetErasure, DatasetFile, folder_of
from analytics.facts import operations as facts
from analytics.facts.models import MovedDay
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events.models import Event
from payments.customers import operations as customers
from tests.cast import NOW, origin_of
from tests.payments.acts import pay, refund

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])

SINCE, UNTIL = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def written(book):
    """The files of the manifest, by what they hold."""
    with tenancy.within(book.pk):
        return {(str(each.first_day), str(each.last_day)): each.name for each in DatasetFile.objects.all()}


def follow(book):
    facts.run()
    return datasets.run(now=NOW)


def report(book, name="sales_by_day"):
    return queries.run(name, book_id=book.pk, since=SINCE, until=UNTIL)


def today(book):
    found = report(book)
    return found[found.day == TODAY][["charges_count", "net_minor"]].iloc[0].tolist()


def due(book):
    with tenancy.within(book.pk):
        return MovedDay.objects.count()


class TestFollow:
    def test_a_day_more_touches_that_day_alone(self, book, month, api, customer, wallet_method):
        method = wallet_method(customer)
        follow(book)
        assert {first[8:] for first, last in written(book) if first != last} == {"01"}  # a month that is over
        pay(api, method, 1_200)
        assert follow(book) == 2  # the day, and the days of the last month as one file
        before = written(book)
        assert [last for _, last in sorted(before)] == ["2025-02-28", "2025-03-31", str(TODAY)]

        paid = pay(api, method, 900).json
        refund(api, paid, 400)

        assert today(book) == [2, 1_700]
        assert follow(book) == 1
        after = written(book)
        assert {key for key in after if after[key] != before.get(key)} == {(str(TODAY), str(TODAY))}
        assert today(book) == [2, 1_700]
        assert follow(book) == 0
        assert written(book) == after

    def test_a_late_day_costs_its_month_and_a_question_for_the_day(self, book, month, monkeypatch):
        follow(book)
        before, kept = written(book), report(book)
        with tenancy.within(book.pk):
            MovedDay.objects.create(book_id=book.pk, day=date(2025, 2, 24))
        asked, copy = [], lines.copy
        monkeypatch.setattr(lines, "copy", lambda stretches, **more: asked.append(stretches) or copy(stretches, **more))

        assert datasets.run(now=NOW) == 1

        assert [(until - since).days for stretches in asked for since, until in stretches] == [1]
        after = written(book)
        assert [key for key in after if after[key] != before[key]] == [("2025-02-01", "2025-02-28")]
        assert report(book).equals(kept)

    def test_goes_on_where_it_was_killed(self, book, month, monkeypatch, datasets_dir):
        facts.run()
        kept, days, write = report(book), due(book), files.write

        def killed(table, path):
            if path.parent.exists() and len(list(path.parent.glob("*.arrow"))) == 3:
                (path.with_suffix(".half")).write_bytes(b"ARROW1")
                raise MemoryError
            return write(table, path)

        monkeypatch.setattr(files, "write", killed)
        with pytest.raises(MemoryError):
            datasets.run(now=NOW)
        assert set(written(book)) == {("2025-02-01", "2025-02-28")}
        assert 0 < due(book) < days
        assert report(book).equals(kept)
        monkeypatch.setattr(files, "write", write)
        datasets.run(now=NOW)

        assert due(book) == 0
        assert report(book).equals(kept)
        named = {f"{name.hex}.arrow" for name in written(book).values()}
        there = {path.name for path in folder_of(book.pk).iterdir()}
        assert len(there - named) == 3
        # Nobody reads them any more.
        assert datasets.sweep(now=datetime.now(UTC) + timedelta(minutes=50)) == 0
        assert datasets.sweep(now=datetime.now(UTC) + timedelta(hours=2)) == 3
        assert {path.name for path in folder_of(book.pk).iterdir()} == named

    def test_leaves_a_day_due_that_moved_while_it_was_copied(self, book, month, monkeypatch):
        follow(book)
        with tenancy.within(book.pk):
            MovedDay.objects.create(book_id=book.pk, day=TODAY)
        copy = lines.copy

        def meanwhile(stretches, **more):
            found = copy(stretches, **more)
            MovedDay.objects.filter(day=TODAY).delete()
            MovedDay.objects.create(book_id=book.pk, day=TODAY)
            return found

        monkeypatch.setattr(lines, "copy", meanwhile)
        datasets.follow(book.pk, now=NOW)

        assert due(book) == 1

    def test_makes_a_lost_file_again(self, book, month, api, customer, wallet_method):
        follow(book)
        kept = report(book)
        (first, *_) = sorted(folder_of(book.pk).iterdir())
        first.write_bytes(first.read_bytes()[:-1])

        assert report(book).equals(kept)
        pay(api, wallet_method(customer), 100)
        follow(book)
        with tenancy.within(book.pk):
            assert all(each.is_whole for each in DatasetFile.objects.all())
        found = report(book)
        assert found[found.day != TODAY].reset_index(drop=True).equals(kept)

    def test_shows_a_stranger_nothing(self, book, month, other_book):
        follow(book)

        assert report(other_book).empty
        assert not written(other_book)
        assert folder_of(book.pk).stat().st_mode & 0o777 == 0o700


class TestOnCustomerDeleted:
    def test_takes_the_customer_out_of_every_file(self, book, api, customer, wallet_method):
        pay(api, wallet_method(customer), 700)
        follow(book)
        assert report(book, "customers")["kind"].tolist() == ["new"]
        with tenancy.within(book.pk):
            customers.delete(customer_id=customer.pk, now=NOW, origin=origin_of(book))
            event = Event.objects.get(type="customer.deleted")
            for _ in range(2):
                datasets.on_customer_deleted(event)
            assert DatasetErasure.objects.count() == 1

        assert datasets.run(now=NOW) == 1

        with tenancy.within(book.pk):
            assert DatasetErasure.objects.count() == 0
            (file,) = DatasetFile.objects.all()
        assert str(customer.pk).encode() not in file.path.read_bytes()
        assert report(book, "customers")[["kind", "collected_minor"]].values.tolist() == [["guest", 700]]
        # Nor does it come back when the day is copied again.
        datasets.rebuild(book.pk)
        datasets.run(now=NOW)
        assert report(book, "customers")["kind"].tolist() == ["guest"]
