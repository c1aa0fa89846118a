"""Making reports: once, in one snapshot, whoever dies, and swept away in the end."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from analytics.reports import operations, working
from analytics.reports.models import Report
from analytics.reports.writing import WRITERS
from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.states import WrongState
from payments.hand import Hand
from security.audit.operations import Actor
from tests.analytics.reports.asking import again
from tests.analytics.reports.reading import path_of, sections
from tests.payments.acts import pay

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])


@pytest.fixture
def hand(book, owner):
    return Hand(actor=Actor.staff(owner.pk), book=book, now=book.now)


def told(book):
    rows = Event.objects.using("platform").filter(book_id=book.pk, type__startswith="report.").order_by("pk")
    return list(rows.values_list("type", flat=True))


def left(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


class TestRunDue:
    def test_tells_what_became_of_it(self, ask, book, sold, folder):
        report = ask("sales")

        assert told(book) == ["report.created", "report.succeeded"]
        assert (report.progress_percent, report.tries_count, report.due_at) == (100, 1, None)
        assert (report.file_bytes, len(report.file_sha256)) == (path_of(report).stat().st_size, 64)
        assert oct(path_of(report).stat().st_mode)[-3:] == "600"
        assert left(folder) == [path_of(report)]

    def test_two_workers_make_it_once(self, ask, book, sold):
        report, counts = ask("sales", is_made=False), []
        start = threading.Barrier(2)

        def work():
            start.wait()
            counts.append(working.run_due())
            connections.close_all()

        workers = [threading.Thread(target=work) for _ in range(2)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()

        assert sorted(counts) == [0, 1]
        assert again(report).tries_count == 1
        assert told(book) == ["report.created", "report.succeeded"]

    def test_is_of_one_moment(self, ask, api, book, customer, wallet_method, sold, monkeypatch):
        """A payment while it is written is in none of its sections."""
        write, method = WRITERS["csv"], wallet_method(customer)

        def late(paper, path, *, language):
            thread = threading.Thread(target=lambda: (pay(api, method, 99_900), connections.close_all()))
            thread.start()
            thread.join()
            return write(paper, path, language=language)

        monkeypatch.setitem(WRITERS, "csv", late)
        found = sections(ask("books"))

        assert found["What you are owed"][-1][1] == "114.56"
        assert len(found["Balance transactions"]) == 4

    def test_a_worker_that_died_is_followed_by_another(self, ask, book, sold):
        report = ask("sales", is_made=False)
        now = clock.wall()
        working._claim(now)

        assert working.run_due(at=lambda: now) == 0
        assert working.run_due(at=lambda: now + working.LEASE) == 1
        assert (again(report).status, again(report).tries_count) == ("succeeded", 2)

    def test_gives_up_in_the_end_and_says_why(self, ask, book, hand, sold, folder, monkeypatch):
        report, now = ask("sales", is_made=False), clock.wall()
        monkeypatch.setitem(WRITERS, "csv", lambda *_, **__: 1 / 0)
        for number in range(working.TRIES_MAX):
            assert working.run_due(at=lambda past=number: now + timedelta(hours=past)) == 1
        failed = again(report)

        assert (failed.status, failed.failure, failed.tries_count) == ("failed", "error", working.TRIES_MAX)
        assert told(book) == ["report.created", "report.failed"]
        assert left(folder) == []

        monkeypatch.undo()
        with tenancy.within(book.pk):
            operations.again(again(report), hand=hand, at=now)
        assert working.run_due(at=lambda: now) == 1
        assert again(report).status == "succeeded"

    def test_who_kills_every_worker_fails(self, ask, sold):
        report, now = ask("sales", is_made=False), clock.wall()
        for number in range(working.TRIES_MAX):
            working._claim(now + working.LEASE * number)

        working.run_due(at=lambda: now + working.LEASE * working.TRIES_MAX)

        assert (again(report).status, again(report).failure) == ("failed", "worker_lost")

    def test_stops_where_it_was_called_off(self, ask, book, hand, sold, folder, monkeypatch):
        write, report = WRITERS["csv"], ask("sales", is_made=False)

        def called_off(paper, path, *, language):
            def cancel():
                with tenancy.within(book.pk):
                    operations.cancel(again(report), hand=hand, at=clock.wall())
                connections.close_all()

            thread = threading.Thread(target=cancel)
            thread.start()
            thread.join()
            return write(paper, path, language=language)

        monkeypatch.setitem(WRITERS, "csv", called_off)
        working.run_due()

        assert again(report).status == "canceled"
        assert told(book) == ["report.created", "report.canceled"]
        assert left(folder) == []
        with tenancy.within(book.pk), pytest.raises(WrongState):
            operations.cancel(again(report), hand=hand, at=clock.wall())


class TestSweep:
    def test_takes_old_files_and_says_so(self, ask, sold, folder):
        report = ask("sales")

        assert working.sweep(at=report.expires_at - timedelta(seconds=1)) == 0
        assert working.sweep(at=report.expires_at) == 1
        assert again(report).status == "expired"
        assert left(folder) == []

        working.sweep(at=report.finished_at + working.ROWS_KEPT - timedelta(seconds=1))
        assert Report.objects.using("platform").exists()
        working.sweep(at=report.finished_at + working.ROWS_KEPT)
        assert not Report.objects.using("platform").exists()


class TestAsk:
    def test_a_person_waits_for_a_dozen_at_most(self, ask):
        for _ in range(operations.UNFINISHED_MAX):
            ask("sales", is_made=False)

        with pytest.raises(operations.TooManyReports):
            ask("sales", is_made=False)
        assert Report.objects.using("platform").count() == operations.UNFINISHED_MAX
