"""A merchant's key finds nothing of another merchant's: in every list, in every parameter that names an object.

That no address opens an object of another merchant's, or of the other mode's, the matrix of
the API says (tests/security/access/test_api_matrix.py).
"""

from types import SimpleNamespace

import pytest

from members.loyalty import operations as loyalty
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.api.openapi import endpoints
from merchant_platform.tables import TENANT
from tests.architecture.world import stored
from tests.cast import NOW, Api, shown
from tests.members.loyalty import scheme

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A2")]

LISTS = sorted(
    address.removeprefix("/v1/") for address, method, each in endpoints() if each.is_list and "{" not in address
)
# Lists that want to be told what to look for.
SEARCHES = {
    "charges/search": 'status:"succeeded"',
    "customers/search": 'email:"lin.mei@example.com"',
    "payment_intents/search": 'metadata["table"]:"7"',
}
# Lists that want to be told whose.
OWNED = {
    "points/transactions": ("member", "members"),
    "redemptions": ("member", "members"),
    "tiers": ("programme", "points"),
}


@pytest.fixture
def victim(api, book, customer, wallet_method):
    """One of everything the API shows, in the café's book; by the first word of its address."""
    method = shown("pm", wallet_method(customer, 10_000))
    product = made(api.post("products", {"name": "Espresso"}))
    price = made(api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 1_800}))
    order = made(api.post("orders", {"currency": "cny", "line_items": [{"price": price["id"]}]}))
    intent = made(
        api.post(
            "payment_intents",
            {
                "amount": 1_800,
                "currency": "cny",
                "customer": shown("cus", customer),
                "payment_method": method,
                "confirm": True,
                "metadata": {"table": "7"},
            },
        )
    )
    refund = made(api.post("refunds", {"payment_intent": intent["id"], "amount": 300}))
    session = made(
        api.post(
            "checkout/sessions",
            {"mode": "payment", "success_url": "https://cafe.example/", "line_items": [{"price": price["id"]}]},
        )
    )
    setup = made(api.post("setup_intents", {"customer": shown("cus", customer)}))
    wallet = made(
        api.post("test_helpers/wallets", {"balance": 500, "currency": "cny", "customer": shown("cus", customer)})
    )
    hook = made(api.post("webhook_endpoints", {"url": "https://example.com/hooks", "enabled_events": ["*"]}))
    coupon = made(api.post("coupons", {"percent_off": 10}))
    code = made(api.post("promotion_codes", {"promotion": {"type": "coupon", "coupon": coupon["id"]}}))
    programme = scheme.start(book, pending_days=0)
    member = scheme.join(customer)
    with tenancy.within(book.pk):
        loyalty.set_budget(programme_id=programme.pk, points=500, reference="budget", now=NOW)
    for _ in range(2):  # who may be one person
        made(api.post("members", {"name": "Chen Bo"}))
    made(api.post("points/adjustments", {"member": shown("mem", member), "points": 400, "reason": "Late"}))
    reward = made(api.post("rewards", {"name": "A coffee", "points": 100}))
    redemption = made(api.post(f"rewards/{reward['id']}/redeem", {"member": shown("mem", member)}))
    card = made(api.post("stored_value_cards", {"currency": "cny", "amount": 3_000}))
    report = made(api.post("reports", {"report_type": "tax", "since": "2026-02-01", "until": "2026-02-28"}))
    return SimpleNamespace(
        book_id=book.pk,
        ids={
            "members": shown("mem", member),
            "points": shown("prog", programme),
            "redemptions": redemption["id"],
            "rewards": reward["id"],
            "stored_value_cards": card["id"],
            "balance_transactions": refund["balance_transaction"],
            "charges": intent["latest_charge"],
            "checkout": session["id"],
            "coupons": coupon["id"],
            "customers": shown("cus", customer),
            "events": api.get("events").json["data"][0]["id"],
            "orders": order["id"],
            "payment_intents": intent["id"],
            "payment_methods": method,
            "prices": price["id"],
            "products": product["id"],
            "promotion_codes": code["id"],
            "refunds": refund["id"],
            "reports": report["id"],
            "setup_intents": setup["id"],
            "wallets": wallet["id"],
            "webhook_endpoints": hook["id"],
        },
        line=order["lines"]["data"][0]["id"],
    )


@pytest.fixture
def stranger(other_api, other_customer, wallet_method):
    """The other merchant, with a customer and a method of its own, so that nothing is missing but what is not its."""
    return SimpleNamespace(
        api=other_api,
        customer=shown("cus", other_customer),
        member=shown("mem", scheme.join(other_customer)),
        method=shown("pm", wallet_method(other_customer, 10_000)),
        event=made(other_api.get("events"))["data"][0]["id"],
    )


def made(reply) -> dict:
    assert reply.status == 200, reply.json
    return reply.json


def rows(book_id) -> dict[str, list[str]]:
    return {table: stored(table, book_id) for table in TENANT}


