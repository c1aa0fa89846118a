import csv
import io

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from payments.listing import payments as listing
from payments.listing import windows
from security.audit.models import AuditRecord
from tests.cast import NOW, move_clock, shown
from tests.payments.card_acts import paid
from tests.payments.web.dashboard.sales import BASE, ids_on, pay, sell, stepped_up, text_of
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]


@pytest.fixture
def owner(merchant):
    return signed_in(make_staff(merchant, "owner"))


@pytest.fixture
def method(customer, wallet_method):
    return wallet_method(customer, 100_000)


class TestIndex:
    def test_lists_the_newest_first(self, owner, api, method):
        first, second = pay(api, method, 1_000), pay(api, method, 2_000)

        assert ids_on(owner, "/payments") == [second["id"], first["id"]]

    def test_says_what_a_row_is(self, owner, api, method):
        sold = sell(api, method, description="Breakfast")

        [row] = owner.get(f"{BASE}/payments").context["lines"]

        assert (row["id"], str(row["word"]), row["method"], row["customer"], row["about"], row["order"]) == (
            sold["id"], "Succeeded", "Wallet", "Lin Mei", "Breakfast", "A-1",
        )  # fmt: skip

    def test_says_what_was_bought_where_nothing_describes_it(self, owner, api, method):
        teas = {"description": "Green tea", "unit_amount": 900, "quantity": 2}
        api.post("orders", {"currency": "cny", "reference": "A-2", "line_items": [teas]})
        pay(api, method)
        pay(api, method, 1_800, payment_details={"order_reference": "A-2"})
        sell(api, method)

        rows = owner.get(f"{BASE}/payments").context["lines"]
        told = list(csv.DictReader(io.StringIO(text_of(stepped_up(owner, f"{BASE}/payments/export")))))

        assert [row["about"] for row in rows] == ["Espresso and 2 more", "Green tea × 2", ""]
        assert [row["Description"] for row in told] == [row["about"] for row in rows]

    def test_finds_a_card_by_its_last_four_digits(self, owner, api, method, acquirer):
        pay(api, method)
        found = paid(api)
        other = paid(api, "pm_card_mastercard")

        assert ids_on(owner, "/payments?last4=4242") == [found["id"]]
        assert ids_on(owner, "/payments?last4=4444") == [other["id"]]
        assert ids_on(owner, "/payments?last4=0000") == []

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("amount_min=140&amount_max=140", [0]),
            ("amount_min=10.01", [0]),
            ("amount_max=10", [1]),
            ("amount_min=10&amount_max=140", [1, 0]),
            ("currency=CNY", [1, 0]),
            ("currency=USD", []),
            ("method=wallet", [1, 0]),
            ("method=card", []),
            ("order=A-1", [0]),
            ("order=A-2", []),
            ("customer=LIN.MEI@example.com", [1, 0]),
            ("customer=nobody@example.com", []),
            ("customer=lin", [1, 0]),
            ("customer=mei", []),
            ("metadata=table%3D7", [0]),
            ("metadata=table%3D8", []),
            ("status=succeeded", [1, 0]),
            ("status=canceled", []),
            ("created_from=2026-03-02&created_to=2026-03-02", [1, 0]),
            ("created_from=2026-03-03", []),
            ("created_to=2026-03-01", []),
            ("order=A-1&method=wallet&amount_min=1", [0]),
        ],
    )
    def test_narrows_by_each_filter(self, query, expected, owner, api, method):
        made = [sell(api, method, metadata={"table": "7"})["id"], pay(api, method)["id"]]

        assert ids_on(owner, f"/payments?{query}") == [made[each] for each in expected]

    def test_finds_the_payments_of_many_of_one_name(self, owner, api, method, monkeypatch):
        monkeypatch.setattr(listing, "CUSTOMERS_MAX", 0)
        made = pay(api, method)

        assert ids_on(owner, "/payments?customer=lin") == [made["id"]]
        assert ids_on(owner, "/payments?customer=zhou") == []

    def test_counts_days_in_the_merchants_zone(self, owner, api, method, book):
        # 17:30 on the 2nd in Shanghai; one minute before midnight there is 15:59 UTC.
        move_clock(book, NOW.replace(hour=15, minute=59))
        late = pay(api, method)
        move_clock(book, NOW.replace(hour=16, minute=0))
        next_day = pay(api, method)

        assert ids_on(owner, "/payments?created_to=2026-03-02") == [late["id"]]
        assert ids_on(owner, "/payments?created_from=2026-03-03") == [next_day["id"]]

    def test_counts_its_tabs(self, owner, api, method, acquirer):
        sold = pay(api, method)
        api.post("refunds", {"payment_intent": sold["id"], "amount": 100})
        paid(api, capture_method="manual")
        api.post("payment_intents", {"amount": 500, "currency": "cny"})
        api.post(
            "payment_intents",
            {"amount": 500, "currency": "cny", "confirm": True, "payment_method": "pm_card_chargeDeclined"},
        )

        def counts(query: str) -> dict[str, str]:
            return {str(tab.title): tab.count for tab in owner.get(f"{BASE}/payments?{query}").context["tabs"]}

        expected = {
            "All": "4", "Succeeded": "1", "Refunded": "1", "Uncaptured": "1", "Processing": "0", "Failed": "1",
            "Incomplete": "1", "Canceled": "0",
        }  # fmt: skip
        assert counts("") == expected
        assert counts("currency=CNY") == expected
        assert counts("currency=USD") == dict.fromkeys(expected, "0")
        for tab, number in (("refunded", 1), ("uncaptured", 1), ("failed", 1), ("incomplete", 1), ("canceled", 0)):
            assert len(ids_on(owner, f"/payments?status={tab}")) == number

    def test_says_where_it_stopped_counting(self, owner, api, method, monkeypatch):
        monkeypatch.setattr(windows, "COUNT_MAX", 2)
        for _ in range(3):
            pay(api, method)

        tabs = {str(tab.title): tab.count for tab in owner.get(f"{BASE}/payments").context["tabs"]}

        assert (tabs["All"], tabs["Canceled"]) == ("2+", "0")

    def test_pages_both_ways(self, owner, api, method, monkeypatch):
        monkeypatch.setattr(listing, "page", lambda filters, **ways: _page(filters, **ways))
        made = [pay(api, method)["id"] for _ in range(5)][::-1]

        first = owner.get(f"{BASE}/payments")
        second = owner.get(f"{BASE}/payments{first.context['ways'].older}")
        last = owner.get(f"{BASE}/payments{second.context['ways'].older}")
        back = owner.get(f"{BASE}/payments{last.context['ways'].newer}")

        shown_ids = [[row["id"] for row in page.context["lines"]] for page in (first, second, last, back)]
        assert shown_ids == [made[:2], made[2:4], made[4:], made[2:4]]
        assert (first.context["ways"].newer, last.context["ways"].older) == ("", "")

    def test_looks_back_a_window_and_goes_on_from_there(self, owner, api, method, monkeypatch):
        monkeypatch.setattr(windows, "WINDOW", 2)
        wanted = pay(api, method, 7_777)
        for _ in range(3):
            pay(api, method, 100)

        first = owner.get(f"{BASE}/payments?amount_min=50")
        second = owner.get(f"{BASE}/payments{first.context['ways'].older}")

        assert (first.context["lines"], first.context["looked_back_to"]) == ([], NOW)
        assert [row["id"] for row in second.context["lines"]] == [wanted["id"]]

    def test_takes_empty_filters_out_of_the_address(self, owner):
        reply = owner.get(f"{BASE}/payments?last4=4242&customer=&status=")

        assert (reply.status_code, reply.url) == (302, f"{BASE}/payments?last4=4242")

    @pytest.mark.parametrize(
        "query",
        [
            "last4=42", "last4=abcd", "created_from=yesterday", "created_from=2026-02-30", "amount_min=much",
            "amount_min=1.001", "amount_min=10&amount_max=5", "currency=QQQ", "method=barter", "status=lost",
            "metadata=7", "created_from=2026-03-02&created_to=2026-03-01", "order=%00", "customer=%00",
            "amount_min=99999999999999999999",
        ],
    )  # fmt: skip
    def test_tells_a_filter_that_cannot_be_read(self, query, owner, api, method):
        pay(api, method)

        reply = owner.get(f"{BASE}/payments?{query}")

        assert reply.status_code == 400
        assert "lines" not in reply.context
        assert reply.context["form"].errors

    @pytest.mark.parametrize("query", ["after=pi_1", "before=x", "after=%00"])
    def test_has_no_page_at_a_cursor_that_is_none(self, query, owner):
        assert owner.get(f"{BASE}/payments?{query}").status_code == 404

    def test_costs_so_many_statements_however_many_rows(self, owner, api, method, customer):
        def statements() -> int:
            with CaptureQueriesContext(connections["default"]) as captured:
                assert owner.get(f"{BASE}/payments").status_code == 200
            return len(captured)

        pay(api, method)
        statements()
        few = statements()
        for _ in range(12):
            pay(api, method)

        assert statements() == few
        assert few <= 14

    def test_hides_customers_from_who_may_not_know_them(self, merchant, api, method):
        sell(api, method)

        for role in ROLES:
            body = text_of(signed_in(make_staff(merchant, role)).get(f"{BASE}/payments"))
            known = role not in ("analyst", "finance")
            # Who may not know them finds nothing out by guessing at a name either.
            assert ("Lin Mei" in body, 'name="customer"' in body) == (known, known), role

    def test_shows_nothing_of_the_other_mode_or_of_a_stranger(self, owner, api, method, other_merchant):
        sold = pay(api, method)
        stranger = signed_in(make_staff(other_merchant, "owner"))

        assert sold["id"] not in text_of(owner.get("/dashboard/cafe/payments"))
        assert sold["id"] not in text_of(stranger.get("/dashboard/bakery/test/payments"))
        assert stranger.get(f"{BASE}/payments").status_code == 404

    def test_lets_nobody_in_who_is_not_signed_in(self, client, merchant):
        reply = client.get(f"{BASE}/payments")

        assert (reply.status_code, reply.url.partition("?")[0]) == (302, "/accounts/login/")


