"""The search finds every object of this book that has a page, and nothing of another's."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from security.merchants import operations as merchants
from tests.cast import NOW, shown
from tests.payments import acts
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]

DESK = "/dashboard/cafe/test/"


def made(reply):
    assert reply.status == 200, reply.json
    return reply.json


@pytest.fixture
def objects(api, customer, wallet_method):
    """One of each, by the prefix of its id; and where the search is to lead."""
    method = wallet_method(customer, 10_000)
    product = made(api.post("products", {"name": "Oat latte"}))
    price = made(api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 1_800}))
    line = {"price": price["id"], "quantity": 1}
    order = made(api.post("orders", {"currency": "cny", "reference": "table-7", "line_items": [line]}))
    paid = made(acts.pay(api, method, 1_800, payment_details={"order_reference": order["id"]}))
    refund = made(acts.refund(api, paid, 300))
    hook = made(api.post("webhook_endpoints", {"url": "https://example.com/hooks", "enabled_events": ["*"]}))
    event = made(api.get("events"))["data"][0]
    payment, known = f"{DESK}payments/{paid['id']}", f"{DESK}customers/{shown('cus', customer)}"
    return {
        "ch": (paid["latest_charge"], payment),
        "cus": (shown("cus", customer), known),
        "evt": (event["id"], f"{DESK}developers/events/{event['id']}"),
        "li": (order["lines"]["data"][0]["id"], payment),
        "ord": (order["id"], payment),
        "pi": (paid["id"], payment),
        "pm": (shown("pm", method), known),
        "price": (price["id"], f"{DESK}products/{product['id']}"),
        "prod": (product["id"], f"{DESK}products/{product['id']}"),
        "re": (refund["id"], payment),
        "we": (hook["id"], f"{DESK}developers/webhooks/{hook['id']}"),
    }


def goes(client, text):
    """Where the search leads for a text; nowhere where it finds several or nothing."""
    return client.get(f"{DESK}search", {"q": text}).headers.get("Location")


def titles(client, text):
    return [hit.title for hit in client.get(f"{DESK}search", {"q": text}).context["hits"]]


class TestIds:
    def test_lead_straight_to_the_page_that_tells_of_the_object(self, objects, merchant):
        client = signed_in(make_staff(merchant))

        found = {prefix: goes(client, text) for prefix, (text, _) in objects.items()}

        assert found == {prefix: url for prefix, (_, url) in objects.items()}

    def test_of_another_merchant_find_nothing(self, objects, other_merchant):
        client = signed_in(make_staff(other_merchant))

        for text, _ in objects.values():
            reply = client.get("/dashboard/bakery/test/search", {"q": text})
            assert (reply.status_code, reply.context["hits"]) == (200, [])

    def test_of_live_mode_find_nothing_in_test_mode(self, objects, merchant):
        client = signed_in(make_staff(merchant))

        for text, _ in objects.values():
            assert client.get("/dashboard/cafe/search", {"q": text}).context["hits"] == []

    def test_find_nothing_that_the_role_may_not_open(self, objects, merchant):
        client = signed_in(make_staff(merchant, "analyst"))

        opened = {prefix for prefix, (text, _) in objects.items() if goes(client, text)}

        assert opened == {"ch", "li", "ord", "pi", "price", "prod", "re"}

    @pytest.mark.parametrize("text", ["cus_", "cus_" + "z" * 22, "cus_" + "!" * 22, "evt_1", "we_" + "é" * 22, "ord__"])
    def test_that_nobody_wrote_find_nothing(self, text, objects, merchant):
        reply = signed_in(make_staff(merchant)).get(f"{DESK}search", {"q": text})

        assert (reply.status_code, reply.context["hits"]) == (200, [])


class TestWords:
    def test_find_by_how_a_name_an_address_or_a_number_is_known(self, objects, merchant, make_customer, book):
        make_customer(book, name="Zhou Zimo", email="zhou@example.com", phone="+86 138 0000 0042")
        make_customer(book, name="李芳")
        client = signed_in(make_staff(merchant))

        assert titles(client, "zhou z") == ["Zhou Zimo"]
        assert titles(client, "李") == ["李芳"]
        assert titles(client, "ZHOU@example.com") == ["Zhou Zimo"]
        assert titles(client, "0000 0042") == ["Zhou Zimo"]
        assert titles(client, "oat") == ["Oat latte"]
        assert titles(client, "table-7") == ["CN¥18.00"]
        assert titles(client, "18.00") == ["CN¥18.00"]

    def test_cost_a_number_of_statements_that_no_history_changes(self, objects, merchant):
        client = signed_in(make_staff(merchant))
        counts = []
        for text in ("zhou", "4242", "18.00", "cus_" + "0" * 22):
            with CaptureQueriesContext(connections["default"]) as captured:
                client.get(f"{DESK}search", {"q": text})
            counts.append(len(captured))

        assert max(counts) <= 20


class TestMerchant:
    def test_finds_stores_people_and_keys(self, merchant, key, api):
        store = merchants.open_store(merchant=merchant, name="West Lake", city="Hangzhou", now=NOW)
        staff = make_staff(merchant)
        client = signed_in(staff)

        assert titles(client, "lake") == ["West Lake"]
        assert titles(client, "owner@") == ["Owner"]
        assert goes(client, shown("sto", store)) == f"{DESK}stores/{shown('sto', store)}"
        assert goes(client, shown("stf", staff)) == f"{DESK}staff/{shown('stf', staff)}"

    def test_finds_no_store_of_another_merchant(self, merchant, other_merchant):
        store = merchants.open_store(merchant=other_merchant, name="West Lake", now=NOW)
        client = signed_in(make_staff(merchant))

        assert titles(client, "lake") == []
        assert goes(client, shown("sto", store)) is None
