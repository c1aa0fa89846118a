"""Customers at the desk: who may what, what is found, changed, taken away and written down."""

import csv
from datetime import timedelta
from io import StringIO

import pytest

from merchant_platform.kernel import idempotency, tenancy
from payments.customers.models import Customer, PaymentMethod
from security.access import roles
from security.audit.models import AuditRecord
from tests.cast import NOW, move_clock, shown
from tests.desks import LIVE, TEST, Door
from tests.payments import books
from tests.payments.acts import pay
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("B5")]

LIST = f"{TEST}/customers"
STATEMENTS_LIST, STATEMENTS_DETAIL = 8, 14


@pytest.fixture
def door(merchant):
    return Door(signed_in(make_staff(merchant, "manager")))


@pytest.fixture
def page(customer):
    return f"{LIST}/{shown('cus', customer)}"


def rows(book):
    with tenancy.within(book.pk):
        return list(Customer.objects.order_by("pk").values_list("name", "email", "deleted_at"))


def told(api, kind):
    return api.get("events", {"type": kind}).json["data"]


class TestEveryDoor:
    @pytest.mark.parametrize("role", ROLES)
    def test_opens_to_roles_as_the_table_says(self, merchant, customer, page, role):
        client = signed_in(make_staff(merchant, role))

        for path, action in (
            (LIST, "customer.view"),
            (page, "customer.view"),
            (f"{LIST}/new", "customer.edit"),
            (f"{page}/edit", "customer.edit"),
            (f"{page}/delete", "customer.edit"),
        ):
            assert client.get(path).status_code == (200 if roles.may(role, action) else 403), path
        assert client.get(f"{LIST}/export").status_code == (302 if roles.may(role, "customer.export") else 403)

    @pytest.mark.parametrize("role", ["cashier", "developer", "analyst", "finance"])
    def test_writes_nothing_for_a_role_that_may_not(self, merchant, book, customer, page, role):
        client = signed_in(make_staff(merchant, role))

        with books.unchanged():
            statuses = [
                client.post(path, {"name": "Mallory"}).status_code
                for path in (f"{LIST}/new", f"{page}/edit", f"{page}/delete", f"{LIST}/export")
            ]

        assert statuses == [403] * 4
        assert AuditRecord.objects.count() == 0

    def test_knows_no_stranger(self, other_merchant, customer, page, book):
        stranger = signed_in(make_staff(other_merchant, "owner"))

        with books.unchanged():
            statuses = [stranger.get(path).status_code for path in (LIST, page, f"{page}/edit")]
            statuses.append(stranger.post(f"{page}/delete").status_code)

        assert statuses == [404] * 4

    def test_hides_a_customer_of_another_merchant_and_of_the_other_mode(self, door, customer, other_customer, page):
        assert door.get(f"{LIST}/{shown('cus', other_customer)}").status_code == 404
        assert door.get(page.replace("/test/", "/")).status_code == 404
        assert door.client.post(f"{LIST}/{shown('cus', other_customer)}/delete").status_code == 404
        assert door.get(f"{LIST}/nonsense").status_code == 404
        assert "Lin Mei" not in door.text(f"{LIVE}/customers")

    def test_sends_who_is_signed_out_to_sign_in(self, client, page):
        assert client.get(page).status_code == 302
        assert client.post(f"{page}/delete").status_code == 302


class TestList:
    def test_shows_the_newest_first_in_few_statements(self, door, book, make_customer, django_assert_max_num_queries):
        for number in range(3):
            make_customer(book, name=f"Guest {number}")

        with django_assert_max_num_queries(STATEMENTS_LIST):
            text = door.text(LIST)

        assert text.index("Guest 2") < text.index("Guest 1") < text.index("Guest 0")

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("lin", ["Lin Bo", "Lin Mei"]),
            ("LIN M", ["Lin Mei"]),
            ("wei@", ["Wei"]),
            ("5555", ["Wei"]),
            ("nobody", []),
        ],
    )
    def test_finds_by_name_mail_and_telephone(self, door, book, make_customer, query, names):
        make_customer(book, name="Lin Mei")
        make_customer(book, name="Lin Bo")
        make_customer(book, name="Wei", email="wei@example.com", phone="021-5555")

        text = door.text(f"{LIST}?q={query}")

        found = sorted((text.index(name), name) for name in ("Lin Bo", "Lin Mei", "Wei") if f" {name} " in text)
        assert [name for _, name in found] == names

    @pytest.mark.parametrize("query", ["", "q=guest"])
    def test_goes_through_pages_both_ways(self, door, book, make_customer, monkeypatch, query):
        from security.web import lists

        monkeypatch.setattr(lists.page, "__kwdefaults__", {"column": None, "size": 2})
        for number in range(5):
            make_customer(book, name=f"Guest {number}")
        seen, way, ways = [], f"{LIST}?{query}", []
        while way and len(ways) < 9:
            reply = door.get(way)
            seen.append([each["row"].name[-1] for each in reply.context["customers"]])
            ways.append(reply.context["ways"].newer)
            way = reply.context["ways"].older

        order = ["43", "21", "0"] if not query else ["01", "23", "4"]
        assert ["".join(page) for page in seen] == order
        assert ways[0] == ""
        back = door.get(ways[-1]).context
        assert "".join(each["row"].name[-1] for each in back["customers"]) == order[-2]

    def test_is_narrowed_to_days_of_the_merchants_zone(self, door, book, make_customer):
        make_customer(book, name="Early")
        move_clock(book, NOW + timedelta(hours=8))  # 01:30 of the next day in Shanghai
        make_customer(book, name="Late")

        assert "Late" in (text := door.text(f"{LIST}?since=2026-03-03"))
        assert "Early" not in text
        assert "Early" in (text := door.text(f"{LIST}?until=2026-03-02"))
        assert "Late" not in text

    @pytest.mark.parametrize("query", ["since=yesterday", "after=cus_x", "q=%00", "until=9999-99-99", "before=1"])
    def test_ignores_what_cannot_be_read(self, door, customer, query):
        assert door.get(f"{LIST}?{query}").status_code == 200


