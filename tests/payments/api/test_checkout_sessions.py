"""/v1/checkout/sessions: what is offered, how it is shown, how it ends, and what is refused."""

from datetime import timedelta

import pytest

from merchant_platform.kernel.clock import unix
from tests.cast import NOW, move_clock, shown
from tests.payers import CANCEL, SUCCESS, item, offer, row_of
from tests.payments import books

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A5")]

PATH = "checkout/sessions"


def events(api, kind):
    return [each["data"]["object"] for each in api.get("events", {"type": f"checkout.session.{kind}"}).json["data"]]


@pytest.fixture
def price(api):
    product = api.post("products", {"name": "Espresso", "category": "coffee"}).json
    return api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 1_800}).json


class TestCreate:
    def test_offers_the_order(self, api):
        session = offer(api, client_reference_id="MO-42", metadata={"table": "7"})

        assert session["id"].startswith("cs_test_")
        assert session["url"].partition("/pay/")[2].isalnum()
        assert (session["amount_total"], session["amount_subtotal"], session["currency"]) == (18_600, 18_600, "cny")
        assert (session["status"], session["payment_status"], session["payment_intent"]) == ("open", "unpaid", None)
        assert (session["success_url"], session["cancel_url"]) == (SUCCESS, CANCEL)
        assert session["expires_at"] == unix(NOW + timedelta(hours=24))
        assert (session["client_reference_id"], session["metadata"]) == ("MO-42", {"table": "7"})
        order = api.get(f"orders/{session['order']}").json
        assert [(line["description"], line["quantity"], line["amount"]) for line in order["lines"]["data"]] == [
            ("Pour-over beans 250 g", 2, 17_600),
            ("Delivery", 1, 1_000),
        ]

    def test_takes_prices_of_the_catalogue(self, api, price):
        session = offer(api, {"price": price["id"], "quantity": 3})

        lines = api.get(f"{PATH}/{session['id']}/line_items").json
        assert session["amount_total"] == 5_400
        assert [(line["price"]["id"], line["description"], line["amount_total"]) for line in lines["data"]] == [
            (price["id"], "Espresso", 5_400)
        ]

    def test_keeps_the_product_of_a_price_made_up_for_it(self, api, price):
        data = {"currency": "cny", "unit_amount": 900, "product": price["product"]}

        session = offer(api, {"price_data": data})

        (line,) = api.get(f"orders/{session['order']}").json["lines"]["data"]
        assert (line["product"], line["category"], line["description"]) == (price["product"], "coffee", "Espresso")

    def test_happens_once_a_key(self, api):
        params = {"mode": "payment", "line_items": [item()], "success_url": SUCCESS}
        first = api.post(PATH, params, idempotency_key="basket")
        with books.unchanged():
            second = api.post(PATH, params, idempotency_key="basket")

        assert second.json == first.json

    @pytest.mark.parametrize(
        ("change", "code", "param"),
        [
            ({"mode": "subscription"}, "parameter_invalid", "mode"),
            ({"success_url": None}, "parameter_invalid_empty", "success_url"),
            ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
            ({"success_url": "https://user@cafe.example/"}, "url_invalid", "success_url"),
            ({"cancel_url": "//cafe.example"}, "url_invalid", "cancel_url"),
            ({"line_items": ""}, "parameter_invalid", "line_items"),
            ({"line_items": [{"quantity": 1}]}, "parameters_exclusive", "line_items[0]"),
            ({"line_items": [{"price": "price_x"}]}, "resource_missing", "line_items[0][price]"),
            ({"line_items": [item(quantity=0)]}, "parameter_invalid_integer", "line_items[0][quantity]"),
            ({"line_items": [item(amount=0)]}, "amount_too_large", "line_items"),
            ({"expires_at": unix(NOW + timedelta(minutes=20))}, "parameter_invalid", "expires_at"),
            ({"expires_at": unix(NOW + timedelta(hours=25))}, "parameter_invalid", "expires_at"),
            ({"expires_at": 10**18}, "parameter_invalid", "expires_at"),
            ({"customer": "cus_x"}, "resource_missing", "customer"),
            ({"payment_method_types": ["cash"]}, "parameter_invalid", "payment_method_types[0]"),
            ({"payment_intent_data": {"capture_method": "manual"}}, "parameter_invalid",
             "payment_intent_data[capture_method]"),
            ({"locale": "tlh"}, "parameter_invalid", "locale"),
            ({"surprise": 1}, "parameter_unknown", "surprise"),
        ],
    )  # fmt: skip
    def test_refuses(self, api, change, code, param):
        params = {"mode": "payment", "line_items": [item()], "success_url": SUCCESS, **change}

        with books.unchanged():
            refused = api.post(PATH, params)

        assert (refused.status, refused.error["code"], refused.error["param"]) == (400, code, param)

    def test_refuses_two_currencies(self, api, price):
        dollars = {"price_data": {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Tea"}}}

        refused = api.post(
            PATH, {"mode": "payment", "success_url": SUCCESS, "line_items": [{"price": price["id"]}, dollars]}
        )

        assert (refused.status, refused.error["param"]) == (400, "line_items[1][price_data][currency]")

    def test_refuses_a_customer_and_an_address(self, api, customer):
        refused = api.post(
            PATH,
            {
                "mode": "payment", "success_url": SUCCESS, "line_items": [item()],
                "customer": shown("cus", customer), "customer_email": "lin@example.com",
            },
        )  # fmt: skip

        assert (refused.status, refused.error["code"]) == (400, "parameters_exclusive")


class TestRetrieve:
    def test_shows_the_lines_where_they_are_asked_for(self, api):
        session = offer(api)

        plain = api.get(f"{PATH}/{session['id']}").json
        opened = api.get(f"{PATH}/{session['id']}", {"expand": ["line_items", "order"]}).json

        assert plain == session
        assert [line["amount_total"] for line in opened["line_items"]["data"]] == [17_600, 1_000]
        assert opened["order"]["id"] == session["order"]

    def test_expires_what_is_too_late(self, api, book):
        session = offer(api, expires_at=unix(NOW + timedelta(minutes=30)))
        move_clock(book, NOW + timedelta(minutes=30))

        found = api.get(f"{PATH}/{session['id']}").json

        assert (found["status"], found["url"], found["payment_status"]) == ("expired", None, "unpaid")
        assert [each["id"] for each in events(api, "expired")] == [session["id"]]
        assert api.get(f"orders/{session['order']}").json["status"] == "canceled"

    @pytest.mark.parametrize("identifier", ["cs_test_x", "cs_live_0351lVqKuq6nuUyzFDdbb9", "pi_1"])
    def test_knows_no_other(self, api, identifier):
        assert api.get(f"{PATH}/{identifier}").status == 404


class TestList:
    def test_filters(self, api, customer, book):
        first = offer(api)
        second = offer(api, customer=shown("cus", customer), expires_at=unix(NOW + timedelta(minutes=30)))

        assert [each["id"] for each in api.get(PATH).json["data"]] == [second["id"], first["id"]]
        assert [each["id"] for each in api.get(PATH, {"customer": shown("cus", customer)}).json["data"]] == [
            second["id"]
        ]
        assert [each["id"] for each in api.get(PATH, {"starting_after": second["id"]}).json["data"]] == [first["id"]]
        move_clock(book, NOW + timedelta(hours=1))
        assert [each["id"] for each in api.get(PATH, {"status": "open"}).json["data"]] == [first["id"]]
        assert [each["id"] for each in api.get(PATH, {"status": "expired"}).json["data"]] == [second["id"]]

    def test_pages_through_lines(self, api):
        session = offer(api, item("a"), item("b"), item("c"))
        path = f"{PATH}/{session['id']}/line_items"

        first = api.get(path, {"limit": 2}).json
        rest = api.get(path, {"limit": 2, "starting_after": first["data"][-1]["id"]}).json
        back = api.get(path, {"ending_before": rest["data"][0]["id"]}).json

        assert ([line["description"] for line in first["data"]], first["has_more"]) == (["a", "b"], True)
        assert ([line["description"] for line in rest["data"]], rest["has_more"]) == (["c"], False)
        assert [line["description"] for line in back["data"]] == ["a", "b"]


class TestExpire:
    def test_takes_the_offer_back(self, api):
        session = offer(api)

        expired = api.post(f"{PATH}/{session['id']}/expire")
        again = api.post(f"{PATH}/{session['id']}/expire")

        assert (expired.status, expired.json["status"]) == (200, "expired")
        assert [each["id"] for each in events(api, "expired")] == [session["id"]]
        assert (again.status, again.error["code"]) == (400, "checkout_session_unexpected_state")


class TestUpdate:
    def test_changes_metadata(self, api):
        session = offer(api, metadata={"table": "7", "till": "2"})

        changed = api.post(f"{PATH}/{session['id']}", {"metadata": {"table": "8", "till": ""}})

        assert changed.json["metadata"] == {"table": "8"}


class TestStranger:
    def test_sees_and_ends_nothing_of_another_merchants(self, api, other_api, book):
        session = offer(api)

        replies = [
            other_api.get(f"{PATH}/{session['id']}"),
            other_api.get(f"{PATH}/{session['id']}/line_items"),
            other_api.post(f"{PATH}/{session['id']}/expire"),
            other_api.post(f"{PATH}/{session['id']}", {"metadata": {"a": "b"}}),
        ]

        assert [(reply.status, reply.error["code"]) for reply in replies] == [(404, "resource_missing")] * 4
        assert other_api.get(PATH).json["data"] == []
        assert row_of(book, session).status == "open"
