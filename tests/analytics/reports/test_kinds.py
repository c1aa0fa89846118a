"""What stands in reports: the same numbers as the pages and the ledger, in four kinds and two languages."""

import csv
from datetime import date
from decimal import Decimal

import openpyxl
import pypdfium2
import pytest

from analytics.facts import queries as facts
from analytics.facts.cubes import SALES
from analytics.insights.metrics import METRICS
from analytics.insights.periods import Period
from analytics.insights.queries import days_of
from analytics.reports.models import FORMATS, KINDS
from members.loyalty import operations as loyalty
from merchant_platform.kernel import tenancy
from payments.orders.models import OrderLine
from tests.analytics.reports.asking import FIRST, LAST
from tests.analytics.reports.reading import columns, path_of, sections
from tests.cast import fees_of, owed_to, shown
from tests.members.loyalty import scheme
from tests.payments.acts import pay, refund
from tests.staff import make_staff, signed_in

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "platform"]),
    pytest.mark.requirement("A18"),
]

SALES_PAGE = "/dashboard/cafe/test/sales"
TAXED = [
    {"description": "Tea", "unit_amount": 11_300},
    {"description": "Book", "unit_amount": 10_900},
    {"description": "Stamp", "unit_amount": 700},
]


def page_rows(client, chart):
    """A table of the sales page, as its file says it."""
    address = f"{SALES_PAGE}/{chart}.csv?period=custom&since={FIRST}&until={LAST}"
    text = b"".join(client.get(address).streaming_content).decode()
    return list(csv.reader(text.removeprefix("\ufeff").splitlines()))


class TestSales:
    def test_says_what_the_sales_page_says(self, ask, owner, sold):
        browser = signed_in(owner, HTTP_ACCEPT_LANGUAGE="en")

        found = sections(ask("sales"))

        summary = {row[0]: row[1:] for row in found["Sales summary"]}
        assert summary["Gross sales"] == ["120.00", "0.00"]
        assert {name: values[0] for name, values in summary.items() if name != "Metric"} == {
            row[0]: row[1] for row in page_rows(browser, "summary")[1:]
        }
        assert columns(found["Net sales by day"], "Day", "Net sales") == [
            row[:2] for row in page_rows(browser, "days")[1:]
        ]
        for chart, title in (("category", "By category"), ("store", "By store"), ("method", "By method")):
            assert found[title] == page_rows(browser, chart)

    def test_a_text_is_no_formula(self, ask, sold):
        in_csv = sections(ask("sales"))["By category"][2][0]
        sheet = openpyxl.load_workbook(path_of(ask("sales", "xlsx")))["By category"]

        assert in_csv == "'=cake"
        assert (sheet["A3"].value, sheet["A3"].data_type) == ("'=cake", "s")


class TestTax:
    def test_is_by_rate_and_adds_up_to_the_metric(self, api, ask, book, customer, merchant, wallet_method):
        method = wallet_method(customer)
        order = api.post("orders", {"currency": "cny", "line_items": TAXED}).json
        for description, tax in (("Tea", 1_300), ("Book", 900)):
            lines = OrderLine.objects.using("platform").filter(book_id=book.pk, description=description)
            lines.update(unit_price_minor=10_000, tax_minor=tax)
        paid = pay(api, method, 22_900, payment_details={"order_reference": order["id"]})
        stamp = order["lines"]["data"][2]["id"]
        refund(api, paid.json, None, lines=[{"line": stamp}])

        found = sections(ask("tax"))

        assert found["By rate"][1:] == [
            ["Without tax", "7.00", "7.00", "0.00", "0.00", "0.00"],
            ["9%", "109.00", "0.00", "109.00", "9.00", "100.00"],
            ["13%", "113.00", "0.00", "113.00", "13.00", "100.00"],
            ["Total", "229.00", "7.00", "222.00", "22.00", "200.00"],
        ]
        assert [row[:2] for row in found["By month and rate"][1:]] == [
            *(["2026-03", "Without tax"], ["2026-03", "9%"], ["2026-03", "13%"]),
        ]
        period = Period(FIRST, LAST, merchant.zone, book.now)
        with tenancy.within(book.pk):
            (row,) = facts.ask(SALES, list(days_of(period)), zone=period.zone.key)
        assert METRICS["tax"].of(row) == 2_200


