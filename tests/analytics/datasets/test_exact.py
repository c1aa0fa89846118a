"""Reports over files against the facts and the ledger: any zone, any window, however much of it is written."""

from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from analytics.datasets import operations as datasets
from analytics.datasets import queries
from analytics.facts import operations as facts
from analytics.facts import queries as facts_queries
from analytics.facts.cubes import SALES
from analytics.facts.days import midnight
from analytics.facts.queries import Stretch
from merchant_platform.kernel import tenancy
from payments.ledger.models import Entry
from security.merchants.models import Merchant
from tests.analytics.facts.world import BEGINS, Trade
from tests.cast import NOW

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])

ZONES = ("America/New_York", "Australia/Lord_Howe", "America/Santiago")
CHANGES = (date(2025, 3, 8), date(2025, 4, 4), date(2025, 9, 6), date(2025, 11, 1))
WINDOWS = 7
SALES_REPORTS = ("sales_by_day", "sales_by_category", "sales_by_product", "sales_by_method", "sales_by_store")


@pytest.fixture
def year(book):
    trade = Trade(book)
    for _ in range(150):
        trade.order()
    trade.write()
    return trade


class TestRun:
    @pytest.mark.requirement("A3")
    def test_equals_the_facts_and_the_ledger_in_any_zone_and_window(self, book, year):
        chance = Random(7)
        with tenancy.within(book.pk):
            entries = list(Entry.objects.filter(kind__in=["charge", "refund", "refund_failure"]))

        for number, zone in enumerate(zone for zone in ZONES for _ in range(WINDOWS)):
            # Nothing is written, then some months, then all; then the merchant moves.
            if number % WINDOWS == 0:
                Merchant.objects.filter(pk=book.merchant_id).update(time_zone=zone)
                facts.follow(book.pk)
                facts.run()
            elif number % WINDOWS in (2, 3):
                datasets.follow(book.pk, now=NOW)
            elif number % WINDOWS == 5:
                datasets.run(now=NOW)
            since, until = some_window(chance, ZoneInfo(zone), is_odd=number % 3 == 0)
            snapshot = queries.snapshot(book_id=book.pk, since=since, until=until)

            ledger = by_ledger(entries, since, until)
            for name in SALES_REPORTS:
                assert totals(snapshot.run(name)) == ledger, (name, zone, since, until)
            if since == midnight(since.astimezone(ZoneInfo(zone)).date(), ZoneInfo(zone)):
                assert cells(snapshot) == cells_of_facts(book, since, until, zone)


def some_window(chance, zone, *, is_odd):
    """Some days, often those on which clocks change; from and up to some minute where it is odd."""
    first = chance.choice([*CHANGES, (BEGINS + timedelta(chance.randrange(360))).date()])
    since, until = midnight(first, zone), midnight(first + timedelta(days=chance.choice([1, 3, 40, 365])), zone)
    if is_odd:
        since += timedelta(minutes=chance.randrange(700))
        until -= timedelta(minutes=chance.randrange(300))
    return since, until


def by_ledger(entries, since, until):
    """What the entries of a window collected and gave back, by currency."""
    found = {}
    for each in entries:
        if since <= each.effective_at.replace(microsecond=each.effective_at.microsecond // 1000 * 1000) < until:
            collected, refunded = found.get(each.unit[:3], (0, 0))
            if each.kind == "charge":
                collected += each.amount_minor
            else:
                refunded -= each.amount_minor
            found[each.unit[:3]] = collected, refunded
    return found


def totals(frame):
    return {
        currency: (int(part["collected_minor"].sum()), int(part["refunded_minor"].sum()))
        for currency, part in frame.groupby("currency")
    }


def cells(snapshot):
    """Sales by weekday and hour, by day, and by category, as files have them."""
    hours = snapshot.run("sales_by_hour")
    days = snapshot.run("sales_by_day")
    categories = snapshot.run("sales_by_category")
    return (
        sorted(zip(hours.currency, hours.weekday, hours.hour, hours.charges_count, hours.collected_minor, strict=True)),
        sorted(zip(days.currency, days.day, days.net_minor, days.tax_minor, days.discounts_minor, strict=True)),
        sorted(zip(categories.currency, categories.category, categories.items_milli, strict=True)),
    )


def cells_of_facts(book, since, until, zone):
    """The same, as the facts have them."""
    at, days = ZoneInfo(zone), []
    day = since.astimezone(at).date()
    while midnight(day, at) < until:
        end = midnight(day + timedelta(days=1), at)
        days.append(Stretch(len(days), midnight(day, at), min(end, until), day if end <= until else None))
        day += timedelta(days=1)
    with tenancy.within(book.pk):
        by_hour = facts_queries.ask(SALES, [Stretch(0, since, until)], zone=zone, by=["currency"], is_hourly=True)
        by_day = facts_queries.ask(SALES, days, zone=zone, by=["currency"])
        by_category = facts_queries.ask(SALES, days, zone=zone, by=["currency", "category"])
    items = {}
    for row in by_category:
        key = row["currency"], row["category"]
        items[key] = items.get(key, 0) + row["items_milli"]
    return (
        sorted(
            (row["currency"], row["weekday"], row["hour"], row["charges_count"], row["collected_minor"])
            for row in by_hour
            if row["charges_count"] or row["collected_minor"]
        ),
        sorted(
            (
                *(row["currency"], days[row["number"]].since.astimezone(at).date()),
                *(row["collected_minor"] - row["refunded_minor"], row["tax_minor"], row["discounts_minor"]),
            )
            for row in by_day
        ),
        sorted((*key, count) for key, count in items.items()),
    )
