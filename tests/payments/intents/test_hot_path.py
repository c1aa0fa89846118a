"""The one call that writes a whole payment: the same rows, events and answer as the general road, in one round trip.

The general road is the oracle. The same request goes over both, and what each wrote is
held against the other table by table and column by column; ids are named by their table
and order, so that what points where must agree too.
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connections

from merchant_platform.kernel import ids
from payments.intents import hot_path, objects
from tests.cast import Reply, balance_of, fees_of, owed_to, shown
from tests.payments import books
from tests.payments.acts import pay, refund, terms

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

# What each road is free to make of its own: the moment, and the transaction that wrote it.
OWN = {"xid", "recorded_at", "taken_at", "due_at"}
OWN_BY_TABLE = {"kernel_idempotencykey": {"created_at"}}
# In which order a table's rows are named, where the order in which the roads write them is theirs.
ORDER = {"kernel_event": "type", "payments_transfer": "amount_minor", "payments_metadataterm": "kind"}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def method(customer, wallet_method):
    """The customer's wallet with ¥10,000,000.00: money is never why the roads part."""
    return wallet_method(customer, 1_000_000_000)


@pytest.fixture(autouse=True)
def open_accounts(api, method):
    """The first payment of a book opens its accounts, which takes the general road; it is not the one compared."""
    assert pay(api, method, 1_000).status == 200


@pytest.fixture
def roads(monkeypatch):
    """Which road each payment took: True where the one call did it."""
    taken: list[bool] = []
    short = hot_path.pay

    def spy(**arguments):
        answer = short(**arguments)
        taken.append(answer is not None)
        return answer

    monkeypatch.setattr(hot_path, "pay", spy)
    return taken


def written(act: Callable[[], Reply]) -> tuple[Rows, Reply]:
    """What an act wrote, and what it answered; a row that it changed counts as written."""
    before = books.rows()
    reply = act()
    after = books.rows()
    new = {name: [orjson.loads(text) for text in texts if text not in before[name]] for name, texts in after.items()}
    return new, reply


def named(rows: Rows, reply: Reply) -> Any:
    """The rows and the answer with ids told by table and order, and without what is a road's own."""
    names: dict[str, str] = {}
    secrets: dict[str, str] = {}
    ordered: Rows = {}
    for table, unordered in rows.items():
        ordered[table] = sorted(unordered, key=lambda row: (str(row.get(ORDER.get(table, "id"))), str(row.get("key"))))
        for position, row in enumerate(ordered[table]):
            if "id" in row:
                names[row["id"]] = name = f"<{table} {position}>"
                names[ids.show("", UUID(row["id"]))[1:]] = name
                secrets[objects.client_secret(ids.show("pi", UUID(row["id"])))] = f"<secret of {name}>"
    kept = {
        table: [
            {column: value for column, value in row.items() if column not in OWN | OWN_BY_TABLE.get(table, set())}
            for row in ordered[table]
        ]
        for table in ordered
        if ordered[table]
    }
    text = orjson.dumps({"rows": kept, "answer": reply.json, "status": reply.status}).decode()
    for secret, name in secrets.items():
        text = text.replace(secret, name)
    for identifier, name in names.items():
        text = text.replace(identifier, name)
    text = re.sub(r"req_[0-9A-Za-z]{22}", "<request>", text)
    return readable(orjson.loads(text))


def readable(value: Any) -> Any:
    """JSON inside of text (events, stored answers) as what it says: the order of keys in an object says nothing."""
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    if isinstance(value, str) and value.startswith('{"'):
        return readable(orjson.loads(value))
    return value


SHIPPING = {"name": "Lin Mei", "address": {"city": "Shanghai", "line1": "Fuzhou Road 1"}, "phone": "021 5555"}
PAYMENTS: dict[str, dict[str, Any]] = {
    "nothing more": {},
    "a fee of nothing": {"amount": 1},
    "a fee that rounds to even, down": {"amount": 658},
    "a fee that rounds up": {"amount": 700},
    "the largest amount": {"amount": 99_999_999},
    "metadata": {"metadata": {"table": "7", "waiter": "王伟", "{": "}", "empty words": " "}},
    "fifty pairs of metadata": {"metadata": {f"key {number}": "x" * 500 for number in range(50)}},
    "a description": {"description": 'Two "coffees" \\ 茶 🍵\n— and <b>more</b>'},
    "an empty description": {"description": ""},
    "a receipt": {"receipt_email": "lin.mei@example.com"},
    "shipping": {"shipping": SHIPPING},
    "descriptors": {"statement_descriptor": "CAFE MOKA", "statement_descriptor_suffix": "TABLE 7"},
    "a transfer group": {"transfer_group": "march"},
    "named methods": {"payment_method_types": ["wallet"]},
    "automatic methods": {"automatic_payment_methods": {"enabled": True}},
    "capture at once": {"capture_method": "automatic"},
    "capture in a moment": {"capture_method": "automatic_async"},
    "a later use": {"setup_future_usage": "off_session"},
    "no customer": {"customer": None},
    "off session": {"off_session": True, "error_on_requires_action": True},
    "a reference of the customer's": {"payment_details": {"customer_reference": "mine"}},
    "everything": {
        "amount": 12_345,
        "capture_method": "automatic",
        "description": "Dinner",
        "metadata": {"table": "7", "guests": "4"},
        "payment_method_types": ["wallet"],
        "receipt_email": "lin.mei@example.com",
        "shipping": SHIPPING,
        "statement_descriptor": "CAFE MOKA",
        "statement_descriptor_suffix": "TABLE 7",
        "transfer_group": "march",
    },
}
# Asked for on the one call's address, and yet the general road's: the one call has no column for it.
GENERAL = {"a later use"}


