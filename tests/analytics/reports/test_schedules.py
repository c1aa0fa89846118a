"""Schedules: every period once, at an hour of the merchant's, whatever the clocks do."""

import threading
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.db.models import F

from analytics.reports import schedules, states, working
from analytics.reports.models import Report, ReportSchedule
from analytics.reports.schedules import Rhythm, WantedSchedule
from merchant_platform.kernel import tenancy
from payments.hand import Hand
from security.audit.operations import Actor
from security.merchants.models import Staff
from security.messaging import bodies
from security.messaging.models import Message
from tests.staff import make_staff

db = pytest.mark.django_db(transaction=True, databases=["default", "platform"])
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago")


class TestRhythm:
    @pytest.mark.parametrize("zone", ZONES)
    @pytest.mark.parametrize("often", [("daily", None), ("weekly", 7), ("monthly", 28)])
    def test_comes_once_a_period_whatever_the_clocks_do(self, zone, often):
        """At every hour, from moments all over two years, among them the nights on which clocks change."""
        where, chance = ZoneInfo(zone), Random(zone)
        nights = [
            datetime(2026, month, day, hour, tzinfo=UTC)
            for month in (3, 4, 9, 10, 11)
            for day in (1, 5, 29)
            for hour in (0, 6, 15)
        ]
        moments = [AT + timedelta(minutes=chance.randrange(-500_000, 500_000)) for _ in range(50)]
        for start in nights + moments:
            self.check(Rhythm(often[0], chance.randrange(24), often[1]), start, where)
            self.check(Rhythm(often[0], 2, often[1]), start, where)

    def check(self, rhythm, start, where):
        first = rhythm.after(start, where)
        second = rhythm.after(first, where)

        assert start < first < second
        assert rhythm.before(first, where) == first
        assert rhythm.before(second - timedelta(microseconds=1), where) == first
        days = [each.astimezone(where).date() for each in (first, second)]
        assert rhythm.period(days[0])[1] < rhythm.period(days[1])[0] <= rhythm.period(days[1])[1]
        assert rhythm.period(days[0])[1] + timedelta(days=1) == rhythm.period(days[1])[0]

    def test_is_of_what_is_over(self):
        assert Rhythm("daily", 8, None).period(date(2026, 3, 1)) == (date(2026, 2, 28), date(2026, 2, 28))
        assert Rhythm("weekly", 8, 3).period(date(2026, 3, 4)) == (date(2026, 2, 23), date(2026, 3, 1))
        assert Rhythm("monthly", 8, 15).period(date(2026, 3, 15)) == (date(2026, 2, 1), date(2026, 2, 28))


@pytest.fixture
def start(book, owner, merchant):
    """Begins a schedule of the café's at AT."""

    def begun(frequency="daily", day=None, kind="sales", to=None) -> ReportSchedule:
        wanted = WantedSchedule(kind, "csv", "en", Rhythm(frequency, 8, day), [each.pk for each in to or [owner]])
        hand = Hand(actor=Actor.staff(owner.pk), book=book, now=book.now)
        with tenancy.within(book.pk):
            return schedules.start(wanted, staff_id=owner.pk, hand=hand, at=AT)

    return begun


def periods():
    return list(Report.objects.using("platform").order_by("first_date").values_list("first_date", flat=True))


@db
class TestRunDue:
    def test_makes_each_day_once_and_what_was_missed_later(self, start):
        schedule = start()

        assert schedule.next_at == datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
        assert schedules.run_due(at=schedule.next_at - timedelta(seconds=1)) == 0
        assert schedules.run_due(at=schedule.next_at) == 1
        assert schedules.run_due(at=schedule.next_at) == 0
        assert schedules.run_due(at=schedule.next_at + timedelta(days=3)) == 3
        assert periods() == [date(2026, 11, day) for day in (22, 23, 24, 25)]
        # A month nobody worked: a week of it is made.
        assert schedules.run_due(at=datetime(2026, 12, 31, 12, tzinfo=UTC)) == 7
        assert periods()[-1] == date(2026, 12, 30)

    def test_a_month_that_was_missed_for_long_is_made(self, start):
        start("monthly", 1)

        assert schedules.run_due(at=datetime(2026, 12, 20, tzinfo=UTC)) == 1
        assert periods() == [date(2026, 11, 1)]

    def test_two_beats_ask_once(self, start):
        schedule, counts = start(), []
        barrier = threading.Barrier(2)

        def beat():
            barrier.wait()
            counts.append(schedules.run_due(at=schedule.next_at))
            connections.close_all()

        beats = [threading.Thread(target=beat) for _ in range(2)]
        for each in beats:
            each.start()
        for each in beats:
            each.join()

        assert sorted(counts) == [0, 1]
        assert len(periods()) == 1

    def test_a_period_is_made_once_though_the_schedule_was_set_back(self, start):
        schedule = start()
        schedules.run_due(at=schedule.next_at)
        ReportSchedule.objects.using("platform").update(next_at=F("next_at") - timedelta(days=1))

        assert schedules.run_due(at=schedule.next_at) == 0
        assert len(periods()) == 1

    def test_paused_it_makes_nothing_and_goes_on_later(self, start, book, owner):
        schedule = start()
        hand = Hand(actor=Actor.staff(owner.pk), book=book, now=book.now)
        with tenancy.within(book.pk):
            schedules.move(schedule, states.PAUSED, hand=hand, at=AT)
        assert schedules.run_due(at=AT + timedelta(days=9)) == 0

        with tenancy.within(book.pk):
            schedules.move(schedule, states.ACTIVE, hand=hand, at=AT + timedelta(days=9))
        assert schedules.run_due(at=AT + timedelta(days=10)) == 1

    def test_writes_to_who_may_still_see_it(self, start, merchant, sold, owner):
        analyst, finance = make_staff(merchant, "analyst"), make_staff(merchant, "finance")
        schedule = start(to=[owner, analyst, finance])
        Staff.objects.filter(pk=finance.pk).update(left_at=AT)
        Staff.objects.filter(pk=analyst.pk).update(role="cashier")

        schedules.run_due(at=schedule.next_at)
        assert working.run_due(at=lambda: schedule.next_at) == 1

        (letter,) = Message.objects.all()
        assert letter.address == owner.user.email
        assert letter.subject == "[Test] Sales report of Café Moka, 2026-11-22 to 2026-11-22"
        assert "/reports/" in bodies.unseal(letter.body)

    def test_writes_to_nobody_of_another_merchant(self, start, other_merchant):
        with pytest.raises(schedules.NoRecipients):
            start(to=[make_staff(other_merchant, "owner")])

    def test_writes_to_nobody_who_may_not(self, start, merchant):
        with pytest.raises(schedules.NoRecipients):
            start(kind="books", to=[make_staff(merchant, "analyst")])