class TestBooks:
    def test_balances_and_is_what_the_ledger_owes(self, ask, book, sold):
        found = sections(ask("books"))

        owed = {row[0]: row[1] for row in found["What you are owed"]}
        assert Decimal(owed["Owed to you at the end"]) * 100 == owed_to(book)
        assert Decimal(owed["Fees"]) * -100 == fees_of(book)
        assert "Other" not in owed
        *accounts, total = found["Trial balance"][1:]
        assert total[2] == total[3]
        assert total[4] == total[5]
        assert [sum(Decimal(row[place]) for row in accounts) for place in range(2, 6)] == [
            Decimal(total[place]) for place in range(2, 6)
        ]
        assert [row[1:3] for row in found["Balance transactions"][1:]] == [
            ["Refund", "-5.00"],
            ["Payment", "20.00"],
            ["Payment", "100.00"],
        ]

    def test_an_earlier_period_ends_where_the_later_begins(self, ask, sold):
        before = sections(ask("books", first=date(2026, 2, 1), last=date(2026, 3, 1)))["What you are owed"]

        assert before[-1] == ["Owed to you at the end", "0.00"]
        assert before[1] == ["Owed to you at the beginning", "0.00"]


class TestMembers:
    def test_counts_members_and_points_and_names_nobody(self, api, ask, book, wallet_method, make_customer):
        programme = scheme.start(book)
        with tenancy.within(book.pk):
            loyalty.set_budget(programme_id=programme.pk, points=1_000, reference="budget", now=book.now)
        customer = make_customer(book, name="Lin Mei")
        member = api.post("members", {"name": "Zhou Zimo", "customer": shown("cus", customer)}).json
        pay(api, wallet_method(customer), 2_000)
        api.post("points/adjustments", {"member": member["id"], "points": 240, "reason": "Waited long"})

        report = ask("members")
        found = sections(report)

        assert [row[1] for row in found["Members"][1:]] == ["0", "1", "0", "1", "1"]
        points = dict(found[f"Points of {programme.name}"][1:])
        assert (points["Points issued"], points["Adjusted"]) == (points["Points issued"], "240")
        assert columns(found["New members by day"], "New members")[-1] == ["1"]
        text = path_of(report).read_text()
        assert "Zhou" not in text
        assert member["id"] not in text


class TestFormats:
    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_every_kind_in_every_format(self, ask, sold, language):
        texts = {}
        for kind in KINDS:
            for form in FORMATS:
                report = ask(kind, form, language=language)
                assert (report.status, report.failure) == ("succeeded", ""), (kind, form)
                if form == "pdf":
                    document = pypdfium2.PdfDocument(path_of(report))
                    texts[kind] = document[0].get_textpage().get_text_bounded()
                    last = document[len(document) - 1].get_textpage().get_text_bounded()
                    assert f"{len(document)} / {len(document)}" in last
        titles = {
            "en": ("Sales report", "Members report", "Tax report", "Books report"),
            "zh-hans": ("销售报表", "会员报表", "税务报表", "账簿报表"),
        }
        assert tuple(text.splitlines()[0] for text in texts.values()) == titles[language]

    def test_a_workbook_has_numbers_and_charts(self, ask, sold):
        book = openpyxl.load_workbook(path_of(ask("sales", "xlsx", language="zh-hans")))

        sheet = book["每日净销售额"]
        last = sheet[sheet.max_row]
        assert (last[1].value, last[1].data_type) == (120, "n")
        assert "¥" in last[1].number_format
        assert (last[5].value, last[0].is_date) == (0.44, True)
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        assert [len(book[name]._charts) for name in ("每日净销售额", "按分类")] == [1, 1]


class TestRights:
    @pytest.mark.parametrize(("role", "status"), [("analyst", 200), ("finance", 200), ("cashier", 403)])
    def test_a_page_for_who_makes_reports(self, merchant, book, role, status):
        assert signed_in(make_staff(merchant, role)).get("/dashboard/cafe/test/reports").status_code == status

    def test_a_kind_for_who_may_see_its_numbers(self, merchant, book):
        page = signed_in(make_staff(merchant, "analyst")).get("/dashboard/cafe/test/reports/new").content.decode()

        assert 'value="sales"' in page
        assert 'value="books"' not in page