class TestDetail:
    def test_shows_what_is_known_in_few_statements(
        self, api, door, customer, wallet_method, page, django_assert_max_num_queries
    ):
        method = wallet_method(customer, 10_000)
        first = pay(api, method, 1_200).json
        pay(api, method, 300)
        api.post("refunds", {"payment_intent": first["id"], "amount": 200})

        with django_assert_max_num_queries(STATEMENTS_DETAIL):
            text = door.text(page)

        assert first["id"] in text
        assert "CN¥13.00" in text
        assert "2 orders" in text
        assert "lin.mei@example.com" in text

    def test_of_a_deleted_one_is_gone(self, door, api, customer, page):
        api.delete(f"customers/{shown('cus', customer)}")

        assert door.get(page).status_code == 404


class TestNew:
    def test_adds_one_as_the_api_would(self, door, api, book):
        reply = door.send(
            f"{LIST}/new",
            name="Wang Fang",
            email="wang@example.com",
            city="Shanghai",
            country="cn",
            meta_key=["table", ""],
            meta_value=["7", ""],
        )

        (found,) = api.get("customers").json["data"]
        assert (found["name"], found["metadata"], found["address"]["country"]) == ("Wang Fang", {"table": "7"}, "CN")
        assert reply.url == f"{LIST}/{found['id']}"
        assert [event["data"]["object"] for event in told(api, "customer.created")] == [found]
        record = AuditRecord.objects.get(action="customer.create")
        assert (record.object_id, record.book_id, record.detail) == (found["id"], book.pk, {})

    def test_sent_twice_adds_one(self, door, book):
        fields = door.fields(f"{LIST}/new")

        replies = [door.client.post(f"{LIST}/new", {**fields, "name": "Wang"}) for _ in range(2)]

        assert replies[0].url == replies[1].url
        assert len(rows(book)) == 1
        assert AuditRecord.objects.count() == 1

    def test_sent_again_with_other_values_is_refused(self, door, book):
        fields = door.fields(f"{LIST}/new")
        door.client.post(f"{LIST}/new", {**fields, "name": "Wang"})

        again = door.client.post(f"{LIST}/new", {**fields, "name": "Li"})

        assert "This form was sent before" in again.content.decode()
        assert [name for name, _, _ in rows(book)] == ["Wang"]
        assert idempotency.IdempotencyKey.objects.using("platform").count() == 1

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({}, "Give a name"),
            ({"name": "x" * 257}, "at most 256 characters"),
            ({"email": "no address"}, "This is no e-mail address"),
            ({"name": "W", "country": "China"}, "Two letters, such as CN.</span>"),
            ({"name": "W", "meta_key": ["a", "a"], "meta_value": ["1", "2"]}, "Each key can stand once"),
            ({"name": "W", "meta_key": [""], "meta_value": ["1"]}, "A value needs a key"),
            ({"name": "W", "meta_key": ["a[b]"], "meta_value": ["1"]}, "no square brackets"),
            ({"name": "W\x00"}, "Null characters are not allowed"),
        ],
    )
    def test_says_what_is_wrong(self, door, book, values, words):
        reply = door.send(f"{LIST}/new", **values)

        assert reply.status_code == 200
        assert words in reply.content.decode()
        assert rows(book) == []

    def test_escapes_what_people_type(self, door):
        reply = door.send(f"{LIST}/new", name="<script>alert(1)</script>")

        html = door.get(reply.url).content.decode()
        assert "&lt;script&gt;alert(1)" in html
        assert "<script>alert(1)" not in html


