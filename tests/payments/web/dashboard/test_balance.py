import csv
import io

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from security.audit.models import AuditRecord
from tests.cast import owed_to
from tests.payments.web.dashboard.sales import BASE, pay, text_of
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]


@pytest.fixture
def owner(merchant):
    return signed_in(make_staff(merchant, "owner"))


@pytest.fixture
def sold(api, customer, wallet_method):
    """A payment of 50.00, its fee 0.19, of which 10.00 went back, with 0.04 of the fee."""
    payment = pay(api, wallet_method(customer, 50_000), 5_000)
    api.post("refunds", {"payment_intent": payment["id"], "amount": 1_000})
    return payment


class TestIndex:
    def test_says_what_is_owed(self, owner, sold, book):
        [owed] = owner.get(f"{BASE}/balance").context["owed"]

        assert (owed.currency, owed.available_minor, owed.pending_minor) == ("CNY", 3_985, 0)
        assert owed.available_minor == owed_to(book)

    def test_says_nothing_is_owed_before_anything_moved(self, owner):
        [owed] = owner.get(f"{BASE}/balance").context["owed"]

        assert (owed.currency, owed.available_minor) == ("CNY", 0)

    def test_lists_what_made_it(self, owner, sold):
        lines = owner.get(f"{BASE}/balance").context["lines"]

        shown = [
            (str(row["word"]), row["entry"].amount_minor, row["fee_minor"], row["entry"].net_minor) for row in lines
        ]
        assert shown == [("Refund", -1_000, 4, -996), ("Payment", 5_000, -19, 4_981)]
        assert [row["payment_id"] for row in lines] == [sold["id"]] * 2

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("type=payment", ["Payment"]),
            ("type=payment_refund", ["Refund"]),
            ("type=payment_failure_refund", []),
            ("currency=CNY", ["Refund", "Payment"]),
            ("currency=USD", []),
            ("created_to=2026-03-01", []),
        ],
    )
    def test_narrows_by_each_filter(self, query, expected, owner, sold):
        lines = owner.get(f"{BASE}/balance?{query}").context["lines"]

        assert [str(row["word"]) for row in lines] == expected

    @pytest.mark.parametrize("query", ["type=gift", "currency=QQQ", "created_from=x"])
    def test_tells_a_filter_that_cannot_be_read(self, query, owner):
        assert owner.get(f"{BASE}/balance?{query}").status_code == 400

    @pytest.mark.parametrize("role", ROLES)
    def test_is_closed_to_roles_that_may_not_see_it(self, role, merchant, sold):
        client = signed_in(make_staff(merchant, role))
        may = role in ("owner", "manager", "finance")

        page, sheet = client.get(f"{BASE}/balance"), client.get(f"{BASE}/balance/export")

        assert (page.status_code, sheet.status_code) == ((200, 200) if may else (403, 403))
        assert ("CN¥39.85" in text_of(page)) is may
        assert (f"{BASE}/balance" in text_of(client.get(f"{BASE}/payments"))) is may

    def test_costs_so_many_statements_however_many_rows(self, owner, sold, api, customer, wallet_method):
        def statements() -> int:
            with CaptureQueriesContext(connections["default"]) as captured:
                assert owner.get(f"{BASE}/balance").status_code == 200
            return len(captured)

        statements()
        few = statements()
        method = wallet_method(customer, 50_000)
        for _ in range(5):
            pay(api, method)

        assert statements() == few
        assert few <= 14

    def test_shows_nothing_of_a_stranger(self, owner, sold, other_merchant):
        stranger = signed_in(make_staff(other_merchant, "owner"))

        assert stranger.get(f"{BASE}/balance").status_code == 404
        assert stranger.get("/dashboard/bakery/test/balance").context["lines"] == []
        assert owner.get("/dashboard/cafe/balance").context["lines"] == []


class TestExport:
    def test_equals_the_screen_and_is_audited(self, owner, sold):
        body = text_of(owner.get(f"{BASE}/balance/export?type=payment")).removeprefix("\ufeff")
        titles, *rows = csv.reader(io.StringIO(body))

        [line] = owner.get(f"{BASE}/balance?type=payment").context["lines"]
        assert titles == ["Time (Asia/Shanghai)", "Type", "Amount", "Fee", "Net", "Currency", "Payment", "ID"]
        assert rows == [
            ["2026-03-02 17:30:00", "Payment", "50.00", "-0.19", "49.81", "CNY", sold["id"], line["id"]],
        ]
        assert AuditRecord.objects.get(action="balance.export").detail == {"filters": ["type"]}
