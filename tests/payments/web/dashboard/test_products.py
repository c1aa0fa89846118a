"""Products and prices at the desk: money as people write it, put away and taken out again, nothing twice."""

import pytest

from security.access import roles
from security.audit.models import AuditRecord
from security.merchants.models import Merchant
from tests.desks import TEST, Door
from tests.payments import books
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("B5")]

LIST = f"{TEST}/products"
STATEMENTS_LIST, STATEMENTS_DETAIL = 11, 10


@pytest.fixture
def door(merchant):
    return Door(signed_in(make_staff(merchant, "manager")))


@pytest.fixture
def product(api):
    return api.post(
        "products",
        {
            "name": "Oolong",
            "category": "Tea",
            "cost_minor": 700,
            "default_price_data": {"currency": "cny", "unit_amount": 3_200},
        },
    ).json


@pytest.fixture
def page(product):
    return f"{LIST}/{product['id']}"


def told(api, kind):
    return api.get("events", {"type": kind}).json["data"]


def prices(api, product):
    found = api.get("prices", {"product": product["id"]}).json["data"]
    return sorted((each["unit_amount"], each["currency"], each["active"]) for each in found)


class TestEveryDoor:
    @pytest.mark.parametrize("role", ROLES)
    def test_opens_to_roles_as_the_table_says(self, merchant, product, page, role):
        client = signed_in(make_staff(merchant, role))

        for path, action in (
            (LIST, "catalog.view"),
            (page, "catalog.view"),
            (f"{LIST}/new", "catalog.edit"),
            (f"{page}/edit", "catalog.edit"),
            (f"{LIST}/import", "catalog.edit"),
        ):
            assert client.get(path).status_code == (200 if roles.may(role, action) else 403), path

    @pytest.mark.parametrize("role", sorted({*ROLES} - {"owner", "manager"}))
    def test_writes_nothing_for_a_role_that_may_not(self, merchant, product, page, role):
        client = signed_in(make_staff(merchant, role))
        paths = (f"{LIST}/new", f"{page}/edit", f"{page}/archive", f"{page}/prices", f"{LIST}/import")

        with books.unchanged():
            statuses = [client.post(path, {"name": "Mallory", "amount": "1"}).status_code for path in paths]
            statuses.append(client.post(f"{page}/prices/{product['default_price']}", {"act": "archive"}).status_code)

        assert statuses == [403] * 6

    def test_hides_what_is_of_another_merchant_or_mode(self, door, product, page, other_merchant, other_api):
        stranger = signed_in(make_staff(other_merchant, "owner"))
        theirs = other_api.post("products", {"name": "Stranger's bread"}).json

        with books.unchanged():
            statuses = [
                stranger.get(page).status_code,
                stranger.post(f"{page}/archive", {"active": "false"}).status_code,
                door.get(f"{LIST}/{theirs['id']}").status_code,
                door.client.post(f"{LIST}/{theirs['id']}/archive", {"active": "false"}).status_code,
                door.client.post(f"{LIST}/{theirs['id']}/prices", {"amount": "1", "currency": "CNY"}).status_code,
                door.get(page.replace("/test/", "/")).status_code,
            ]

        assert statuses == [404] * 6
        assert "Stranger" not in door.text(LIST)


class TestList:
    def test_shows_prices_and_counts_in_few_statements(self, api, door, product, django_assert_max_num_queries):
        api.post("prices", {"product": product["id"], "currency": "usd", "unit_amount": 500})
        api.post("products", {"name": "Old cake", "active": False})

        with django_assert_max_num_queries(STATEMENTS_LIST):
            text = door.text(LIST)

        assert "On sale 1 Archived 1" in text
        assert "CN¥32.00 +1 more" in text
        assert "CN¥7.00" in text
        assert "Old cake" not in text
        assert "Old cake" in door.text(f"{LIST}?tab=archived")

    def test_finds_by_how_a_name_begins(self, api, door, product):
        api.post("products", {"name": "Old cake"})

        text = door.text(f"{LIST}?q=oo")

        assert "Oolong" in text
        assert "Old cake" not in text