class TestNew:
    def test_says_how_many_came_since(self, owner, api, method):
        first = pay(api, method)
        address = f"{BASE}/payments/new?since={first['id']}"
        assert text_of(owner.get(address)).strip() == ""

        pay(api, method)
        pay(api, method)

        assert "2 new payments" in text_of(owner.get(address))
        assert text_of(owner.get(f"{address}&currency=USD")).strip() == ""

    def test_wants_to_know_since_when(self, owner):
        assert owner.get(f"{BASE}/payments/new").status_code == 404
        assert owner.get(f"{BASE}/payments/new?since=pi_1").status_code == 404


class TestExport:
    def _rows(self, client, query: str = "") -> list[list[str]]:
        reply = stepped_up(client, f"{BASE}/payments/export{query}")
        assert reply.status_code == 200
        return list(csv.reader(io.StringIO(text_of(reply).removeprefix("\ufeff"))))

    def test_equals_the_screen(self, owner, api, method):
        sold = sell(api, method, description="Breakfast")
        plain = pay(api, method)

        titles, *rows = self._rows(owner)

        assert titles == [
            "Time (Asia/Shanghai)", "Status", "Amount", "Currency", "Method", "Customer", "Description", "Order", "ID",
        ]  # fmt: skip
        assert rows == [
            ["2026-03-02 17:30:00", "Succeeded", "10.00", "CNY", "Wallet", "Lin Mei", "", "", plain["id"]],
            ["2026-03-02 17:30:00", "Succeeded", "140.00", "CNY", "Wallet", "Lin Mei", "Breakfast", "A-1", sold["id"]],
        ]
        assert [row[-1] for row in rows] == ids_on(owner, "/payments")

    def test_has_every_row_though_it_reads_a_batch_at_a_time(self, owner, api, method, monkeypatch):
        monkeypatch.setattr(listing, "EXPORT_BATCH", 2)
        made = [pay(api, method)["id"] for _ in range(5)][::-1]

        assert [row[-1] for row in self._rows(owner)[1:]] == made

    def test_follows_the_filters_and_the_selection(self, owner, api, method):
        sold = sell(api, method)
        plain = pay(api, method)

        assert [row[-1] for row in self._rows(owner, "?order=A-1")[1:]] == [sold["id"]]
        # The factor that was shown holds for the file a while, whatever its filters.
        body = text_of(owner.get(f"{BASE}/payments/export?selected={plain['id']}"))
        assert (plain["id"] in body, sold["id"] in body) == (True, False)

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1"])
    def test_lets_no_spreadsheet_run_what_somebody_typed(self, text, owner, api, method):
        pay(api, method, description=text)

        assert self._rows(owner)[1][6] == f"'{text}"

    def test_is_written_into_the_audit_log(self, owner, api, method, merchant, book):
        pay(api, method)

        self._rows(owner, "?customer=lin.mei@example.com&status=succeeded")

        record = AuditRecord.objects.get(action="payment.export")
        assert record.book_id == book.pk
        assert record.detail == {"filters": ["customer"], "tab": "succeeded", "selected_count": 0}

    def test_is_for_roles_that_may(self, merchant, api, method):
        for role in ROLES:
            status = signed_in(make_staff(merchant, role)).get(f"{BASE}/payments/export").status_code
            # Who may know the customers shows a factor first.
            expected = {"owner": 302, "manager": 302, "analyst": 200, "finance": 200}.get(role, 403)
            assert status == expected, role

    def test_refuses_filters_that_cannot_be_read(self, owner):
        assert stepped_up(owner, f"{BASE}/payments/export?last4=x").status_code == 400
        assert owner.get(f"{BASE}/payments/export?selected=x").status_code == 404
        assert not AuditRecord.objects.filter(action="payment.export").exists()


class TestSearch:
    def test_finds_payments_by_what_a_person_knows_of_them(self, owner, api, method, acquirer):
        sold, card = sell(api, method), paid(api)

        def titles(text: str) -> list[str]:
            return [hit.url.rpartition("/")[2] for hit in owner.get(f"{BASE}/search?q={text}").context["hits"]]

        assert titles("4242") == [card["id"]]
        assert titles("A-1") == [sold["id"]]
        assert titles("140.00") == [sold["id"]]
        assert owner.get(f"{BASE}/search?q={sold['id']}").url == f"{BASE}/payments/{sold['id']}"
        assert owner.get(f"{BASE}/search?q={card['latest_charge']}").url == f"{BASE}/payments/{card['id']}"
        assert titles("nothing") == []
        assert titles(shown("pi", method)) == []


def _page(filters, **ways):
    lead, condition = listing._plan(filters)
    rows = listing.PaymentIntent.objects.select_related("order", "customer")
    return windows.page(rows, lead, condition, limit=2, **ways)