class TestEveryList:
    def test_shows_nothing_of_another_merchant(self, api, victim, make_key, other_book):
        other, listed, hidden = Api(make_key(other_book)), {}, {}
        for address in LISTS:
            param, resource = OWNED.get(address, ("query", ""))
            params = {param: victim.ids[resource]} if resource else {}
            if address in SEARCHES:
                params = {"query": SEARCHES[address]}
            listed[address] = len(made(api.get(address, params))["data"]) > 0
            ours = other.get(address, params)
            if resource:
                refused = ours.error["code"] in {"resource_missing", "parameter_missing"}
                hidden[address] = (ours.status, refused) == (400, True)
            else:
                hidden[address] = made(ours)["data"] == []

        assert listed == dict.fromkeys(LISTS, True)
        assert hidden == dict.fromkeys(LISTS, True)

    def test_counts_no_money_of_another_merchant(self, api, victim, other_api):
        theirs, ours = made(api.get("balance")), made(other_api.get("balance"))

        assert [item["amount"] for item in theirs["available"]] == [1_494]
        assert [item["amount"] for item in ours["available"]] == [0]


PARAMETERS = [
    ("POST", "orders", "customer", lambda v, s: order(s) | {"customer": v.ids["customers"]}),
    ("POST", "orders", "line_items[0][price]", lambda v, s: order(s, price=v.ids["prices"])),
    ("POST", "payment_intents", "customer", lambda v, s: payment(s) | {"customer": v.ids["customers"]}),
    (
        "POST",
        "payment_intents",
        "payment_method",
        lambda v, s: payment(s) | {"payment_method": v.ids["payment_methods"]},
    ),
    (
        "POST",
        "payment_intents",
        "payment_method",
        lambda v, s: payment(s) | {"payment_method": v.ids["payment_methods"], "confirm": True, "customer": s.customer},
    ),
    (
        "POST",
        "payment_intents",
        "payment_details[order_reference]",
        lambda v, s: payment(s) | {"payment_details": {"order_reference": v.ids["orders"]}},
    ),
    (
        "POST",
        "payment_methods",
        "wallet[wallet]",
        lambda v, s: {"type": "wallet", "wallet": {"wallet": v.ids["wallets"]}},
    ),
    ("POST", "prices", "product", lambda v, s: {"product": v.ids["products"], "currency": "cny", "unit_amount": 1}),
    ("POST", "refunds", "charge", lambda v, s: {"charge": v.ids["charges"]}),
    ("POST", "refunds", "payment_intent", lambda v, s: {"payment_intent": v.ids["payment_intents"]}),
    (
        "POST",
        "test_helpers/wallets",
        "customer",
        lambda v, s: {"balance": 1, "currency": "cny", "customer": v.ids["customers"]},
    ),
    (
        "POST",
        "webhook_endpoints/{own}/resend",
        "event",
        lambda v, s: {"event": v.ids["events"]},
    ),
    ("POST", "coupons", "applies_to[products]", lambda v, s: coupon(v.ids["products"])),
    ("POST", "promotion_codes", "promotion[coupon]", lambda v, s: {"promotion": promoted(v.ids["coupons"])}),
    ("POST", "offers/preview", "customer", lambda v, s: order(s) | {"customer": v.ids["customers"]}),
    ("POST", "offers/preview", "line_items[0][price]", lambda v, s: order(s, price=v.ids["prices"])),
    ("GET", "coupons", "starting_after", lambda v, s: {"starting_after": v.ids["coupons"]}),
    ("GET", "promotion_codes", "coupon", lambda v, s: {"coupon": v.ids["coupons"]}),
    ("GET", "webhook_endpoints", "starting_after", lambda v, s: {"starting_after": v.ids["webhook_endpoints"]}),
    ("GET", "customers", "starting_after", lambda v, s: {"starting_after": v.ids["customers"]}),
    ("GET", "payment_intents", "ending_before", lambda v, s: {"ending_before": v.ids["payment_intents"]}),
]


def payment(stranger) -> dict:
    return {"amount": 100, "currency": "cny"}


def coupon(product) -> dict:
    return {"percent_off": 10, "applies_to": {"products": [product]}}


def promoted(coupon) -> dict:
    return {"type": "coupon", "coupon": coupon}


def order(stranger, **line) -> dict:
    return {"currency": "cny", "line_items": [line or {"description": "Tea", "unit_amount": 100}]}


class TestEveryParameter:
    def test_finds_no_object_of_another_merchant(self, victim, stranger, other_book):
        hook = {"url": "https://example.com/hooks", "enabled_events": ["*"]}
        own = made(stranger.api.post("webhook_endpoints", hook))["id"]
        theirs, ours = rows(victim.book_id), rows(other_book.pk)
        wrong = []
        for method, address, param, params in PARAMETERS:
            call = {"GET": stranger.api.get, "POST": stranger.api.post}[method]
            reply = call(address.replace("{own}", own), params(victim, stranger))

            told = (reply.status, reply.error.get("code"), reply.error.get("param"))
            if (
                told != (400, "resource_missing", param)
                or rows(victim.book_id) != theirs
                or rows(other_book.pk) != ours
            ):
                wrong.append((method, address, param, told))

        assert wrong == []

    def test_filters_a_list_by_an_object_of_another_merchant_to_nothing(self, victim, stranger):
        by_customer = stranger.api.get("payment_intents", {"customer": victim.ids["customers"]})
        by_charge = stranger.api.get("refunds", {"charge": victim.ids["charges"]})

        assert (by_customer.status, by_customer.json["data"]) == (200, [])
        assert (by_charge.status, by_charge.json["data"]) == (200, [])

    def test_leaves_a_default_price_of_another_merchant_alone(self, victim, stranger):
        product = made(stranger.api.post("products", {"name": "Tea"}))

        reply = stranger.api.post(f"products/{product['id']}", {"default_price": victim.ids["prices"]})

        assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", "default_price")
        assert stranger.api.get(f"products/{product['id']}").json["default_price"] is None