class TestEdit:
    def test_changes_what_was_typed_alone(self, door, api, customer, page):
        api.post(f"customers/{shown('cus', customer)}", {"metadata": {"a": "1", "b": "2"}, "phone": "5"})

        door.send(f"{page}/edit", name="Lin Mei-mei", phone="5", meta_key=["a", "c"], meta_value=["1", "3"])

        found = api.get(f"customers/{shown('cus', customer)}").json
        assert (found["name"], found["email"], found["metadata"]) == ("Lin Mei-mei", None, {"a": "1", "c": "3"})
        event = told(api, "customer.updated")[0]
        assert sorted(event["data"]["previous_attributes"]) == ["email", "metadata", "name"]

    def test_that_changes_nothing_tells_nothing(self, door, api, page):
        door.send(f"{page}/edit", name="Lin Mei", email="lin.mei@example.com")

        assert told(api, "customer.updated") == []

    def test_refuses_what_somebody_changed_meanwhile(self, door, api, customer, page):
        fields = door.fields(f"{page}/edit")
        api.post(f"customers/{shown('cus', customer)}", {"phone": "138"})

        reply = door.client.post(f"{page}/edit", {**fields, "name": "Other"})

        assert "Somebody changed this meanwhile" in reply.content.decode()
        assert api.get(f"customers/{shown('cus', customer)}").json["name"] == "Lin Mei"


class TestDelete:
    def test_asks_first_and_then_clears_for_good(self, door, api, customer, wallet_method, page):
        wallet_method(customer, 100)
        assert "1 saved payment method is taken away" in door.text(f"{page}/delete")
        assert len(api.get("customers").json["data"]) == 1

        reply = door.send(f"{page}/delete")

        assert reply.url == LIST
        assert api.get(f"customers/{shown('cus', customer)}").json["deleted"] is True
        assert [each["type"] for each in api.get("events", {"limit": 2}).json["data"]] == [
            "customer.deleted",
            "payment_method.detached",
        ]
        assert door.client.post(f"{page}/delete").status_code == 404


class TestDetach:
    def test_takes_one_method_away_once(self, door, book, customer, wallet_method, page):
        method = wallet_method(customer, 100)
        path = f"{page}/methods/{shown('pm', method)}"
        fields = door.fields(path)

        replies = [door.client.post(path, fields) for _ in range(2)]

        assert [reply.status_code for reply in replies] == [303, 404]
        with tenancy.within(book.pk):
            assert PaymentMethod.objects.get(pk=method.pk).detached_at == NOW

    def test_knows_no_method_of_another_customer(self, door, book, make_customer, customer, wallet_method, page):
        other = wallet_method(make_customer(book, name="Other"), 100)

        assert door.client.post(f"{page}/methods/{shown('pm', other)}").status_code == 404
        with tenancy.within(book.pk):
            assert PaymentMethod.objects.get(pk=other.pk).detached_at is None


class TestExport:
    @pytest.fixture
    def people(self, book, make_customer):
        for number in range(3):
            make_customer(book, name=f"Guest {number}", phone=f"+86 138 0000 000{number}")
        make_customer(book, name="=HYPERLINK(1)")

    def read(self, reply):
        text = b"".join(reply.streaming_content).decode()
        assert text.startswith("\ufeff")
        return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"))))

    def test_equals_the_list_once_a_factor_was_shown(self, door, people):
        path = f"{LIST}/export?q=guest"
        door.prove(path)
        assert "The file has what your list shows" in door.text(path)

        reply = door.client.post(path)

        assert [row["name"] for row in self.read(reply)] == ["Guest 0", "Guest 1", "Guest 2"]
        assert reply["Content-Disposition"] == 'attachment; filename="customers-cafe-test.csv"'
        record = AuditRecord.objects.get(action="customer.export")
        assert record.detail == {"narrowed_by": ["q"]}

    def test_goes_by_batches_and_guards_formulas(self, door, people, monkeypatch):
        from security.web import lists

        monkeypatch.setattr(lists.batches, "__kwdefaults__", {"column": None, "size": 2})
        path = f"{LIST}/export"
        door.prove(path)

        found = self.read(door.client.post(path))

        assert [row["name"] for row in found] == ["'=HYPERLINK(1)", "Guest 2", "Guest 1", "Guest 0"]
        assert found[1]["phone"] == "'+86 138 0000 0002"
        assert found[0]["created"] == "2026-03-02T17:30:00+08:00"

    def test_is_kept_from_who_showed_no_factor(self, door, people):
        reply = door.client.post(f"{LIST}/export")

        assert reply.status_code == 302
        assert AuditRecord.objects.filter(action="customer.export").count() == 0

    def test_is_proved_for_these_customers_alone(self, door, people):
        door.prove(f"{LIST}/export?q=guest")

        assert door.client.post(f"{LIST}/export").status_code == 302
