"""The facts against direct sums over the rows: any zone, any days, however much of it is made."""

import threading
from bisect import bisect
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, date, timedelta
from random import Random
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.db.models import Sum

from analytics.facts import operations as facts
from analytics.facts import queries
from analytics.facts.cubes import ATTEMPTS, CUBES, PAYMENTS, SALES
from analytics.facts.days import DAY, midnight
from analytics.facts.models import (
    BuyerCount,
    BuyerDay,
    DirtyQuarter,
    PaidHours,
    PaymentDay,
    Position,
    Projection,
    SoldHours,
    SoldLine,
)
from analytics.facts.queries import Stretch
from analytics.insights import queries as insights
from analytics.insights import sales
from analytics.insights.periods import Period
from merchant_platform.kernel import clock, tenancy
from payments.intents import operations as intents
from payments.intents.models import Attempt, PaymentIntent, Refund
from payments.intents.operations import Terms
from payments.ledger.models import Entry
from payments.orders.models import OrderLine
from security.merchants.models import Merchant
from tests.analytics.facts.world import BEGINS, CATEGORIES, Trade
from tests.cast import NOW, move_clock, origin_of
from tests.payments.acts import ask_for, pay, refund
from tests.payments.cases import cases

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])

ZONES = (
    *("Asia/Shanghai", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("America/Santiago", "Pacific/Chatham", "Pacific/Apia", "America/St_Johns", "UTC"),
)
LINES = [
    {"description": "Tea", "unit_amount": 300, "quantity": 2, "category": "tea"},
    {"description": "Cake", "unit_amount": 300, "quantity": 1, "category": "cake"},
]


@pytest.fixture
def year(book):
    return traded(Trade(book), 400)


@pytest.fixture
def month(book):
    return traded(Trade(book, days=14), 60)


def traded(trade, orders):
    for _ in range(orders):
        trade.order()
    trade.write()
    return trade


class Rows:
    """The rows of a book, read once, and summed by hand."""

    def __init__(self, book):
        with tenancy.within(book.pk):
            self.intents = list(PaymentIntent.objects.select_related("order", "payment_method"))
            self.attempts = list(Attempt.objects.select_related("intent__order"))
            self.entries = list(Entry.objects.filter(kind__in=["charge", "refund", "refund_failure"]))
            refunds = {each.pk: each.attempt_id for each in Refund.objects.all()}
            self.lines = list(OrderLine.objects.all())
        by_id = {each.pk: each for each in self.attempts}
        self.source = {each.pk: by_id[refunds.get(each.source_id, each.source_id)] for each in self.entries}

    def payments(self, currency, within):
        made = [each for each in self.intents if each.currency == currency and within(each.created_at)]
        paid = [each for each in made if each.status == "succeeded"]
        return {
            "made_count": len(made),
            "succeeded_count": len(paid),
            "volume_minor": sum(each.received_minor for each in paid),
        }

    def sales(self, currency, within):
        moved = [each for each in self.entries if within(each.effective_at) and each.unit.startswith(currency)]
        charges = [each for each in moved if each.kind == "charge"]
        counts = Counter(each.kind for each in moved)
        return {
            "charges_count": counts["charge"],
            "refunds_count": counts["refund"] - counts["refund_failure"],
            "collected_minor": sum(each.amount_minor for each in charges),
            "refunded_minor": -sum(each.amount_minor for each in moved if each.kind != "charge"),
            "fees_minor": sum(each.fee_minor for each in moved),
        }

    def customers(self, currency, within):
        paid = [each for each in self.intents if each.currency == currency and each.status == "succeeded"]
        return len({each.customer_id for each in paid if within(each.created_at)} - {None})

    def tries(self, within):
        words = {"captured": "approved", "declined": "declined"}
        return Counter(
            (each.currency, words[each.status], each.decline_code or "")
            for each in self.attempts
            if within(each.created_at)
        )


def asked(book, cube, stretches, zone, **options):
    with tenancy.within(book.pk):
        return queries.ask(cube, stretches, zone=zone, **options)


def of_days(first, days, zone):
    return [
        Stretch(number, midnight(day, zone), midnight(day + timedelta(days=1), zone), day)
        for number, day in enumerate(first + timedelta(days=each) for each in range(days))
    ]


def between(since, until):
    return lambda at: since <= at.replace(microsecond=at.microsecond // 1000 * 1000) < until


def check_pages(book, rows, period):
    """What Home and the sales report say of a period and of the one before, against the rows."""
    with tenancy.within(book.pk):
        home = insights.compare(period)
        hours = insights.by_hour(period, currency="CNY")
        sold = sales.report(period, own_currency="CNY", where={})
    current = between(period.starts_at, period.ends_at)
    before = between(period.before.starts_at, period.compared_until)
    for currency in ("CNY", "EUR"):
        found = home.get(currency) or insights.Comparison()
        for tally, within in ((found.current, current), (found.before, before)):
            by_hand = (*rows.payments(currency, within).values(), rows.customers(currency, within))
            assert (tally.payments, tally.succeeded, tally.volume_minor, tally.customers) == by_hand, (currency, period)
        assert sum(found.on(day).volume_minor for day in period.dates) == found.current.volume_minor
    paid = rows.payments("CNY", current)["succeeded_count"]
    assert sum(map(sum, hours)) == paid
    for sums, within in ((sold.total.current, current), (sold.total.before, before)):
        by_hand = rows.sales(sold.currency, within)
        assert {name: sums[name] for name in by_hand} == by_hand, period
        for dimension in sales.DIMENSIONS:
            which = "current" if within is current else "before"
            parts = [getattr(pair, which)["collected_minor"] for _, pair in sold.by[dimension]]
            assert sum(parts) == sums["collected_minor"]
    assert sum(pair.current["fees_minor"] for pair in sold.by_day.values()) == sold.total.current["fees_minor"]
    assert sum(map(sum, sold.hours)) == sold.total.current["charges_count"]


def check_hours(book, period, **where):
    """What days keep of their hours, against the quarters."""
    zone = period.zone.key
    with tenancy.within(book.pk):
        quarters = queries.ask(
            SALES, [Stretch(0, period.starts_at, period.ends_at)], zone=zone, where=where, is_hourly=True
        )
        days = [Stretch(0, midnight(day, period.zone), midnight(day + DAY, period.zone), day) for day in period.dates]
        for measure in SALES.hours.measures:
            kept = queries.by_hour(SALES, measure, days, zone=zone, where=where)
            assert kept == [(row["weekday"], row["hour"], row[measure]) for row in quarters if row[measure]], where


class TestAsk:
    @pytest.mark.requirement("A3")
    @cases(200)
    def test_home_and_the_sales_report_equal_a_sum_over_the_rows(self, book, year, cases_max):
        """In any period and zone, half of them near the days on which clocks change, whatever is made of the facts."""
        rows, chance = Rows(book), Random(3)
        # A part of the year is made, the rest is read from the rows; in the end all of it is made.
        for _ in range(20):
            facts.follow(book.pk)

        for number in range(cases_max):
            if number == cases_max // 2:
                facts.run()
            name = chance.choice([*ZONES, *["Asia/Shanghai"] * 5])
            random_day = (BEGINS + timedelta(chance.randrange(360))).date()
            first = chance.choice([date(2025, 3, 7), date(2025, 4, 4), date(2025, 11, 1), random_day])
            days = chance.choice([1, 2, 3, 30])
            stretches = of_days(first, days, ZoneInfo(name))
            # In the last day, or after it: then the period before is compared with as a whole.
            now = stretches[-1].until + timedelta(minutes=chance.randrange(-1_300, 1_300))
            period = Period(first, first + timedelta(days=days - 1), ZoneInfo(name), now)
            check_pages(book, rows, period)
            if number % 5 == 0:
                check_hours(book, period, currency="CNY")
                check_hours(book, period, currency="CNY", category=chance.choice(CATEGORIES))
                # Up to some moment of the last day, by the hour too.
                until = max(now.replace(second=59), stretches[-1].since)
                stretches[-1] = Stretch(days - 1, stretches[-1].since, until)
                within = between(stretches[0].since, until)
                for cube, by_hand in ((PAYMENTS, rows.payments), (SALES, rows.sales)):
                    found = asked(book, cube, stretches, name, by=["currency"], is_hourly=number % 2 == 0)
                    for currency in ("CNY", "EUR"):
                        own = [row for row in found if row["currency"] == currency]
                        sums = by_hand(currency, within)
                        assert {each: sum(row[each] for row in own) for each in sums} == sums, (name, first, days)
                counted = Counter()
                for row in asked(book, ATTEMPTS, stretches, name, by=["currency", "outcome", "reason"]):
                    counted[row["currency"], row["outcome"], row["reason"]] += row["attempts_count"]
                assert counted == rows.tries(within)

    def test_spreads_every_unit_over_categories_stores_and_brands(self, book, month):
        facts.run()
        weeks = of_days(date(2025, 2, 18), 40, UTC)
        rows = Rows(book)
        by_hand = Counter()
        for entry in rows.entries:
            if entry.kind != "charge" or not entry.unit.startswith("CNY"):
                continue
            order_id = rows.source[entry.pk].intent.order_id
            lines = sorted((each for each in rows.lines if each.order_id == order_id), key=lambda line: line.pk)
            total, upto = sum(line.amount_minor for line in lines), 0
            for line in lines:
                given, upto = entry.amount_minor * upto // total, upto + line.amount_minor
                by_hand[line.category] += entry.amount_minor * upto // total - given
        where = {"currency": "CNY"}

        by_category, by_store = Counter(), Counter()
        for row in asked(book, SALES, weeks, "UTC", by=["category"], where=where):
            by_category[row["category"]] += row["collected_minor"]
        for row in asked(book, SALES, weeks, "UTC", by=["store_id"], where=where):
            by_store[row["store_id"]] += row["collected_minor"]

        assert by_category == by_hand
        assert by_store.total() == by_hand.total()
        assert len(by_store) == 3


class TestBuyers:
    @pytest.mark.requirement("A3")
    @cases(40)
    def test_equal_those_of_the_rows_while_days_change(self, book, year, cases_max):
        """Whoever is made, due, or changed without a day's facts having followed; days asked for in part as well."""
        chance, paid = Random(5), paid_by(book)
        facts.follow(book.pk)
        for number in range(cases_max):
            if number % 10 == 9:
                # Payments come and go where later days are made already; then some of it is made.
                change(book, chance)
                paid = paid_by(book)
            if number == cases_max // 2:
                facts.run()
            elif number % 20 == 19:
                facts.follow(book.pk, limit=chance.randrange(1, 2_000))
            name = "Asia/Shanghai" if chance.random() < 0.8 else chance.choice(ZONES)
            first = (BEGINS + timedelta(chance.randrange(-3, 360))).date()
            days = of_days(first, chance.choice([1, 2, 7, 40, 366]), ZoneInfo(name))
            if chance.random() < 0.4:
                since = days[-1].since
                days[-1] = Stretch(len(days) - 1, since, since + timedelta(minutes=chance.randrange(1_200)))
            half = chance.randrange(len(days) + 1)
            with tenancy.within(book.pk):
                found = queries.count_buyers(days, [int(each.number >= half) for each in days], zone=name)
                who = queries.buyers(days, zone=name)

            expected, begins = {}, [day.since for day in days]
            for at, currency, customer_id in paid:
                day = bisect(begins, at) - 1
                if day >= 0 and at < days[day].until:
                    for key in (("day", day, currency), ("whole", int(day >= half), currency)):
                        expected.setdefault(key, set()).add(customer_id)
            told = {
                ("day", row["number"], row["currency"]) if row["whole"] is None
                else ("whole", row["whole"], row["currency"]): row["count"]
                for row in found
            }  # fmt: skip
            assert told == {key: len(each) for key, each in expected.items()}, (name, first, len(days))
            assert sorted(who) == sorted(set().union(*expected.values()))

        facts.run()
        kept = state(book)
        facts.rebuild(book.pk)
        facts.run()
        assert state(book) == kept


def paid_by(book):
    """When, in what, and who: of every payment that succeeded, by a customer who is known."""
    with tenancy.within(book.pk):
        found = PaymentIntent.objects.filter(status="succeeded", customer__isnull=False)
        return [
            (at.replace(microsecond=at.microsecond // 1000 * 1000), currency, customer_id)
            for at, currency, customer_id in found.values_list("created_at", "currency", "customer_id")
        ]


def change(book, chance):
    """Payments of some days succeed, or do not after all; their quarters are noted, as events would have it."""
    since = BEGINS + timedelta(chance.randrange(360))
    with tenancy.within(book.pk):
        near = PaymentIntent.objects.filter(created_at__range=(since, since + timedelta(days=7)))
        for each in chance.sample(list(near), min(5, len(near))):
            each.status = chance.choice(["succeeded", "canceled"])
            each.received_minor = 0
            each.save(update_fields=["status", "received_minor"])
            at = each.created_at
            DirtyQuarter.objects.get_or_create(
                book_id=book.pk, quarter_at=at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
            )


def state(book):
    """Every row of the facts of a book, but when it was written."""
    found = {}
    with tenancy.within(book.pk):
        for model in (
            *(table for cube in CUBES for table in (cube.quarters, cube.days)),
            BuyerDay,
            BuyerCount,
            PaidHours,
            SoldHours,
            SoldLine,
        ):
            names = [each.name for each in model._meta.local_concrete_fields if each.name != "recorded_at"]
            found[model.__name__] = sorted(model.objects.values_list(*names), key=str)
    return found


def written(book):
    """Which transaction wrote each row of the days and quarters."""
    found = {}
    with tenancy.within(book.pk), connections["default"].cursor() as cursor:
        for cube in CUBES:
            for model, column in ((cube.quarters, "quarter_at"), (cube.days, "day")):
                cursor.execute(f"SELECT {column}, {', '.join(cube.dimensions)}, xmin FROM {model._meta.db_table}")
                found |= {(model.__name__, *row[:-1]): row[-1] for row in cursor.fetchall()}
    return found


@contextmanager
def slow_hand(book):
    """Somebody has the earliest quarters in hand, and waits before the days of them until the block ends."""
    slow = SimpleNamespace(made=None)
    has_begun, may_go_on = threading.Event(), threading.Event()

    def pause(execute, sql, params, many, context):
        if "FOR NO KEY UPDATE" in sql:
            has_begun.set()
            may_go_on.wait(20)
        return execute(sql, params, many, context)

    def make():
        with connections["default"].execute_wrapper(pause):
            slow.made = facts.follow(book.pk)
        connections.close_all()

    thread = threading.Thread(target=make)
    thread.start()
    assert has_begun.wait(20)
    try:
        yield slow
    finally:
        may_go_on.set()
        thread.join()


class TestFollow:
    def test_a_book_that_rests_is_made_when_it_has_rested_or_is_asked_for(self, book, month):
        facts.run()
        facts.rebuild(book.pk)
        with tenancy.within(book.pk):
            Projection.objects.update(due_at=clock.wall() + timedelta(hours=1))
        resting, asked_for = facts.run(is_patient=True), facts.run()

        facts.rebuild(book.pk)
        with tenancy.within(book.pk):
            Projection.objects.update(due_at=clock.wall() - timedelta(hours=1))
        rested = facts.run(is_patient=True)

        assert resting == 0
        assert asked_for == rested > 0
        with tenancy.within(book.pk):
            assert Projection.objects.get().due_at > clock.wall() - timedelta(hours=1)

    def test_a_day_more_touches_that_day_alone(self, book, month, api, customer, wallet_method):
        facts.run()
        facts.run()
        before = written(book)
        pay(api, wallet_method(customer), 1_200)

        facts.run()

        after = written(book)
        assert {key: after[key] for key in before} == before
        assert {str(key[1]) for key in after.keys() - before.keys()} == {"2026-03-02", "2026-03-02 09:30:00+00:00"}

    def test_follows_every_road_as_a_rebuild_would(self, book, customer, wallet_method, api):
        method = wallet_method(customer)
        facts.run()
        whole = of_days(date(2026, 3, 1), 5, ZoneInfo("Asia/Shanghai"))

        def same():
            """What is read before the facts are made, after, and what the rows say alone."""
            early = [asked(book, cube, whole, "Asia/Shanghai", by=cube.dimensions) for cube in CUBES]
            facts.run()
            late = [asked(book, cube, whole, "Asia/Shanghai", by=cube.dimensions) for cube in CUBES]
            assert early == late
            return late

        order = api.post("orders", {"currency": "cny", "line_items": LINES}).json
        paid = pay(api, method, 900, payment_details={"order_reference": order["id"]}).json
        same()
        open_ = ask_for(api, 700)
        same()
        move_clock(book, NOW + timedelta(hours=30))
        refund(api, paid, 400)
        same()
        api.post(f"payment_intents/{open_['id']}", {"currency": "eur"})
        same()
        api.post(f"payment_intents/{open_['id']}/cancel")
        pay(api, wallet_method(customer, 10), 5_000)
        payments, sales, attempts = same()

        assert sum(row["made_count"] for row in payments) == 3
        assert [(row["category"], row["collected_minor"], row["refunded_minor"]) for row in sales] == [
            ("cake", 300, 0), ("tea", 600, 0), ("cake", 0, 133), ("tea", 0, 267),
        ]  # fmt: skip
        assert {row["outcome"]: row["attempts_count"] for row in attempts} == {"approved": 1, "declined": 1}
        kept = state(book)
        facts.rebuild(book.pk)
        facts.run()
        assert state(book) == kept

    def test_sees_what_began_early_and_committed_late(self, book, api, customer, wallet_method):
        method = wallet_method(customer)
        facts.run()
        facts.run()
        began, told = threading.Event(), threading.Event()

        def slow():
            with tenancy.within(book.pk):
                intents.create(terms_=Terms(amount_minor=100, currency="CNY"), now=book.now, origin=origin_of(book))
                began.set()
                told.wait(20)
            connections.close_all()

        thread = threading.Thread(target=slow)
        thread.start()
        began.wait(20)
        pay(api, method, 300)
        facts.run()
        told.set()
        thread.join()

        day = of_days(date(2026, 3, 2), 1, ZoneInfo("Asia/Shanghai"))
        assert sum(row["made_count"] for row in asked(book, PAYMENTS, day, "Asia/Shanghai")) == 2
        facts.run()
        assert sum(row["made_count"] for row in asked(book, PAYMENTS, day, "Asia/Shanghai")) == 2
        with tenancy.within(book.pk):
            assert PaymentDay.objects.aggregate(made=Sum("made_count"))["made"] == 2

    def test_makes_the_days_again_when_the_merchant_moves(self, book, month):
        facts.run()
        Merchant.objects.filter(pk=book.merchant_id).update(time_zone="America/New_York")
        facts.follow(book.pk)
        moved = state(book)
        facts.rebuild(book.pk)
        facts.run()

        assert state(book) == moved
        with tenancy.within(book.pk):
            assert Projection.objects.get().zone == "America/New_York"

    def test_two_make_a_book_as_one_would(self, book, month):
        facts.run()
        kept = state(book)
        due = facts.rebuild(book.pk)

        made = facts.run(hands=2)

        assert made == due
        assert state(book) == kept

    def test_who_is_overtaken_makes_the_same_days(self, book, month):
        facts.run()
        kept = state(book)
        facts.rebuild(book.pk)

        with slow_hand(book) as slow:
            while facts.follow(book.pk):
                pass
        assert slow.made == facts.QUARTERS_A_ROUND

        assert state(book) == kept

    def test_does_not_move_while_somebody_makes_days_of_the_old_zone(self, book, month):
        facts.run()
        facts.rebuild(book.pk)

        with slow_hand(book):
            Merchant.objects.filter(pk=book.merchant_id).update(time_zone="America/New_York")
            assert facts.follow(book.pk) == 0
        facts.run()

        moved = state(book)
        facts.rebuild(book.pk)
        facts.run()
        assert state(book) == moved
        with tenancy.within(book.pk):
            assert Projection.objects.get().zone == "America/New_York"

    def test_begins_anew_in_another_cluster(self, book, month):
        facts.run()
        kept = state(book)
        Position.objects.using("platform").update(system_identifier=1)

        facts.note_changes()
        with tenancy.within(book.pk):
            assert not Projection.objects.exists()
        facts.run()

        assert state(book) == kept
