"""The sales page: its numbers, what narrows them, its files, and who may see it."""

import csv
import re
from html import unescape

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from analytics.facts import operations as facts
from payments.intents.models import Attempt
from tests.payments.acts import pay, refund
from tests.staff import make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])

SALES = "/dashboard/cafe/test/sales"
LINES = [
    {"description": "Tea", "unit_amount": 3_000, "quantity": 2, "category": "tea"},
    {"description": "Cake", "unit_amount": 4_000, "category": "<cake>"},
]
# Four for the desk, one for the stores, four for the report, one for the checkout.
STATEMENTS = 10


@pytest.fixture
def browser(merchant):
    return signed_in(make_staff(merchant, "owner"), HTTP_ACCEPT_LANGUAGE="en")


@pytest.fixture
def sold(api, customer, wallet_method):
    """An order of 100.00 and a payment of 20.00, of which 5.00 came back; and one that was declined."""
    method = wallet_method(customer)
    order = api.post("orders", {"currency": "cny", "line_items": LINES}).json
    pay(api, method, 10_000, payment_details={"order_reference": order["id"]})
    refund(api, pay(api, method, 2_000).json, 500)
    pay(api, wallet_method(customer, 1), 9_000)


def rows(response):
    text = b"".join(response.streaming_content).decode()
    return list(csv.reader(text.removeprefix("\ufeff").splitlines()))


def text_of(response):
    assert response.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", response.content.decode())))


class TestPage:
    @pytest.mark.requirement("A18")
    def test_adds_up_to_the_ledger_and_says_the_same_in_its_files(self, browser, book, sold):
        fees = sum(Attempt.objects.using("platform").filter(book_id=book.pk).values_list("fee_minor", flat=True))
        facts.run()

        text = text_of(browser.get(SALES))
        summary = {row[0]: row[1] for row in rows(browser.get(f"{SALES}/summary.csv"))}
        by_category = rows(browser.get(f"{SALES}/category.csv"))

        assert summary["Gross sales"] == "120.00"
        assert summary["Refunds"] == "5.00"
        assert summary["Net sales"] == "115.00"
        assert summary["Sales"] == "2"
        assert float(summary["Fees"]) <= fees / 100
        assert all(f"CN¥{value}" in text for value in ("120.00", "5.00", "115.00"))
        assert [row[:6] for row in by_category[1:]] == [
            ["tea", "1", "2", "60.00", "0.00", "60.00"],
            ["<cake>", "1", "1", "40.00", "0.00", "40.00"],
            ["No category", "1", "1", "20.00", "5.00", "15.00"],
        ]
        assert "Authorisation rate: 66.7%" in text
        assert "created_from=2026-02-03&created_to=2026-03-02&currency=cny" in unescape(
            browser.get(SALES).content.decode()
        )

    def test_is_narrowed_by_its_address(self, browser, sold):
        tea = rows(browser.get(f"{SALES}/summary.csv?category=tea"))
        nowhere = rows(browser.get(f"{SALES}/summary.csv?store=sto_nonsense&method=%00"))
        wallet = rows(browser.get(f"{SALES}/summary.csv?method=wallet&category=-"))

        assert tea[1][1] == "60.00"
        assert nowhere[1][1] == "0.00"
        assert wallet[1][1] == "20.00"
        assert "Take away the filter Category: <cake>" in unescape(
            browser.get(f"{SALES}?category=%3Ccake%3E").content.decode()
        )
        assert "<cake>" not in browser.get(SALES).content.decode()

    def test_asks_as_often_before_facts_are_made_as_after(self, browser, sold):
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(connections["default"]) as captured:
                browser.get(SALES)
            counts.append(sum("SELECT" in each["sql"] for each in captured))
            facts.run()

        assert counts == [STATEMENTS, STATEMENTS]

    def test_is_for_who_may_see_sales(self, merchant, other_merchant, book):
        for role, status in {"analyst": 200, "cashier": 403, "developer": 403}.items():
            visitor = signed_in(make_staff(merchant, role))
            assert (visitor.get(SALES).status_code, visitor.get(f"{SALES}/days.csv").status_code) == (status, status)
        stranger = signed_in(make_staff(other_merchant, "owner"))
        assert stranger.get(SALES).status_code == 404
        assert signed_in(make_staff(merchant, "owner")).get(f"{SALES}/nothing.csv").status_code == 404


class TestMetrics:
    def test_are_the_pages_numbers(self, api, sold):
        asked = {"metric": "net_sales", "since": "2026-03-01", "until": "2026-03-02", "compare": True}

        by_category = api.get("metrics/query", {**asked, "by": "category"})
        by_day = api.get("metrics/query", {**asked, "by": "day", "category": "tea"})
        rate = api.get("metrics/query", {"metric": "authorisation_rate", "by": "reason"})

        assert by_category.status == 200, by_category.json
        assert by_category.json["value"] == 11_500
        assert {each["key"]: each["value"] for each in by_category.json["values"]} == {
            "tea": 6_000,
            "<cake>": 4_000,
            None: 1_500,
        }
        assert by_category.json["compared_with"] == {"since": "2026-02-27", "until": "2026-02-28", "value": 0}
        assert [each["value"] for each in by_day.json["values"]] == [0, 6_000]
        assert rate.json["value"] == 666_666

    def test_are_all_in_the_catalogue(self, api):
        catalogue = api.get("metrics").json["metrics"]

        assert len(catalogue) == 16
        assert all(each["title"]["en"] != each["title"]["zh-hans"] for each in catalogue)

    @pytest.mark.parametrize(
        "params",
        [
            {"metric": "nonsense"},
            {"metric": "net_sales", "by": "outcome"},
            {"metric": "net_sales", "by": "nonsense"},
            {"metric": "success_rate", "category": "tea"},
            {"metric": "net_sales", "since": "2026-02-30"},
            {"metric": "net_sales", "since": "2026-03-02", "until": "2026-03-01"},
            {"metric": "net_sales", "until": "2026-03-01"},
            {"metric": "net_sales", "since": "2026-03-03", "until": "2026-03-04"},
            {"metric": "net_sales", "since": "2024-03-03"},
            {"metric": "net_sales", "store": "sto_nonsense"},
        ],
    )
    def test_refuse_what_cannot_be(self, api, params):
        reply = api.get("metrics/query", params)

        assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")
