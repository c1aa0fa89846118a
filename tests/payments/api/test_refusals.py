"""What a door refuses: each in Stripe's envelope, with its code and its parameter, and nothing written anywhere."""

import re

import orjson
import pytest
from django.conf import settings

from merchant_platform.kernel import ids
from merchant_platform.kernel.api.openapi import endpoints
from tests.cast import FORM, NOW, shown
from tests.payments import books
from tests.payments.acts import pay

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

UNKNOWN = {prefix: ids.show(prefix, ids.new(NOW)) for prefix in [*ids.PREFIXES, "cs_test"]}
DOORS = sorted((method, address.removeprefix("/v1/")) for address, method, _ in endpoints())
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034}
INTENT = {"amount": 1_000, "currency": "cny"}
NO_ADDRESSES = (
    "javascript:alert(1)",
    "//shop.example",
    "https://user@shop.example/",
    "https://shop.example:99999/",
    "https://shop.example; frame-ancestors *",
    "https://shop.example;script-src",
    "https://shop.example/\r\nX: y",
    "https://shop\u202e.example/",
    "https://[::1",
)
LINE = {"description": "Tea", "unit_amount": 900}
ORDER = {"currency": "cny", "line_items": [LINE]}
PRICE = {"currency": "cny", "unit_amount": 900}
WALLET = {"balance": 5, "currency": "cny"}


def without(params, *names):
    return {name: value for name, value in params.items() if name not in names}


def said(reply):
    """Status, code and parameter of a refusal, once its envelope is what Stripe's SDKs read."""
    error = reply.error
    assert set(reply.json) == {"error"}
    assert error["type"] == ("idempotency_error" if error["code"] == "idempotency_error" else "invalid_request_error")
    assert error["message"]
    assert error["doc_url"] == f"{settings.PUBLIC_URL}/docs/errors/{error['code']}"
    assert re.fullmatch(r"req_[0-9A-Za-z]{22}", reply.headers["Request-Id"])
    assert reply.headers["Stripe-Should-Retry"] == "false"
    return reply.status, error["code"], error.get("param")


