"""Products, prices and orders: what a merchant sells, and what somebody bought."""

from datetime import timedelta

import pytest

from merchant_platform.kernel import tenancy
from payments.orders.models import OrderLine
from security.merchants import operations as merchants
from tests.cast import NOW, move_clock, race, shown
from tests.payments import books

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def product(api):
    return api.post("products", {"name": "Oolong", "category": "Tea", "cost_minor": 700}).json


@pytest.fixture
def price(api, product):
    return api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 3_200}).json


class TestProducts:
    def test_may_bring_their_first_price(self, api):
        product = api.post(
            "products", {"name": "Oolong", "default_price_data": {"currency": "cny", "unit_amount": 3_200}}
        ).json

        price = api.get(f"prices/{product['default_price']}").json
        assert (price["product"], price["unit_amount"], price["currency"]) == (product["id"], 3_200, "cny")

    def test_are_changed_and_tell_what_was_before(self, api, product):
        changed = api.post(
            f"products/{product['id']}", {"name": "Old Oolong", "category": "", "images": ["https://a.b/c"]}
        )

        assert (changed.json["name"], changed.json["category"]) == ("Old Oolong", None)
        event = api.get("events", {"type": "product.updated"}).json["data"][0]
        assert event["data"]["previous_attributes"] == {"name": "Oolong", "category": "Tea", "images": []}

    @pytest.mark.parametrize(
        "change", [{}, {"name": "Oolong"}, {"active": True, "cost_minor": 700}, {"metadata": {"nothing": ""}}]
    )
    def test_that_do_not_change_tell_nothing(self, api, book, product, change):
        move_clock(book, NOW + timedelta(days=1))

        with books.unchanged():
            answered = api.post(f"products/{product['id']}", change)

        assert (answered.status, answered.json) == (200, product)
        assert api.get("events", {"type": "product.updated"}).json["data"] == []

    def test_have_a_default_price_of_their_own_alone(self, api, product, price):
        other = api.post("products", {"name": "Green"}).json

        with books.unchanged():
            refused = api.post(f"products/{other['id']}", {"default_price": price["id"]})
        set_ = api.post(f"products/{product['id']}", {"default_price": price["id"]})
        unset = api.post(f"products/{product['id']}", {"default_price": ""})

        assert (refused.status, refused.error["param"]) == (400, "default_price")
        assert (set_.json["default_price"], unset.json["default_price"]) == (price["id"], None)

    def test_without_a_price_are_deleted(self, api):
        product = api.post("products", {"name": "A mistake"}).json

        deleted = api.delete(f"products/{product['id']}")
        with books.unchanged():
            again = api.delete(f"products/{product['id']}")

        assert deleted.json == {"id": product["id"], "object": "product", "deleted": True}
        assert again.status == api.get(f"products/{product['id']}").status == 404
        assert api.get("products").json["data"] == []

    def test_with_a_price_are_only_put_away(self, api, product, price):
        with books.unchanged():
            refused = api.delete(f"products/{product['id']}")

        assert (refused.status, refused.error["code"]) == (400, "product_in_use")
        assert api.post(f"products/{product['id']}", {"active": False}).json["active"] is False


class TestPrices:
    def test_have_a_lookup_key_of_their_own(self, api, product, price):
        first = api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 5, "lookup_key": "pot"})

        with books.unchanged():
            second = api.post(f"prices/{price['id']}", {"lookup_key": "pot"})
        freed = api.post(f"prices/{first.json['id']}", {"lookup_key": ""})
        moved = api.post(f"prices/{price['id']}", {"lookup_key": "pot"})

        assert (second.status, second.error["code"]) == (400, "resource_already_exists")
        assert (freed.json["lookup_key"], moved.json["lookup_key"]) == (None, "pot")

    def test_of_two_at_once_with_one_lookup_key_are_one(self, api, product):
        body = {"product": product["id"], "currency": "cny", "unit_amount": 5, "lookup_key": "pot"}

        outcomes = race(*[lambda: api.post("prices", body)] * 4)

        assert sorted(reply.status for reply in outcomes) == [200, 400, 400, 400]
        assert len(api.get("prices").json["data"]) == 1

    @pytest.mark.parametrize("change", [{}, {"active": True}, {"nickname": ""}, {"metadata": {"nothing": ""}}])
    def test_that_do_not_change_tell_nothing(self, api, price, change):
        with books.unchanged():
            answered = api.post(f"prices/{price['id']}", change)

        assert (answered.status, answered.json) == (200, price)
        assert api.get("events", {"type": "price.updated"}).json["data"] == []

    def test_may_be_free(self, api, product):
        assert api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 0}).status == 200


class TestOrders:
    def test_take_over_what_a_price_says_at_that_moment(self, api, book, product, price):
        order = api.post(
            "orders",
            {
                "currency": "cny",
                "line_items": [{"price": price["id"], "quantity": 2}, {"description": "Cake", "unit_amount": 5}],
            },
        ).json
        api.post(f"products/{product['id']}", {"name": "Renamed", "cost_minor": 900, "category": "Other"})

        assert (order["amount_total"], order["amount_due"], order["status"]) == (6_405, 6_405, "open")
        found = api.get(f"orders/{order['id']}").json
        assert found == order
        first, second = found["lines"]["data"]
        assert (first["description"], first["category"], first["product"]) == ("Oolong", "Tea", product["id"])
        assert (first["quantity"], first["unit_amount"], first["amount"]) == (2, 3_200, 6_400)
        assert (second["description"], second["price"], second["amount"]) == ("Cake", None, 5)
        with tenancy.within(book.pk):
            costs = OrderLine.objects.order_by("pk").values_list("unit_cost_minor", flat=True)
            assert list(costs) == [700, None]
        books.assert_agree()

    def test_tell_of_themselves(self, api):
        order = api.post("orders", {"currency": "cny", "line_items": [{"description": "Cake", "unit_amount": 5}]}).json

        event = api.get("events", {"type": "order.created"}).json["data"][0]
        assert event["data"]["object"] == order

    def test_with_one_reference_at_once_are_one(self, api):
        body = {"currency": "cny", "reference": "table 7", "line_items": [{"description": "Cake", "unit_amount": 5}]}

        outcomes = race(*[lambda: api.post("orders", body)] * 4)

        assert sorted(reply.status for reply in outcomes) == [200, 400, 400, 400]
        assert len(api.get("orders").json["data"]) == 1

    def test_name_a_store_of_the_merchant(self, api, merchant, other_merchant):
        ours = merchants.open_store(merchant=merchant, name="Bund", now=NOW)
        theirs = merchants.open_store(merchant=other_merchant, name="Bund", now=NOW)
        body = {"currency": "cny", "line_items": [{"description": "Cake", "unit_amount": 5}]}

        here = api.post("orders", {**body, "store": shown("sto", ours)})
        with books.unchanged():
            there = api.post("orders", {**body, "store": shown("sto", theirs)})

        assert here.json["store"] == shown("sto", ours)
        assert (there.status, there.error["code"], there.error["param"]) == (400, "resource_missing", "store")

    def test_refuse_what_is_not_sold_any_more(self, api, product, price):
        api.post(f"products/{product['id']}", {"active": False})

        with books.unchanged():
            refused = api.post("orders", {"currency": "cny", "line_items": [{"price": price["id"]}]})

        assert (refused.status, refused.error["param"]) == (400, "line_items[0][price]")