class TestNew:
    def test_adds_one_with_prices_in_several_currencies(self, api, door):
        reply = door.send(
            f"{LIST}/new",
            name="Green tea",
            cost="7.5",
            images="https://shop.example/a.png\n\nhttps://shop.example/b.png",
            price_amount=["1,234.50", "1.23", "900", ""],
            price_currency=["CNY", "KWD", "JPY", "USD"],
        )

        (made,) = api.get("products").json["data"]
        assert reply.url == f"{LIST}/{made['id']}"
        assert (made["cost_minor"], len(made["images"])) == (750, 2)
        assert prices(api, made) == [(900, "jpy", True), (1_230, "kwd", True), (123_450, "cny", True)]
        assert api.get(f"prices/{made['default_price']}").json["currency"] == "cny"
        assert len(told(api, "product.created")) == 1
        assert AuditRecord.objects.get(action="product.create").object_id == made["id"]

    def test_sent_twice_adds_one(self, api, door):
        fields = door.fields(f"{LIST}/new")

        replies = [
            door.client.post(f"{LIST}/new", {**fields, "name": "Tea", "price_amount": "1", "price_currency": "CNY"})
            for _ in range(2)
        ]

        assert replies[0].url == replies[1].url
        assert len(api.get("products").json["data"]) == len(api.get("prices").json["data"]) == 1

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({}, "Fill this in."),
            ({"name": "Tea", "cost": "12,5"}, "with a point before the decimals"),
            ({"name": "Tea", "cost": "-1"}, "with a point before the decimals"),
            ({"name": "Tea", "cost": "1.234"}, "CNY has fewer decimals"),
            ({"name": "Tea", "cost": "1000000"}, "too large"),
            ({"name": "Tea", "price_amount": "1.234", "price_currency": "KWD"}, "KWD is paid in steps of 0.010."),
            ({"name": "Tea", "price_amount": "1.5", "price_currency": "ISK"}, "ISK is paid in steps of 1.00."),
            ({"name": "Tea", "price_amount": "1.5", "price_currency": "JPY"}, "JPY has fewer decimals"),
            ({"name": "Tea", "price_amount": "1", "price_currency": "XXX"}, "Choose a currency from the list."),
            (
                {"name": "Tea", "price_amount": ["1", "2"], "price_currency": ["CNY", "CNY"]},
                "Give one price a currency",
            ),
            ({"name": "Tea", "url": "javascript:alert(1)"}, "This is no web address."),
            ({"name": "Tea", "images": "nothing"}, "This is no web address."),
            ({"name": "x" * 251}, "at most 250 characters"),
        ],
    )
    def test_says_what_is_wrong(self, api, door, values, words):
        reply = door.send(f"{LIST}/new", **values)

        assert reply.status_code == 200
        assert words in reply.content.decode()
        assert api.get("products").json["data"] == []


class TestDetail:
    def test_shows_what_is_known_in_few_statements(self, door, page, django_assert_max_num_queries):
        with django_assert_max_num_queries(STATEMENTS_DETAIL):
            text = door.text(page)

        assert "CN¥32.00" in text
        assert "CN¥7.00" in text


class TestEdit:
    def test_changes_it_as_the_api_would(self, api, door, product, page):
        door.send(f"{page}/edit", name="Old Oolong", category="Tea", cost="7.00")

        event = told(api, "product.updated")[0]
        assert event["data"]["previous_attributes"] == {"name": "Oolong"}
        assert api.get(f"products/{product['id']}").json["cost_minor"] == 700

    def test_that_changes_nothing_tells_nothing(self, api, door, product, page):
        before = told(api, "product.updated")

        door.send(f"{page}/edit", name="Oolong", category="Tea", cost="7")

        assert told(api, "product.updated") == before

    def test_refuses_what_somebody_changed_meanwhile(self, api, door, product, page):
        fields = door.fields(f"{page}/edit")
        api.post(f"products/{product['id']}", {"cost_minor": 900})

        reply = door.client.post(f"{page}/edit", {**fields, "name": "Other", "cost": "7"})

        assert "Somebody changed this meanwhile" in reply.content.decode()
        assert api.get(f"products/{product['id']}").json["cost_minor"] == 900


