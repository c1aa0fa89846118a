"""Home as each role meets it: numbers that are the rows', links that lead to them, nothing for who may not see."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from merchant_platform.kernel import ids, tenancy
from payments.catalog import operations as catalog
from payments.webhooks.models import WebhookEndpoint
from security.access.roles import MERCHANT_ROLES
from security.credentials import keys
from security.merchants import operations as merchants
from tests.analytics.trade import attempted, card, paid
from tests.architecture.plans import NAMING
from tests.cast import NOW, origin_of
from tests.staff import make_staff, signed_in

pytestmark = pytest.mark.django_db

SELLERS = {"owner", "manager", "analyst", "finance"}
HOME = "/dashboard/cafe/test/"
# Four for the desk, one for what waits, three for the sums, two for the latest payments, one for the guide.
STATEMENTS = 11


def shown(response):
    """The text of a page, as a person reads it."""
    assert response.status_code == 200
    text = re.sub(r"<(script|style|svg).*?</\1>|<[^>]*>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(text))


def links(response, part):
    return [unescape(url) for url in re.findall(r'href="([^"]*)"', response.content.decode()) if part in url]


@pytest.fixture
def owner(merchant):
    return make_staff(merchant, "owner")


@pytest.fixture
def browser(owner):
    return signed_in(owner, HTTP_ACCEPT_LANGUAGE="en")


class TestPage:
    @pytest.mark.requirement("A3")
    def test_shows_the_four_numbers_and_how_they_changed(self, browser, book, customer):
        paid(book, NOW, 30_000, customer=customer)
        paid(book, NOW, 10_000)
        paid(book, NOW, 500, status="canceled")
        paid(book, NOW - timedelta(days=29), 20_000)

        text = shown(browser.get(HOME))

        assert "CN¥400.00" in text
        assert "+100.0% against the period before" in text
        assert "66.7%" in text
        assert "−33.3 pp against the period before" in text
        assert "CN¥200.00" in text
        assert "±0.0% against the period before" in text
        assert re.search(r"Active customers .*? 1 ", text)

    def test_leads_from_each_number_to_its_payments(self, browser, book):
        paid(book, NOW)

        urls = links(browser.get(HOME), "created_from=")

        period = "created_from=2026-02-03&created_to=2026-03-02&currency=cny"
        assert [url.partition("?")[2] for url in urls[:4]] == [
            f"status=succeeded&{period}",
            period,
            f"status=succeeded&{period}",
            f"status=succeeded&{period}",
        ]
        assert urls[0].startswith("/dashboard/cafe/test/payments?")

    @pytest.mark.parametrize("days", [7, 28, 90])
    def test_shows_the_days_that_were_chosen(self, browser, book, days):
        paid(book, NOW - timedelta(days=days - 1), 100)
        paid(book, NOW - timedelta(days=days), 7_000)

        response = browser.get(f"{HOME}?period={days}")

        assert response.content.decode().count("<tr data-day=") == days
        assert "CN¥1.00" in shown(response)

    @pytest.mark.parametrize(
        ("named", "day", "volume"), [("today", "2026-03-02", "1"), ("yesterday", "2026-03-01", "70")]
    )
    def test_shows_one_day_by_its_name(self, browser, book, named, day, volume):
        paid(book, NOW, 100)
        paid(book, NOW - timedelta(days=1), 7_000)

        response = browser.get(f"{HOME}?period={named}")

        assert response.content.decode().count(f'<tr data-day="{day}"') == 1
        assert f"CN¥{volume}.00" in shown(response)

    def test_takes_a_period_of_ones_own(self, browser, book):
        paid(book, NOW - timedelta(days=200), 12_300)

        response = browser.get(f"{HOME}?period=custom&since=2025-08-14&until=2025-08-14")

        assert "CN¥123.00" in shown(response)
        assert "Compared with 2025-08-13." in shown(response)

    @pytest.mark.parametrize(
        ("query", "says"),
        [
            ("since=2026-02-30&until=2026-03-01", "This is no date."),
            ("since=2026-03-01", "Choose the last day."),
            ("since=2026-03-02&until=2026-03-01", "The first day comes before the last."),
            ("since=2026-03-02&until=2026-03-03", "The last day is today at the latest."),
            ("since=2025-03-01&until=2026-03-02", "A period has 366 days at most."),
            ("since=0001-01-01&until=2026-03-01", "The first day comes before the last."),
            ("since=%00&until=%ff", "This is no date."),
        ],
    )
    def test_says_what_is_wrong_with_a_period_and_shows_the_usual_one(self, browser, book, query, says):
        response = browser.get(f"{HOME}?period=custom&{query}")

        assert says in shown(response)
        assert response.content.decode().count("<tr data-day=") == 0
        assert "2026-02-03 – 2026-03-02" in shown(response)

    @pytest.mark.parametrize("query", ["period=0", "period=-7", "period=%00", "currency=%00%ff", "currency=XXX", "x=1"])
    def test_takes_what_it_does_not_know_for_nothing(self, browser, book, query):
        paid(book, NOW)

        assert "CN¥10.00" in shown(browser.get(f"{HOME}?{query}"))

    def test_never_adds_two_currencies(self, browser, book):
        paid(book, NOW, 1_000)
        paid(book, NOW, 700, currency="JPY")

        in_yuan, in_yen = browser.get(HOME), browser.get(f"{HOME}?currency=jpy")

        assert "CN¥10.00" in shown(in_yuan)
        assert "¥700 +" not in shown(in_yuan)
        assert re.search(r"Payment volume .*?¥700 ", shown(in_yen))
        assert [url for url in links(in_yuan, "currency=jpy") if "payments" not in url] == [
            f"{HOME}?period=28&currency=jpy"
        ]

    def test_says_when_customers_come_and_how_they_pay(self, browser, book):
        visa = card(book, "visa", at=NOW)
        paid(book, NOW, 900, method=visa)
        paid(book, NOW, 100, method=visa)

        response = browser.get(HOME)

        assert "Busiest: Monday 17:00, 2 payments" in shown(response)
        assert re.search(r"Visa 2 CN¥10\.00 ?100\.0%", shown(response))

    def test_shows_the_latest_payments_newest_first(self, browser, book, customer):
        for number in range(10):
            paid(book, NOW + timedelta(seconds=number), 100 + number, customer=customer)

        text = shown(browser.get(HOME)).partition("Latest payments")[2]

        assert re.findall(r"CN¥1\.0\d", text)[:8] == [f"CN¥1.0{number}" for number in range(9, 1, -1)]
        assert "Lin Mei" in text

    def test_knows_a_book_where_nothing_happened(self, browser, book):
        text = shown(browser.get(HOME))

        assert "CN¥0.00" in text
        assert "nothing to compare with" in text
        assert "No payments in this period" in text
        assert "No payments yet" in text

    def test_shows_only_its_own_book(self, browser, book, live_book, other_book):
        paid(live_book, NOW, 77_700)
        paid(other_book, NOW, 88_800)

        text = shown(browser.get(HOME))

        assert "777" not in text
        assert "888" not in text

    @pytest.mark.requirement("B30")
    def test_says_all_of_it_in_chinese(self, owner, book):
        paid(book, NOW, 1_234_500)

        with override("zh-hans"):
            text = shown(signed_in(owner, HTTP_ACCEPT_LANGUAGE="zh-CN").get(HOME))

        assert "交易额" in text
        assert "¥12,345.00" in text
        assert "最忙" in text
        assert not re.findall(r"Payment|Success|Average|Active|Setup|Latest|Busiest|against", text)

    def test_asks_as_often_of_much_as_of_little(self, browser, book, customer, settings):
        settings.DASHBOARD_ATTENTION = ["payments.web.attention.waiting"]
        for number in range(30):
            made = NOW - timedelta(days=number)
            paid(
                book,
                made,
                customer=customer,
                method=card(book, "visa", at=made),
                currency="CNY" if number % 2 else "EUR",
                latest_attempt_id=ids.new(made),
            )

        with CaptureQueriesContext(connections["default"]) as captured:
            browser.get(HOME)

        statements = [each["sql"].strip() for each in captured]
        # A unit of work names its book in the trip of its first statement.
        questions = [each.partition(";")[2].strip() if each.startswith(NAMING) else each for each in statements]
        asked = [each for each in questions if each.startswith(("SELECT", "WITH"))]
        assert len(asked) == STATEMENTS


class TestRoles:
    @pytest.mark.parametrize("role", MERCHANT_ROLES)
    def test_see_sums_only_where_they_may(self, merchant, book, role):
        paid(book, NOW, 123_456)

        response = signed_in(make_staff(merchant, role), HTTP_ACCEPT_LANGUAGE="en").get(HOME)

        sees = role in SELLERS
        assert ("Payment volume" in shown(response)) == sees
        assert ("Payments today 1 Succeeded 1" in shown(response)) != sees
        assert ("CN¥1,234.56" in shown(response).partition("Latest payments")[0]) == sees

    @pytest.mark.parametrize("role", sorted(set(MERCHANT_ROLES) - SELLERS))
    def test_keep_the_files_from_who_may_not_see_sums(self, merchant, book, role):
        assert signed_in(make_staff(merchant, role)).get(f"{HOME}home/volume.csv").status_code == 403

    def test_are_nobody_at_another_merchant(self, other_merchant, merchant, book):
        stranger = signed_in(make_staff(other_merchant, "owner"))

        assert stranger.get(HOME).status_code == 404
        assert stranger.get(f"{HOME}home/volume.csv").status_code == 404
        assert stranger.post(f"{HOME}home/guide").status_code == 404


class TestFile:
    def test_has_the_days_of_the_chart(self, browser, book):
        paid(book, NOW, 1_050)
        paid(book, NOW - timedelta(days=7), 300)

        response = browser.get(f"{HOME}home/volume.csv?period=7")

        lines = response.content.decode("utf-8-sig").splitlines()
        assert response["Content-Disposition"] == 'attachment; filename="volume-2026-02-24-2026-03-02.csv"'
        assert lines[0] == "Day,Volume,Payments,Day before,Volume before,Currency"
        assert lines[-1] == "2026-03-02,10.50,1,2026-02-23,0.00,CNY"
        assert len(lines) == 8

    def test_has_every_hour_of_the_week(self, browser, book):
        paid(book, NOW)

        lines = browser.get(f"{HOME}home/hours.csv").content.decode("utf-8-sig").splitlines()

        assert len(lines) == 1 + 7 * 24
        assert [line for line in lines[1:] if not line.endswith(",0")] == ["Mon,17,1"]

    def test_has_the_ways_of_paying(self, browser, book):
        paid(book, NOW, 900, method=card(book, "=cmd", at=NOW))

        lines = browser.get(f"{HOME}home/methods.csv").content.decode("utf-8-sig").splitlines()

        assert lines == ["Method,Brand,Payments,Volume,Currency", "Card,'=Cmd,1,9.00,CNY"]

    def test_is_not_there_for_a_chart_that_is_not(self, browser, book):
        assert browser.get(f"{HOME}home/nothing.csv").status_code == 404


class TestGuide:
    def test_counts_what_is_really_there(self, browser, book, merchant):
        assert "0 of 6 steps done" in shown(browser.get(HOME))

        merchants.open_store(merchant=merchant, name="Store", now=NOW)
        make_staff(merchant, "cashier")
        keys.make(book=book, kind="secret", now=NOW)
        with tenancy.within(book.pk):
            catalog.create_product(fields={"name": "Tea"}, now=NOW, origin=origin_of(book))
        paid(book, NOW, status="canceled")
        assert "4 of 6 steps done" in shown(browser.get(HOME))

        paid(book, NOW)
        assert "5 of 6 steps done" in shown(browser.get(HOME))

    def test_goes_once_all_is_done(self, browser, book, merchant):
        merchants.open_store(merchant=merchant, name="Store", now=NOW)
        make_staff(merchant, "cashier")
        keys.make(book=book, kind="secret", now=NOW)
        paid(book, NOW)
        with tenancy.within(book.pk):
            catalog.create_product(fields={"name": "Tea"}, now=NOW, origin=origin_of(book))
            endpoint(book)

        assert "Setup guide" not in shown(browser.get(HOME))

    def test_is_put_away_by_one_person_for_that_person(self, browser, book, merchant):
        manager = signed_in(make_staff(merchant, "manager"), HTTP_ACCEPT_LANGUAGE="en")

        for _ in range(2):
            assert browser.post(f"{HOME}home/guide", {"act": "dismiss"}).status_code == 302

        assert "steps done" not in shown(browser.get(HOME))
        assert "1 of 6 steps done" in shown(manager.get(HOME))
        browser.post(f"{HOME}home/guide", {"act": "bring_back"})
        assert "1 of 6 steps done" in shown(browser.get(HOME))

    def test_is_not_for_who_sets_nothing_up(self, merchant, book):
        assert "steps done" not in shown(signed_in(make_staff(merchant, "cashier")).get(HOME))

    def test_changes_nothing_by_being_looked_at(self, browser, book):
        assert browser.get(f"{HOME}home/guide").status_code == 405


class TestWaiting:
    def test_names_what_somebody_should_look_at(self, browser, book):
        visa = card(book, "visa", at=NOW)
        late = paid(book, NOW - timedelta(hours=1), status="processing", method=visa)
        attempted(late, status="unknown")
        fresh = paid(book, NOW, status="processing", method=visa)
        attempted(fresh, status="unknown")
        held = paid(book, NOW - timedelta(days=6), status="requires_capture", method=visa)
        attempted(held, status="authorized", is_manual=True, expires_at=NOW + timedelta(days=1))
        later = paid(book, NOW, status="requires_capture", method=visa)
        attempted(later, status="authorized", is_manual=True, expires_at=NOW + timedelta(days=7))
        text = shown(browser.get(HOME)).partition("Needs attention")[2]

        assert "1 Payments whose outcome the provider has not told" in text
        assert "1 Authorised payments that end within two days" in text
        assert "Refunds that failed" not in text

    def test_is_no_part_of_the_page_where_nothing_waits(self, browser, book):
        assert "Needs attention" not in shown(browser.get(HOME))


def endpoint(book, **columns):
    return WebhookEndpoint.objects.create(
        id=ids.new(NOW), book_id=book.pk, url="https://example.com", enabled_events=["*"], created_at=NOW, **columns
    )


class TestChange:
    def test_of_next_to_nothing_is_no_percentage(self, browser, book):
        paid(book, NOW - timedelta(days=29), 1)
        paid(book, NOW, 50_000)

        assert ">1,000% against the period before" in shown(browser.get(HOME))