class TestPay:
    @pytest.mark.parametrize("is_json", [False, True], ids=["form", "json"])
    @pytest.mark.parametrize("has_key", [False, True], ids=["no key", "key"])
    @pytest.mark.parametrize("name", PAYMENTS)
    def test_writes_what_the_general_road_writes(self, api, method, monkeypatch, roads, name, has_key, is_json):
        asked = {column: value for column, value in terms(method, **PAYMENTS[name]).items() if value is not None}

        def act(key):
            options = {"idempotency_key": key} if has_key else {}
            return api.post("payment_intents", **({"json": asked} if is_json else {"params": asked}), **options)

        short = written(lambda: act("one"))
        monkeypatch.setattr(hot_path, "pay", lambda **_: None)
        general = written(lambda: act("two"))

        assert roads == [name not in GENERAL]
        assert short[1].status == 200
        one, two = named(*short), named(*general)
        for rows in (one["rows"], two["rows"]):
            for row in (*rows.get("kernel_idempotencykey", ()), *rows["kernel_event"]):
                row["key" if "key" in row else "idempotency_key"] = None
            # The wallet's balance row changed: by how much is compared below.
            del rows["payments_accountbalance"]
        assert one == two
        assert balance_of(method).posted_minor == 1_000_000_000 - 1_000 - 2 * asked["amount"]
        books.assert_agree()

    def test_compares_rows_that_are_there(self, api, method, roads):
        rows, _ = written(lambda: pay(api, method, key="one", metadata={"table": "7"}))

        assert {table: len(found) for table, found in rows.items() if found} == {
            "kernel_event": 3,
            "kernel_idempotencykey": 1,
            "payments_accountbalance": 1,
            "payments_attempt": 1,
            "payments_entry": 1,
            "payments_metadataterm": 2,
            "payments_order": 1,
            "payments_orderline": 1,
            "payments_paymentintent": 1,
            "payments_transfer": 2,
        }

    def test_tells_in_the_same_order(self, api, method, monkeypatch, roads):
        def types():
            pay(api, method)
            return [row[0] for row in books.run("SELECT type FROM kernel_event ORDER BY id DESC LIMIT 3")]

        short = types()
        monkeypatch.setattr(hot_path, "pay", lambda **_: None)

        assert short == types() == ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]

    def test_owes_its_events_to_the_same_handlers(self, api, method, monkeypatch, roads, reactions):
        reactions["charge.succeeded"] = ("somewhere.first", "somewhere.second")
        reactions["payment_intent.created"] = ("somewhere.first",)

        def owed():
            rows, _ = written(lambda: pay(api, method))
            types = {row["id"]: row["type"] for row in rows["kernel_event"]}
            return sorted((types[row["event_id"]], row["target"]) for row in rows["kernel_delivery"])

        short = owed()
        monkeypatch.setattr(hot_path, "pay", lambda **_: None)

        assert short == owed()
        assert short == [
            ("charge.succeeded", "somewhere.first"),
            ("charge.succeeded", "somewhere.second"),
            ("payment_intent.created", "somewhere.first"),
        ]
        assert roads == [True]

    def test_declines_as_the_general_road_does(self, api, customer, wallet_method, monkeypatch, roads):
        empty = wallet_method(customer, 0)

        short = written(lambda: pay(api, empty))
        monkeypatch.setattr(hot_path, "pay", lambda **_: None)
        general = written(lambda: pay(api, empty))

        assert roads == [False]
        assert short[1].status == 402
        assert named(*short) == named(*general)

    def test_leaves_billing_details_to_the_general_road(self, api, method, roads):
        api.post(f"payment_methods/{shown('pm', method)}", {"billing_details": {"name": "Lin Mei"}})

        paid = pay(api, method)

        assert roads == [False]
        charge = api.get(f"charges/{paid.json['latest_charge']}").json
        assert charge["billing_details"]["name"] == "Lin Mei"

    def test_opens_the_accounts_of_a_new_book_by_the_general_road(
        self, other_api, other_book, other_customer, wallet_method, roads
    ):
        stranger = wallet_method(other_customer)

        assert [pay(other_api, stranger).status, pay(other_api, stranger).status] == [200, 200]
        assert roads == [False, True]
        assert (owed_to(other_book), fees_of(other_book)) == (1_992, 8)
        books.assert_agree()

    def test_pays_in_live_mode(self, live_api, live_book, make_customer, wallet_method, roads):
        method = wallet_method(make_customer(live_book))

        assert [pay(live_api, method).json["livemode"] for _ in range(2)] == [True, True]
        assert roads == [False, True]
        assert owed_to(live_book) == 1_992
        books.assert_agree()

    def test_is_answered_again_to_the_same_key_in_any_form(self, api, method, roads):
        first = pay(api, method, key="table 7")

        with books.unchanged():
            second = pay(api, method, key="table 7")

        assert roads == [True, False]
        assert second.json == first.json
        assert second.headers["Idempotent-Replayed"] == "true"
        assert second.headers["Original-Request"] == first.headers["Request-Id"]

    def test_refuses_a_key_of_another_request(self, api, method, roads):
        pay(api, method, 1_000, key="table 7")

        with books.unchanged():
            refused = pay(api, method, 1_001, key="table 7")

        assert (refused.status, refused.error["type"]) == (400, "idempotency_error")