# Address: what is sent, and the code and parameter that come back with a 400. `{...}` stands for an object of ours.
REFUSED = {
    "payment_intents": [
        ({}, "parameter_missing", "amount"),
        ({"amount": 1_000}, "parameter_missing", "currency"),
        *[
            (INTENT | {"amount": amount}, "parameter_invalid_integer", "amount")
            for amount in (0, -1, "", "1000.0", "1e3", " 1", "１０", "0x10", "one", "9" * 20, {"a": 1}, [1])
        ],
        *[(INTENT | {"amount": amount}, "amount_too_large", "amount") for amount in (100_000_000, "9" * 19)],
        *[
            (INTENT | {"currency": currency}, "parameter_invalid", "currency")
            for currency in ("", "cn", "yuan", "xxx", "xau", "cny ", "<b>", ["cny"])
        ],
        (INTENT | {"nothing": 1}, "parameter_unknown", "nothing"),
        (
            INTENT | {"shipping": {"name": "Lin", "address": {"planet": "Mars"}}},
            "parameter_unknown",
            "shipping[address][planet]",
        ),
        (INTENT | {"payment_details": {"tip": 1}}, "parameter_unknown", "payment_details[tip]"),
        (INTENT | {"shipping": {"address": {"city": "x"}}}, "parameter_missing", "shipping[name]"),
        (INTENT | {"shipping": "home"}, "parameter_invalid", "shipping"),
        (INTENT | {"customer": ""}, "parameter_invalid_empty", "customer"),
        (INTENT | {"customer": "cus_1"}, "resource_missing", "customer"),
        (INTENT | {"customer": UNKNOWN["cus"]}, "resource_missing", "customer"),
        (INTENT | {"customer": UNKNOWN["pi"]}, "resource_missing", "customer"),
        (INTENT | {"payment_method": UNKNOWN["pm"]}, "resource_missing", "payment_method"),
        (INTENT | {"payment_method": UNKNOWN["pm"], "confirm": True}, "resource_missing", "payment_method"),
        (
            INTENT | {"payment_details": {"order_reference": UNKNOWN["ord"]}},
            "resource_missing",
            "payment_details[order_reference]",
        ),
        (
            INTENT | {"payment_details": {"order_reference": "x" * 101}},
            "parameter_invalid",
            "payment_details[order_reference]",
        ),
        (
            INTENT | {"capture_method": "manual", "payment_method_types": ["wallet"]},
            "capture_method_unsupported",
            "capture_method",
        ),
        (INTENT | {"capture_method": "later"}, "parameter_invalid", "capture_method"),
        (INTENT | {"confirmation_method": "manual"}, "parameter_invalid", "confirmation_method"),
        (INTENT | {"confirm": "yes"}, "parameter_invalid_boolean", "confirm"),
        (INTENT | {"confirm": True}, "parameter_missing", "payment_method"),
        (INTENT | {"off_session": True}, "parameter_invalid", "off_session"),
        (INTENT | {"return_url": "https://example.com"}, "parameter_invalid", "return_url"),
        *[
            (INTENT | {"confirm": True, "payment_method": "{pm}", "return_url": address}, "url_invalid", "return_url")
            for address in NO_ADDRESSES
        ],
        (INTENT | {"description": "x" * 1_001}, "parameter_invalid", "description"),
        (INTENT | {"statement_descriptor": "x" * 23}, "parameter_invalid", "statement_descriptor"),
        *[
            (INTENT | {"receipt_email": address}, "email_invalid", "receipt_email")
            for address in ("lin", "lin@example", "@example.com", "lin mei@example.com")
        ],
        (INTENT | {"payment_method_types": ["wallet", "cash"]}, "parameter_invalid", "payment_method_types[1]"),
        (
            INTENT | {"payment_method_types": ["wallet"], "automatic_payment_methods": {"enabled": True}},
            "parameters_exclusive",
            None,
        ),
        (INTENT | {"metadata": {f"{n}": "x" for n in range(51)}}, "metadata_too_long", "metadata"),
        (INTENT | {"metadata": {"x" * 41: "x"}}, "metadata_key_invalid", "metadata"),
        (INTENT | {"metadata": {"a": "x" * 501}}, "metadata_too_long", "metadata"),
        (INTENT | {"metadata": {"a": {"b": "c"}}}, "parameter_invalid", "metadata[a]"),
        (INTENT | {"metadata": "a"}, "parameter_invalid", "metadata"),
        (INTENT | {"expand": ["amount"]}, "parameter_invalid", "expand"),
        (INTENT | {"expand": ["a.b.c.d.e"]}, "parameter_invalid", "expand"),
    ],
    "payment_intents/{pi}": [
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"currency": "xxx"}, "parameter_invalid", "currency"),
        ({"capture_method": "automatic"}, "parameter_unknown", "capture_method"),
        ({"customer": UNKNOWN["cus"]}, "resource_missing", "customer"),
        ({"payment_method": UNKNOWN["pm"]}, "resource_missing", "payment_method"),
    ],
    "payment_intents/{pi}/confirm": [
        ({}, "parameter_missing", "payment_method"),
        ({"payment_method": UNKNOWN["pm"]}, "resource_missing", "payment_method"),
        ({"payment_method": "visa"}, "resource_missing", "payment_method"),
        ({"amount": 5}, "parameter_unknown", "amount"),
    ],
    "payment_intents/{pi}/capture": [
        ({"amount_to_capture": 0}, "parameter_invalid_integer", "amount_to_capture"),
        ({"amount_to_capture": 5}, "payment_intent_unexpected_state", None),
    ],
    "setup_intents": [
        *[
            ({"confirm": True, "payment_method": "{pm}", "return_url": address}, "url_invalid", "return_url")
            for address in NO_ADDRESSES
        ],
        ({"customer": UNKNOWN["cus"]}, "resource_missing", "customer"),
        ({"payment_method": UNKNOWN["pm"]}, "resource_missing", "payment_method"),
        ({"usage": "always"}, "parameter_invalid", "usage"),
        ({"confirm": True}, "parameter_missing", "payment_method"),
        ({"payment_method": "{pm}", "confirm": True}, "payment_intent_incompatible_payment_method", "payment_method"),
        ({"return_url": "https://example.com"}, "parameter_invalid", "return_url"),
    ],
    "payment_intents/{pi}/cancel": [({"cancellation_reason": "bored"}, "parameter_invalid", "cancellation_reason")],
    "refunds": [
        ({}, "parameters_exclusive", None),
        ({"charge": "{ch}", "payment_intent": "{paid}"}, "parameters_exclusive", None),
        ({"charge": "{ch}", "amount": 0}, "parameter_invalid_integer", "amount"),
        ({"charge": "{ch}", "amount": 1_001}, "charge_refund_amount_exceeded", "amount"),
        ({"charge": "{ch}", "amount": 100_000_000}, "amount_too_large", "amount"),
        ({"charge": "{ch}", "reason": "cold"}, "parameter_invalid", "reason"),
        ({"charge": "{ch}", "currency": "cny"}, "parameter_unknown", "currency"),
        ({"charge": UNKNOWN["ch"]}, "resource_missing", "charge"),
        ({"charge": "{paid}"}, "resource_missing", "charge"),
        ({"payment_intent": UNKNOWN["pi"]}, "resource_missing", "payment_intent"),
        ({"payment_intent": "{pi}"}, "charge_not_refundable", "payment_intent"),
        ({"charge": "{ch}", "lines": [{"amount": 5}]}, "parameter_missing", "lines[0][line]"),
        (
            {"charge": "{ch}", "lines": [{"line": "x", "quantity": 0}]},
            "parameter_invalid_integer",
            "lines[0][quantity]",
        ),
        ({"charge": "{ch}", "lines": [{"line": UNKNOWN["li"]}] * 101}, "parameter_invalid", "lines"),
        ({"charge": "{ch}", "lines": "all"}, "parameter_invalid", "lines"),
    ],
    "customers": [
        ({"email": "lin"}, "email_invalid", "email"),
        ({"name": "x" * 257}, "parameter_invalid", "name"),
        ({"phone": "5" * 31}, "parameter_invalid", "phone"),
        ({"address": {"planet": "Mars"}}, "parameter_unknown", "address[planet]"),
        ({"preferred_locales": "zh"}, "parameter_invalid", "preferred_locales"),
        ({"consumer": UNKNOWN["csm"]}, "parameter_unknown", "consumer"),
    ],
    "customers/{cus}": [({"email": "lin"}, "email_invalid", "email"), ({"balance": 5}, "parameter_unknown", "balance")],
    "payment_methods": [
        ({}, "parameter_missing", "type"),
        ({"type": "cash", "wallet": {"wallet": "{wal}"}}, "parameter_invalid", "type"),
        ({"type": "card", "wallet": {"wallet": "{wal}"}}, "parameter_missing", "card"),
        ({"type": "wallet", "wallet": {"wallet": "{wal}"}, "card": CARD}, "parameter_invalid", "card"),
        ({"type": "card", "card": {"number": "4242424242424242"}}, "parameter_missing", "card[exp_month]"),
        ({"type": "wallet"}, "parameter_missing", "wallet"),
        ({"type": "wallet", "wallet": {"wallet": UNKNOWN["wal"]}}, "resource_missing", "wallet[wallet]"),
        ({"type": "wallet", "wallet": {"wallet": "{cus}"}}, "resource_missing", "wallet[wallet]"),
    ],
    "payment_methods/{pm}": [({"billing_details": {"tax_id": "5"}}, "parameter_unknown", "billing_details[tax_id]")],
    "payment_methods/{pm}/attach": [
        ({}, "parameter_missing", "customer"),
        ({"customer": UNKNOWN["cus"]}, "resource_missing", "customer"),
        ({"customer": "{other}"}, "payment_method_unexpected_state", "customer"),
    ],
    "products": [
        ({}, "parameter_missing", "name"),
        ({"name": ""}, "parameter_invalid_empty", "name"),
        ({"name": "Tea", "images": "https://example.com"}, "parameter_invalid", "images"),
        ({"name": "Tea", "cost_minor": -1}, "parameter_invalid_integer", "cost_minor"),
        (
            {"name": "Tea", "default_price_data": {"currency": "cny"}},
            "parameter_missing",
            "default_price_data[unit_amount]",
        ),
        ({"name": "Tea", "statement_descriptor": "x" * 23}, "parameter_invalid", "statement_descriptor"),
    ],
    "products/{prod}": [
        ({"default_price": UNKNOWN["price"]}, "resource_missing", "default_price"),
        ({"default_price": "{elsewhere}"}, "resource_missing", "default_price"),
        ({"active": "no"}, "parameter_invalid_boolean", "active"),
    ],
    "prices": [
        (PRICE, "parameter_missing", "product"),
        (PRICE | {"product": UNKNOWN["prod"]}, "resource_missing", "product"),
        (PRICE | {"product": "{prod}", "unit_amount": -1}, "parameter_invalid_integer", "unit_amount"),
        (PRICE | {"product": "{prod}", "unit_amount": 100_000_000}, "parameter_invalid_integer", "unit_amount"),
        (PRICE | {"product": "{prod}", "currency": "xxx"}, "parameter_invalid", "currency"),
        (PRICE | {"product": "{prod}", "lookup_key": "espresso"}, "resource_already_exists", "lookup_key"),
        (PRICE | {"product": "{prod}", "recurring": {"interval": "month"}}, "parameter_unknown", "recurring"),
    ],
    "prices/{elsewhere}": [
        ({"lookup_key": "espresso"}, "resource_already_exists", "lookup_key"),
        ({"unit_amount": 5}, "parameter_unknown", "unit_amount"),
    ],
    "orders": [
        ({"currency": "cny"}, "parameter_missing", "line_items"),
        ({"line_items": [LINE]}, "parameter_missing", "currency"),
        (ORDER | {"line_items": ""}, "parameter_invalid", "line_items"),
        (ORDER | {"line_items": [LINE] * 101}, "parameter_invalid", "line_items"),
        (ORDER | {"line_items": [LINE | {"quantity": 0}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        (ORDER | {"line_items": [LINE | {"quantity": 10_000}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
        (ORDER | {"line_items": [LINE, {"description": "Tea"}]}, "parameters_exclusive", "line_items[1]"),
        (ORDER | {"line_items": [LINE | {"price": "{price}"}]}, "parameters_exclusive", "line_items[0]"),
        (ORDER | {"line_items": [{"unit_amount": 5}]}, "parameter_missing", "line_items[0][description]"),
        (ORDER | {"line_items": [{"price": UNKNOWN["price"]}]}, "resource_missing", "line_items[0][price]"),
        (ORDER | {"line_items": [{"price": "{elsewhere}"}]}, "parameter_invalid", "line_items[0][price]"),
        (ORDER | {"line_items": [{"price": "{dollars}"}]}, "parameter_invalid", "line_items[0][price]"),
        (ORDER | {"line_items": [{"price": "{free}"}]}, "amount_too_large", "line_items"),
        (ORDER | {"line_items": [LINE | {"unit_amount": 99_999_999, "quantity": 2}]}, "amount_too_large", "line_items"),
        (ORDER | {"reference": "ord_1"}, "parameter_invalid", "reference"),
        (ORDER | {"reference": "table 7"}, "resource_already_exists", "reference"),
        (ORDER | {"customer": UNKNOWN["cus"]}, "resource_missing", "customer"),
        (ORDER | {"store": UNKNOWN["sto"]}, "resource_missing", "store"),
    ],
    "test_helpers/wallets": [
        (WALLET, "parameter_missing", "customer"),
        (WALLET | {"customer": UNKNOWN["cus"]}, "resource_missing", "customer"),
        (WALLET | {"customer": "{cus}", "balance": -1}, "parameter_invalid_integer", "balance"),
        (WALLET | {"customer": "{cus}", "balance": 10**13 + 1}, "parameter_invalid_integer", "balance"),
        (WALLET | {"customer": "{cus}", "currency": "xxx"}, "parameter_invalid", "currency"),
    ],
}
# The same where the types are JSON's: what a form cannot say.
REFUSED_JSON = {
    "payment_intents": [
        *[
            (INTENT | {"amount": amount}, "parameter_invalid_integer", "amount")
            for amount in (1_000.0, 0.1, True, None, [1_000], {"a": 1}, "", "1 000")
        ],
        *[(INTENT | {"currency": currency}, "parameter_invalid", "currency") for currency in (5, None, True, ["cny"])],
        (INTENT | {"description": 5}, "parameter_invalid", "description"),
        (INTENT | {"confirm": 1}, "parameter_invalid_boolean", "confirm"),
        (INTENT | {"confirm": None}, "parameter_invalid_boolean", "confirm"),
        (INTENT | {"metadata": {"a": 5}}, "parameter_invalid", "metadata[a]"),
        (INTENT | {"metadata": []}, "parameter_invalid", "metadata"),
        (INTENT | {"shipping": []}, "parameter_invalid", "shipping"),
        (INTENT | {"shipping": {"address": {}}}, "parameter_missing", "shipping[name]"),
        (INTENT | {"payment_method_types": "wallet"}, "parameter_invalid", "payment_method_types"),
        (INTENT | {"payment_method_types": [5]}, "parameter_invalid", "payment_method_types[0]"),
        (INTENT | {"expand": "customer"}, "parameter_invalid", "expand"),
    ],
    "orders": [
        (ORDER | {"line_items": {}}, "parameter_invalid", "line_items"),
        (ORDER | {"line_items": [5]}, "parameter_invalid", "line_items[0]"),
        (ORDER | {"line_items": [LINE | {"quantity": 1.5}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
    ],
}
LISTS = {
    "customers": [
        *[({"limit": limit}, "parameter_invalid_integer", "limit") for limit in (0, -1, 101, "many", "")],
        ({"created": "yesterday"}, "parameter_invalid_integer", "created[gte]"),
        ({"created": {"since": 5}}, "parameter_unknown", "created[since]"),
        ({"starting_after": UNKNOWN["cus"]}, "resource_missing", "starting_after"),
        ({"ending_before": "{pi}"}, "resource_missing", "ending_before"),
        ({"starting_after": "{cus}", "ending_before": "{cus}"}, "parameters_exclusive", None),
        ({"name": "Lin"}, "parameter_unknown", "name"),
        ({"expand": ["data.sources"]}, "parameter_invalid", "expand"),
    ],
    "payment_intents": [({"customer": "{pm}"}, "resource_missing", "customer")],
    "charges": [({"payment_intent": "{ch}"}, "resource_missing", "payment_intent")],
    "refunds": [({"charge": "ch_1"}, "resource_missing", "charge")],
    "payment_methods": [({"customer": UNKNOWN["cus"]}, "resource_missing", "customer")],
    "prices": [
        ({"product": "{cus}"}, "resource_missing", "product"),
        ({"active": "no"}, "parameter_invalid_boolean", "active"),
    ],
    "products": [({"ids": ["{prod}", "tea"]}, "resource_missing", "ids")],
    "balance_transactions": [
        ({"source": "{pi}"}, "resource_missing", "source"),
        ({"source": "ch_1"}, "resource_missing", "source"),
        ({"currency": "xxx"}, "parameter_invalid", "currency"),
    ],
    "events": [
        ({"type": "charge.*", "types": ["charge.failed"]}, "parameters_exclusive", None),
        ({"types": ["charge.failed"] * 21}, "parameter_invalid", "types"),
    ],
    "wallets/{wal}/transactions": [
        *[
            ({"starting_after": cursor}, "resource_missing", "starting_after")
            for cursor in (
                "1",
                "tr_1",
                "x_" + UNKNOWN["tr"],
                "٣_" + UNKNOWN["tr"],
                "9" * 20 + "_" + UNKNOWN["tr"],
                "1_" + UNKNOWN["pi"],
            )
        ],
    ],
}


@pytest.fixture
def world(api, book, customer, make_customer, wallet_method):
    """One of everything, so that a refusal is of the parameter and not of the world."""
    method = wallet_method(customer, 50_000)
    product = api.post("products", {"name": "Espresso"}).json["id"]
    another = api.post("products", {"name": "Tea"}).json["id"]

    def price(of, **fields):
        return api.post("prices", {"product": of, "currency": "cny", "unit_amount": 900, **fields}).json["id"]

    api.post("orders", ORDER | {"reference": "table 7"})
    paid = pay(api, method, 1_000).json
    return {
        "ch": paid["latest_charge"],
        "cus": shown("cus", customer),
        "dollars": price(product, currency="usd"),
        "elsewhere": price(another, active=False),
        "free": price(product, unit_amount=0),
        "other": shown("cus", make_customer(book)),
        "paid": paid["id"],
        "pi": api.post("payment_intents", INTENT).json["id"],
        "pm": shown("pm", method),
        "price": price(product, lookup_key="espresso"),
        "prod": product,
        "wal": shown("wal", method.mandate.wallet),
    }


def filled(value, world):
    """The parameters with the ids of this world."""
    if isinstance(value, dict):
        return {name: filled(item, world) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, world) for item in value]
    return re.sub(r"\{(\w+)\}", lambda name: world[name[1]], value) if isinstance(value, str) else value


def compared(cases, send):
    """What was said beside what had to be said, a line each: the whole difference in one failure."""
    answered = [said(send(params)) for params, _, _ in cases]
    return (
        [(str(params)[:200], *answer) for (params, _, _), answer in zip(cases, answered, strict=True)],
        [(str(params)[:200], 400, code, param) for params, code, param in cases],
    )


class TestParameters:
    @pytest.mark.parametrize("address", REFUSED)
    def test_of_a_form_are_refused(self, api, world, address):
        with books.unchanged():
            got, wanted = compared(
                REFUSED[address], lambda params: api.post(filled(address, world), filled(params, world))
            )

        assert got == wanted

    @pytest.mark.parametrize("address", REFUSED_JSON)
    def test_of_json_are_refused(self, api, world, address):
        with books.unchanged():
            got, wanted = compared(
                REFUSED_JSON[address], lambda params: api.post(filled(address, world), json=filled(params, world))
            )

        assert got == wanted

    @pytest.mark.parametrize("address", LISTS)
    def test_of_a_list_are_refused(self, api, world, address):
        with books.unchanged():
            got, wanted = compared(
                LISTS[address], lambda params: api.get(filled(address, world), filled(params, world))
            )

        assert got == wanted

    def test_are_refused_before_a_key_is_used_up(self, api):
        refused = api.post("payment_intents", {"amount": 0, "currency": "cny"}, idempotency_key="table 7")
        mended = api.post("payment_intents", INTENT, idempotency_key="table 7")

        assert (refused.status, mended.status) == (400, 200)


# Bodies that no door can read, whatever it does; with the status and code that come back.
MALFORMED = {
    "bad UTF-8 in a form": (b"description=%ff%fe", FORM, 400, "request_malformed"),
    "bad UTF-8 in JSON": (b'{"description": "\xff"}', "application/json", 400, "request_malformed"),
    "a NUL in a form": (b"description=a%00b", FORM, 400, "request_malformed"),
    "a NUL in JSON": (b'{"description": "a\\u0000b"}', "application/json", 400, "request_malformed"),
    "half a character": (b'{"description": "\\ud800"}', "application/json", 400, "request_malformed"),
    "not a number": (b'{"amount": NaN}', "application/json", 400, "request_malformed"),
    "a list": (b"[1, 2]", "application/json", 400, "request_malformed"),
    "half an object": (b'{"amount": ', "application/json", 400, "request_malformed"),
    "a deep form": (b"a" + b"[b]" * 8 + b"=c", FORM, 400, "request_malformed"),
    "deep JSON": (b'{"a":' * 9 + b"1" + b"}" * 9, "application/json", 400, "request_malformed"),
    "very deep JSON": (b"[" * 100_000, "application/json", 400, "request_malformed"),
    "very many fields": (b"&".join(b"a%d=1" % n for n in range(1_001)), FORM, 400, "request_malformed"),
    "broken brackets": (b"a[b=c", FORM, 400, "request_malformed"),
    "twice the same": (b"amount=1&amount=2", FORM, 400, "request_malformed"),
    "two shapes": (b"a=1&a[b]=2", FORM, 400, "request_malformed"),
    "a file": (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
    "a page": (b"<p>hello</p>", "text/html", 415, "unsupported_media_type"),
    "more than a mebibyte": (b"description=" + b"x" * 1024 * 1024, FORM, 413, "request_too_large"),
    "a parameter that nobody knows": (b"nobody_knows=1", FORM, 400, "parameter_unknown"),
}


class TestEveryDoor:
    """Each address with each of its methods, as the API itself lists them."""

    @pytest.mark.parametrize("name", MALFORMED)
    def test_refuses_what_it_cannot_read(self, api, name):
        body, content_type, status, code = MALFORMED[name]
        posts = [address for method, address in DOORS if method == "POST"]

        with books.unchanged():
            replies = {address: said(api.request("POST", placed(address), body, content_type)) for address in posts}

        param = "nobody_knows" if code == "parameter_unknown" else None
        assert replies == dict.fromkeys(posts, (status, code, param))

    def test_refuses_a_query_it_cannot_read(self, api):
        with books.unchanged():
            replies = {
                (method, address, query): said(api.request(method, placed(address), query=query))
                for method, address in DOORS
                for query in ("limit=%ff", "a[b=c", "nobody_knows=1")
            }

        assert {answer[:2] for answer in replies.values()} == {(400, "request_malformed"), (400, "parameter_unknown")}

    def test_finds_nothing_under_an_id_that_nothing_has(self, api):
        named = [(method, address) for method, address in DOORS if "{id}" in address]
        needed = {"payment_methods/{id}/attach": {"customer": UNKNOWN["cus"]}}

        with books.unchanged():
            replies = {
                (method, address, identifier): api.request(
                    method,
                    address.replace("{id}", identifier),
                    *((orjson.dumps(needed.get(address, {})), "application/json") if method == "POST" else ()),
                )
                for method, address in named
                for identifier in (
                    placed(address).split("/")[1],
                    "1",
                    "x" * 300,
                    "%00",
                    "../customers",
                    "cus_" + "0" * 22,
                )
            }

        statuses = {
            asked: (reply.status, reply.error["code"])
            for asked, reply in replies.items()
            if (reply.status, reply.error["code"]) not in {(404, "resource_missing"), (404, "url_unknown")}
        }
        # What a door needs besides the id is looked for first: a customer, an event, a range.
        assert {address for _, address, _ in statuses} <= {
            "members/{id}/merge",
            "payment_methods/{id}/attach",
            "rewards/{id}/redeem",
            "webhook_endpoints/{id}/backfill",
            "webhook_endpoints/{id}/resend",
        }
        assert set(statuses.values()) <= {(400, "resource_missing"), (400, "parameter_missing")}

    def test_wants_a_key_and_the_right_one(self, api):
        with books.unchanged():
            statuses = {
                (method, address, key): api.with_key(key).request(method, placed(address)).status
                for method, address in DOORS
                for key in (None, "sk_test_guessed", "")
            }

        assert set(statuses.values()) == {401}


PREFIXES = {
    "balance_transactions": "txn",
    "charges": "ch",
    "checkout": "cs_test",
    "coupons": "offer",
    "customers": "cus",
    "events": "evt",
    "member_duplicates": "dup",
    "members": "mem",
    "orders": "ord",
    "payment_intents": "pi",
    "payment_methods": "pm",
    "points": "prog",
    "prices": "price",
    "products": "prod",
    "promotion_codes": "promo",
    "redemptions": "rdm",
    "refunds": "re",
    "reports": "rpt",
    "rewards": "rwd",
    "setup_intents": "seti",
    "stored_value_cards": "svc",
    "wallets": "wal",
    "webhook_endpoints": "we",
}


def placed(address):
    """An address with an id that could be one."""
    return address.replace("{id}", UNKNOWN[PREFIXES[address.partition("/")[0]]]) if "{id}" in address else address


class TestKeys:
    def test_of_idempotency_are_bounded(self, api):
        with books.unchanged():
            long = api.post("customers", {"name": "Lin"}, idempotency_key="x" * 256)
            odd = api.post("customers", {"name": "Lin"}, idempotency_key="a\tb")

        assert said(long) == said(odd) == (400, "idempotency_key_invalid", None)
        assert api.post("customers", {"name": "Lin"}, idempotency_key="x" * 255).status == 200

    def test_of_idempotency_belong_to_one_request(self, api, world):
        api.post("customers", {"name": "Lin"}, idempotency_key="one")

        with books.unchanged():
            body = api.post("customers", {"name": "Mei"}, idempotency_key="one")
            address = api.post("products", {"name": "Lin"}, idempotency_key="one")

        assert said(body) == said(address) == (400, "idempotency_error", None)

    def test_of_idempotency_belong_to_one_merchant(self, api, other_api):
        first = api.post("customers", {"name": "Lin"}, idempotency_key="one")
        second = other_api.post("customers", {"name": "Mei"}, idempotency_key="one")

        assert (first.json["name"], second.json["name"]) == ("Lin", "Mei")


class TestKeysGivenTwice:
    def test_are_refused_and_named_and_nothing_is_written(self, api):
        body = b'{"name": "Lin Mei", "name": "Somebody else"}'

        refused = api.request("POST", "customers", body, "application/json")

        assert (refused.status, refused.error["type"]) == (400, "invalid_request_error")
        assert refused.error["message"] == "Parameter 'name' is given twice."
        assert api.get("customers").json["data"] == []
