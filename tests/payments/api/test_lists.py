"""Lists as a merchant reads them: newest first, page by page, by time and by what each can be filtered by."""

from datetime import timedelta

import pytest

from tests.cast import NOW, move_clock, shown
from tests.payments import books
from tests.payments.acts import ask_for, pay, refund

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

FIRST = int(NOW.timestamp())
LISTS = (
    "balance_transactions", "charges", "customers", "events", "orders", "payment_intents", "payment_methods",
    "prices", "products", "refunds",
)  # fmt: skip


@pytest.fixture
def history(api, book, customer, wallet_method):
    """Five of everything, a minute apart, the first at NOW; by the list that shows them, oldest first."""
    method = wallet_method(customer, 50_000)
    made: dict[str, list[str]] = {name: [] for name in LISTS}
    for minute in range(5):
        move_clock(book, NOW + timedelta(minutes=minute))
        person = api.post("customers", {"name": f"Guest {minute}"}).json["id"]
        wallet = api.post("test_helpers/wallets", {"balance": 1, "currency": "cny", "customer": person}).json
        paid = pay(api, method, 1_000 + minute).json
        product = api.post("products", {"name": f"Tea {minute}"}).json["id"]
        made["customers"].append(person)
        made["payment_methods"].append(wallet["payment_method"])
        made["payment_intents"].append(paid["id"])
        made["charges"].append(paid["latest_charge"])
        made["orders"].append(paid["order"])
        made["products"].append(product)
        made["prices"].append(
            api.post("prices", {"product": product, "currency": "cny", "unit_amount": minute}).json["id"]
        )
        given_back = refund(api, paid, 10).json
        made["refunds"].append(given_back["id"])
        made["balance_transactions"] += [
            api.get(f"charges/{paid['latest_charge']}").json["balance_transaction"],
            given_back["balance_transaction"],
        ]
    return made


def ids_of(reply):
    assert reply.status == 200, reply.json
    return [row["id"] for row in reply.json["data"]]


class TestPages:
    @pytest.mark.parametrize("name", [name for name in LISTS if name != "events"])
    def test_walk_every_row_once_newest_first(self, api, history, name):
        walked: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = api.get(name, {"limit": 2, **after}).json
            walked += [row["id"] for row in page["data"]]
            assert (page["object"], page["url"]) == ("list", f"/v1/{name}")
            if not page["has_more"]:
                break
            after = {"starting_after": walked[-1]}

        ours = [row for row in walked if row in history[name]]
        assert ours == history[name][::-1]
        assert len(walked) == len(set(walked))

    def test_walk_back_to_the_newest(self, api, history):
        oldest, *rest = history["payment_intents"]

        page = api.get("payment_intents", {"ending_before": oldest, "limit": 2})

        assert ids_of(page) == rest[:2][::-1]
        assert page.json["has_more"] is True

    def test_stay_where_they_are_while_new_rows_come(self, api, history):
        first = ids_of(api.get("payment_intents", {"limit": 3}))
        ask_for(api)

        second = ids_of(api.get("payment_intents", {"limit": 3, "starting_after": first[-1]}))

        assert first + second == history["payment_intents"][::-1]

    def test_are_ten_rows_unless_said_otherwise(self, api):
        for _ in range(12):
            ask_for(api)

        assert len(ids_of(api.get("payment_intents"))) == 10
        assert len(ids_of(api.get("payment_intents", {"limit": 100}))) == 12


class TestCreated:
    @pytest.mark.parametrize("name", [name for name in LISTS if name not in ("events", "balance_transactions")])
    def test_cuts_a_list_by_time(self, api, history, name):
        from_second = {"created": {"gte": FIRST + 60, "lt": FIRST + 180}}

        assert ids_of(api.get(name, from_second)) == history[name][1:3][::-1]
        assert ids_of(api.get(name, {"created": FIRST + 60})) == history[name][1:2]
        assert ids_of(api.get(name, {"created": {"gt": FIRST + 240}})) == []
        assert history[name][0] in ids_of(api.get(name, {"created": {"lte": FIRST}}))


