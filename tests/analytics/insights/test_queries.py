"""Home's sums against sums done by hand, in the merchant's zone, in one currency at a time."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from analytics.insights import queries
from analytics.insights.periods import Period
from merchant_platform.kernel import tenancy
from tests.analytics.trade import card, paid
from tests.cast import NOW

pytestmark = pytest.mark.django_db

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
WEEK = Period.of_days(7, zone=SHANGHAI, now=NOW)


def compare(book, period=WEEK):
    with tenancy.within(book.pk):
        return queries.compare(period)


class TestCompare:
    @pytest.mark.requirement("A3")
    def test_counts_what_succeeded_and_what_did_not(self, book, customer):
        paid(book, NOW, 1_000, customer=customer)
        paid(book, NOW - timedelta(days=1), 2_001, customer=customer)
        paid(book, NOW - timedelta(days=2), 500)
        paid(book, NOW, 9_000, status="canceled")

        current = compare(book)["CNY"].current

        assert (current.payments, current.succeeded, current.volume_minor, current.customers) == (4, 3, 3_501, 1)
        assert (current.success_ppm, current.average_minor) == (750_000, 1_167)

    def test_sets_the_period_before_beside_it_up_to_the_same_hour(self, book):
        a_week_ago = NOW - timedelta(days=7)
        paid(book, NOW, 1_000)
        paid(book, a_week_ago - timedelta(milliseconds=1), 100)
        paid(book, a_week_ago, 30)
        paid(book, WEEK.before.starts_at, 7)
        paid(book, WEEK.before.starts_at - timedelta(milliseconds=1), 50_000)

        comparison = compare(book)["CNY"]

        assert comparison.before.volume_minor == 107
        assert comparison.current.volume_minor == 1_000
        assert comparison.on(a_week_ago.astimezone(SHANGHAI).date()).volume_minor == 100

    def test_adds_no_two_currencies(self, book):
        paid(book, NOW, 1_000)
        paid(book, NOW, 700, currency="JPY")

        found = compare(book)

        assert {currency: each.current.volume_minor for currency, each in found.items()} == {"CNY": 1_000, "JPY": 700}

    def test_counts_what_was_received_of_a_payment(self, book):
        paid(book, NOW, 1_000, received_minor=400)

        assert compare(book)["CNY"].current.volume_minor == 400

    def test_sees_nothing_of_another_book(self, book, other_book):
        paid(other_book, NOW, 1_000)

        assert compare(book) == {}

    def test_says_nothing_where_there_is_nothing_to_divide_by(self, book):
        paid(book, NOW, status="canceled")

        comparison = compare(book)["CNY"]

        assert (comparison.current.success_ppm, comparison.current.average_minor) == (0, None)
        assert comparison.before.success_ppm is None

    @pytest.mark.parametrize(
        ("zone", "now"),
        [
            (SHANGHAI, NOW),
            (NEW_YORK, datetime(2026, 3, 10, 3, tzinfo=UTC)),
            (NEW_YORK, datetime(2026, 11, 4, 22, tzinfo=UTC)),
            (ZoneInfo("Australia/Lord_Howe"), datetime(2026, 4, 6, 1, tzinfo=UTC)),
        ],
    )
    def test_agrees_with_sums_by_hand(self, book, customer, make_customer, zone, now):
        chance, period = Random(7), Period.of_days(6, zone=zone, now=now)
        people = [customer, make_customer(book, name="Wu"), None]
        made = [
            paid(
                book,
                now - timedelta(minutes=chance.randrange(13 * 24 * 60)),
                chance.randrange(1, 9_999),
                status=chance.choice(("succeeded", "succeeded", "canceled", "requires_payment_method")),
                customer=chance.choice(people),
            )
            for _ in range(120)
        ]

        comparison = compare(book, period)["CNY"]
        with tenancy.within(book.pk):
            hours = queries.by_hour(period, currency="CNY")

        def local(intent):
            return intent.created_at.astimezone(zone)

        shown = [each for each in made if period.first <= local(each).date() <= period.last]
        assert comparison.current.payments == len(shown)
        for day in period.dates:
            own = [each for each in shown if local(each).date() == day and each.status == "succeeded"]
            assert comparison.on(day).volume_minor == sum(each.received_minor for each in own)
            assert comparison.on(day).customers == len({each.customer_id for each in own} - {None})
        counted = Counter((local(each).weekday(), local(each).hour) for each in shown if each.status == "succeeded")
        assert {(day, hour): n for day, row in enumerate(hours) for hour, n in enumerate(row) if n} == counted


class TestByHour:
    def test_keeps_both_hours_that_have_one_name(self, book):
        # The clocks go back: half past one comes twice.
        twice = datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK)
        paid(book, twice.astimezone(UTC), 100)
        paid(book, twice.replace(fold=1).astimezone(UTC), 100)
        period = Period(date(2026, 11, 1), date(2026, 11, 1), NEW_YORK, NOW)

        with tenancy.within(book.pk):
            hours = queries.by_hour(period, currency="CNY")

        assert hours[6][1] == 2
        assert sum(map(sum, hours)) == 2

    def test_leaves_out_what_did_not_succeed_and_other_currencies(self, book):
        paid(book, NOW, status="canceled")
        paid(book, NOW, currency="EUR")

        with tenancy.within(book.pk):
            assert sum(map(sum, queries.by_hour(WEEK, currency="CNY"))) == 0


class TestByMethod:
    def test_shares_by_kind_and_brand(self, book, customer, wallet_method):
        wallet, visa, amex = wallet_method(customer), card(book, "visa", at=NOW), card(book, "amex", at=NOW)
        for method, amount in ((wallet, 500), (visa, 900), (card(book, "visa", at=NOW), 100), (amex, 300)):
            paid(book, NOW, amount, method=method)
        paid(book, NOW, 7_000, method=visa, status="canceled")
        paid(book, NOW, 7_000, method=visa, currency="EUR")
        paid(book, NOW - timedelta(days=8), 7_000, method=visa)

        with tenancy.within(book.pk):
            shares = queries.compare(WEEK)["CNY"].shares

        assert [(each.method, each.brand, each.payments, each.volume_minor) for each in shares] == [
            ("card", "visa", 2, 1_000),
            ("wallet", "", 1, 500),
            ("card", "amex", 1, 300),
        ]


class TestStatements:
    def test_are_three_however_much_there_is(self, book, django_assert_num_queries):
        for days in range(20):
            paid(book, NOW - timedelta(days=days), currency="CNY" if days % 2 else "EUR")

        with tenancy.within(book.pk), django_assert_num_queries(3):
            queries.compare(WEEK)
            queries.by_hour(WEEK, currency="CNY")