@pytest.mark.requirement("A12")
class TestRoundTrips:
    def test_are_one_for_a_whole_payment(self, api, method, roads, asked):
        statements = asked(lambda: pay(api, method, metadata={"table": "7"}))

        assert len(statements) == 1
        assert "pay_wallets_v3(" in statements[0]
        assert hot_path.wallets.connection.get_autocommit() is True
        assert roads == [True, True]

    def test_are_five_for_a_replay(self, api, method, asked):
        # The call that finds the key used; then the general road: BEGIN, the key, its answer and COMMIT.
        assert len(asked(lambda: pay(api, method, key="table 7"))) == 5

    # BEGIN, the question and COMMIT; an expansion asks for its objects, and for the book's mode or time.
    @pytest.mark.parametrize(
        ("path", "params", "count"),
        [
            ("payment_intents/{pi}", {}, 3),
            ("payment_intents", {}, 3),
            ("payment_intents/search", {"query": 'status:"succeeded" AND metadata["table"]:"7"'}, 3),
            ("payment_intents", {"expand": ["data.latest_charge.balance_transaction"]}, 6),
            ("charges", {}, 3),
            ("charges", {"expand": ["data.customer", "data.payment_intent.payment_method"]}, 6),
            ("refunds", {}, 5),
            ("refunds", {"expand": ["data.charge.payment_intent.latest_charge.balance_transaction"]}, 10),
            ("customers", {}, 3),
            ("orders", {"expand": ["data.customer"]}, 5),
            ("balance", {}, 4),
            ("balance_transactions", {"expand": ["data.source"]}, 7),
            ("events", {}, 3),
        ],
    )
    def test_of_a_read_do_not_grow_with_its_rows(self, api, method, asked, path, params, count):
        paid = pay(api, method, metadata={"table": "7"}).json
        refund(api, paid, 100)

        is_list = "{" not in path and path != "balance"

        def read():
            return api.get(path.format(pi=paid["id"]), {"limit": 100, **params} if is_list else params)

        few = asked(read)
        for _ in range(5):
            refund(api, pay(api, method, metadata={"table": "7"}).json, 100)
        many = asked(read)

        assert len(few) == count, few
        assert len(many) == count


class TestLiteral:
    def test_has_the_columns_of_its_type_in_their_order(self, api, method, monkeypatch):
        """The values go by position: a column that moves or is added must move or be added here."""
        given = []
        monkeypatch.setattr(hot_path.wallets, "go", lambda payment: given.append(payment[0]))
        pay(api, method, metadata={"table": "7"})

        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT row_to_json(%s::wallet_payment_v2)", [given[0]])
            (read,) = cursor.fetchone()

        paid = api.get("payment_intents", {"limit": 2}).json["data"][1]
        assert read["customer"] == str(method.customer_id)
        assert read["method"] == str(method.pk)
        assert (read["amount"], read["currency"], read["unit"]) == (1_000, "CNY", "CNY/2")
        assert (read["line_description"], read["metadata"]) == ("Payment", {"table": "7"})
        assert (read["fee_rate"], read["fee"]) == (3_800, 4)
        assert read["reference"] == f"capture:{ids.show('ch', UUID(read['attempt']))}"
        assert (read["deliveries"], read["delivery_events"], read["delivery_targets"]) == ([], [], [])
        assert paid["status"] == "succeeded"

    @pytest.mark.parametrize("text", ['"', "\\", '\\"', "a,b", "(x)", "'", "%s", " ", "王伟", "\n", "{}", "NULL"])
    def test_carries_any_text(self, api, method, roads, text):
        paid = pay(api, method, description=f"x{text}y", metadata={"note": f"x{text}y"})

        assert roads[-1] is True
        assert (paid.json["description"], paid.json["metadata"]) == (f"x{text}y", {"note": f"x{text}y"})
        assert api.get(f"charges/{paid.json['latest_charge']}").json["description"] == f"x{text}y"