class TestFilters:
    def test_of_intents_and_charges_name_the_customer(self, api, history, customer):
        nobody = history["customers"][0]

        assert (
            ids_of(api.get("payment_intents", {"customer": shown("cus", customer)})) == history["payment_intents"][::-1]
        )
        assert ids_of(api.get("charges", {"customer": shown("cus", customer)})) == history["charges"][::-1]
        assert ids_of(api.get("orders", {"customer": shown("cus", customer)})) == history["orders"][::-1]
        for name in ("payment_intents", "charges", "orders"):
            assert ids_of(api.get(name, {"customer": nobody})) == []

    def test_of_charges_and_refunds_name_what_they_are_of(self, api, history):
        intent, charge = history["payment_intents"][2], history["charges"][2]

        assert ids_of(api.get("charges", {"payment_intent": intent})) == [charge]
        assert ids_of(api.get("refunds", {"payment_intent": intent})) == [history["refunds"][2]]
        assert ids_of(api.get("refunds", {"charge": charge})) == [history["refunds"][2]]

    def test_of_orders_name_reference_and_status(self, api, history):
        order = api.post(
            "orders",
            {"currency": "cny", "reference": "table 7", "line_items": [{"description": "Tea", "unit_amount": 5}]},
        ).json

        assert ids_of(api.get("orders", {"reference": "table 7"})) == [order["id"]]
        assert ids_of(api.get("orders", {"status": "open"})) == [order["id"]]
        assert ids_of(api.get("orders", {"status": "paid"})) == history["orders"][::-1]

    def test_of_balance_transactions_name_type_source_and_currency(self, api, history):
        charge, refunded = history["charges"][2], history["refunds"][2]
        taken, given_back = history["balance_transactions"][4:6]

        assert ids_of(api.get("balance_transactions", {"source": charge})) == [taken]
        assert ids_of(api.get("balance_transactions", {"source": refunded})) == [given_back]
        assert (
            ids_of(api.get("balance_transactions", {"type": "payment"})) == history["balance_transactions"][::2][::-1]
        )
        assert (
            ids_of(api.get("balance_transactions", {"type": "payment_refund"}))
            == (history["balance_transactions"][1::2][::-1])
        )
        assert ids_of(api.get("balance_transactions", {"currency": "usd"})) == []
        assert len(ids_of(api.get("balance_transactions", {"currency": "CNY"}))) == 10

    def test_of_prices_and_products_name_what_is_sold(self, api, history):
        product, price = history["products"][2], history["prices"][2]
        api.post(f"products/{product}", {"active": False})
        api.post(f"prices/{price}", {"active": False, "lookup_key": "oolong"})

        assert ids_of(api.get("products", {"active": False})) == [product]
        assert ids_of(api.get("products", {"ids": history["products"][:2]})) == history["products"][:2][::-1]
        assert ids_of(api.get("prices", {"product": product})) == [price]
        assert ids_of(api.get("prices", {"active": True})) == [
            each for each in history["prices"][::-1] if each != price
        ]
        assert ids_of(api.get("prices", {"lookup_keys": ["oolong", "other"]})) == [price]
        assert ids_of(api.get("prices", {"currency": "usd"})) == []

    def test_of_methods_name_customer_and_type(self, api, history):
        person, method = history["customers"][2], history["payment_methods"][2]

        assert ids_of(api.get("payment_methods", {"customer": person})) == [method]
        assert ids_of(api.get(f"customers/{person}/payment_methods")) == [method]
        assert ids_of(api.get("payment_methods", {"customer": person, "type": "card"})) == []

    def test_of_customers_name_an_address_as_it_was_written(self, api):
        written = api.post("customers", {"email": "Lin@Example.com"}).json["id"]

        assert ids_of(api.get("customers", {"email": "Lin@Example.com"})) == [written]
        assert ids_of(api.get("customers", {"email": "lin@example.com"})) == []


class TestEvents:
    @pytest.mark.parametrize(
        ("params", "found"),
        [
            ({"type": "charge.refunded"}, ["charge.refunded"]),
            ({"type": "charge.*"}, ["charge.refunded", "charge.succeeded"]),
            ({"type": "payment_intent.s*"}, []),
            ({"types": ["refund.created", "charge.succeeded"]}, ["refund.created", "charge.succeeded"]),
            ({"types": ["refund.*", "nothing.*"]}, ["refund.created"]),
            ({"type": "charge"}, []),
            ({"type": "c%.succeeded"}, []),
            ({"type": "charge_succeeded"}, []),
        ],
    )
    def test_are_found_by_type(self, api, customer, wallet_method, params, found):
        refund(api, pay(api, wallet_method(customer)).json)

        assert [event["type"] for event in api.get("events", params).json["data"]] == found

    def test_are_the_objects_of_their_moment(self, api, customer, wallet_method):
        paid = pay(api, wallet_method(customer)).json
        charge = api.get(f"charges/{paid['latest_charge']}").json
        refund(api, paid, 300)

        event = api.get("events", {"type": "charge.succeeded"}).json["data"][0]

        # How the payer showed that it is them is worked out for who reads the charge.
        assert charge["strong_authentication"]["result"] == "exempt"
        assert event["data"] == {"object": charge | {"strong_authentication": None}}
        assert api.get(f"events/{event['id']}").json == event
        assert api.get(f"charges/{charge['id']}").json["amount_refunded"] == 300

    def test_say_which_request_made_them(self, api):
        made = api.post("customers", {"name": "Lin"}, idempotency_key="table 7")

        event = api.get("events", {"type": "customer.created"}).json["data"][0]

        assert event["request"] == {"id": made.headers["Request-Id"], "idempotency_key": "table 7"}

    def test_are_listed_for_thirty_days(self, api, book):
        old = api.post("customers", {"name": "Lin"}).json
        event = api.get("events").json["data"][0]

        move_clock(book, NOW + timedelta(days=30))
        on_the_day = ids_of(api.get("events"))
        move_clock(book, NOW + timedelta(days=30, seconds=1))
        after_it = ids_of(api.get("events"))

        assert old["id"] == event["data"]["object"]["id"]
        assert (on_the_day, after_it) == ([event["id"]], [])

    def test_hide_what_is_told_to_ourselves_alone(self, api, book):
        api.post("customers", {"name": "Lin"})
        books.run("UPDATE kernel_event SET is_public = false WHERE type = 'customer.created'")
        (event_id,) = books.run("SELECT id FROM kernel_event")[0]

        hidden = api.get(f"events/{shown('evt', event_id)}")

        assert ids_of(api.get("events")) == []
        assert (hidden.status, hidden.error["code"]) == (404, "resource_missing")
