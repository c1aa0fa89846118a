import csv
import io

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.payments.card_acts import by_number, paid
from tests.payments.web.dashboard.sales import BASE, ids_on, pay, text_of
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]


@pytest.fixture
def owner(merchant):
    return signed_in(make_staff(merchant, "owner"))


@pytest.fixture
def given(api, customer, wallet_method):
    """Three refunds: two of one payment by wallet, and one of a card that is on its way; the oldest first."""
    sold = pay(api, wallet_method(customer, 50_000), 5_000)
    card = paid(api, None, **by_number("4000000000007726"))
    return [
        api.post("refunds", {"payment_intent": payment["id"], "amount": amount, **more}).json
        for payment, amount, more in (
            (sold, 100, {"reason": "duplicate"}),
            (sold, 200, {"reason": "requested_by_customer"}),
            (card, 300, {}),
        )
    ]


class TestIndex:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", [2, 1, 0]),
            ("status=pending", [2]),
            ("status=succeeded", [1, 0]),
            ("status=failed", []),
            ("reason=duplicate", [0]),
            ("currency=USD", []),
            ("created_from=2026-03-02&created_to=2026-03-02", [2, 1, 0]),
            ("created_from=2026-03-03", []),
        ],
    )
    def test_narrows_by_each_filter(self, query, expected, owner, given, acquirer):
        assert ids_on(owner, f"/refunds?{query}") == [given[each]["id"] for each in expected]

    def test_narrows_to_a_payment(self, owner, given, acquirer):
        assert ids_on(owner, f"/refunds?payment={given[0]['payment_intent']}") == [given[1]["id"], given[0]["id"]]

    def test_counts_its_tabs(self, owner, given, acquirer):
        expected = {"All": "3", "Succeeded": "2", "Pending": "1", "Failed": "0", "Canceled": "0"}

        for query in ("", "currency=CNY"):
            tabs = owner.get(f"{BASE}/refunds?{query}").context["tabs"]
            assert {str(tab.title): tab.count for tab in tabs} == expected

    @pytest.mark.parametrize("query", ["status=lost", "reason=because", "payment=pi_1", "created_to=never"])
    def test_tells_a_filter_that_cannot_be_read(self, query, owner):
        assert owner.get(f"{BASE}/refunds?{query}").status_code == 400

    def test_costs_so_many_statements_however_many_rows(self, owner, given, api, acquirer):
        def statements() -> int:
            with CaptureQueriesContext(connections["default"]) as captured:
                assert owner.get(f"{BASE}/refunds").status_code == 200
            return len(captured)

        statements()
        few = statements()
        for _ in range(5):
            api.post("refunds", {"payment_intent": given[0]["payment_intent"], "amount": 1})

        assert statements() == few
        assert few <= 14

    def test_shows_nothing_of_a_stranger(self, owner, given, other_merchant, acquirer):
        stranger = signed_in(make_staff(other_merchant, "owner"))

        assert stranger.get(f"{BASE}/refunds").status_code == 404
        assert ids_of(stranger.get("/dashboard/bakery/test/refunds")) == []
        assert ids_of(owner.get("/dashboard/cafe/refunds")) == []


class TestExport:
    def test_equals_the_screen(self, owner, given, acquirer):
        body = text_of(owner.get(f"{BASE}/refunds/export")).removeprefix("\ufeff")
        titles, *rows = csv.reader(io.StringIO(body))

        assert titles == [
            "Time (Asia/Shanghai)", "Status", "Amount", "Currency", "Method", "Customer", "Reason", "Payment", "ID",
        ]  # fmt: skip
        assert [row[-1] for row in rows] == ids_on(owner, "/refunds")
        assert rows[2] == [
            "2026-03-02 17:30:00", "Succeeded", "1.00", "CNY", "Wallet", "Lin Mei", "Paid twice",
            given[0]["payment_intent"], given[0]["id"],
        ]  # fmt: skip

    def test_is_for_roles_that_may(self, merchant):
        for role in ROLES:
            status = signed_in(make_staff(merchant, role)).get(f"{BASE}/refunds/export").status_code
            assert status == (200 if role in ("owner", "manager", "analyst", "finance") else 403), role


def ids_of(reply) -> list[str]:
    return [row["id"] for row in reply.context["lines"]]