class TestArchive:
    def test_is_undone_by_its_opposite(self, api, door, product, page):
        away = door.send(f"{page}/archive", page=page, active="false")
        archived = api.get(f"products/{product['id']}").json["active"]
        door.send(f"{page}/archive", page=page, active="true")

        assert (away.url, archived) == (page, False)
        assert api.get(f"products/{product['id']}").json["active"] is True
        assert sorted(AuditRecord.objects.values_list("action", flat=True)) == ["product.archive", "product.restore"]


class TestPrices:
    def test_are_added(self, api, door, product, page):
        door.send(
            f"{page}/prices",
            page=page,
            amount="5.5",
            currency="USD",
            tax_behavior="inclusive",
            nickname="Takeaway",
            lookup_key="oolong_usd",
        )

        assert prices(api, product) == [(550, "usd", True), (3_200, "cny", True)]
        (added,) = api.get("prices", {"currency": "usd"}).json["data"]
        assert (added["tax_behavior"], added["nickname"], added["lookup_key"]) == (
            "inclusive",
            "Takeaway",
            "oolong_usd",
        )

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"amount": "1.5", "currency": "JPY"}, "JPY has fewer decimals"),
            ({"amount": "", "currency": "CNY"}, "Fill this in."),
            ({"amount": "1", "currency": "cny"}, "Choose a currency from the list."),
            ({"amount": "1", "currency": "CNY", "lookup_key": "taken"}, "Another price has this lookup key."),
        ],
    )
    def test_say_what_is_wrong(self, api, door, product, page, values, words):
        api.post(f"prices/{product['default_price']}", {"lookup_key": "taken"})

        reply = door.send(f"{page}/prices", page=page, tax_behavior="unspecified", **values)

        assert words in reply.content.decode()
        assert prices(api, product) == [(3_200, "cny", True)]

    def test_are_archived_restored_and_made_the_products_own(self, api, door, product, page):
        other = api.post("prices", {"product": product["id"], "currency": "usd", "unit_amount": 5}).json

        door.send(f"{page}/prices/{other['id']}", page=page, act="default")
        door.send(f"{page}/prices/{product['default_price']}", page=page, act="archive")

        assert api.get(f"products/{product['id']}").json["default_price"] == other["id"]
        assert prices(api, product) == [(5, "usd", True), (3_200, "cny", False)]
        door.send(f"{page}/prices/{product['default_price']}", page=page, act="restore")
        assert prices(api, product) == [(5, "usd", True), (3_200, "cny", True)]

    def test_of_another_product_are_not_found(self, api, door, product, page):
        other = api.post("products", {"name": "Cake", "default_price_data": {"currency": "cny", "unit_amount": 5}}).json

        with books.unchanged():
            reply = door.client.post(f"{page}/prices/{other['default_price']}", {"act": "default"})
            unknown = door.client.post(f"{page}/prices/{product['default_price']}", {"act": "burn"})

        assert (reply.status_code, unknown.status_code) == (404, 404)


class TestCurrency:
    def test_of_costs_is_the_merchants(self, api, door, product, page, merchant):
        Merchant.objects.filter(pk=merchant.pk).update(default_currency="JPY")

        assert "What one costs you, in JPY" in door.text(f"{page}/edit")
        door.send(f"{page}/edit", name="Oolong", category="Tea", cost="800")

        assert api.get(f"products/{product['id']}").json["cost_minor"] == 800
