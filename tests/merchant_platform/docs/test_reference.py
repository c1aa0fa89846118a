"""The API reference and the quick start: true, whole, and in both languages."""

import json
import os
import re

import pytest
import stripe
from django.conf import settings as platform_settings
from django.test import Client

from members.loyalty import operations as loyalty
from merchant_platform.docs import reference
from merchant_platform.docs.reference import OBJECTS
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.api.openapi import endpoints
from merchant_platform.kernel.api.params import Params
from tests.cast import Api, shown
from tests.members.loyalty import scheme
from tests.merchant_platform.docs.reading import Page
from tests.staff import make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])
OPERATIONS = [each for resource in reference.resources().values() for each in resource.operations]
# What an example may be told: the object is in no state for it, or what it names is not there.
UNDERSTOOD = {
    "charge_already_refunded",
    "payment_code_invalid",
    "member_exists",
    "member_unexpected_state",
    "payment_intent_unexpected_state",
    "product_in_use",
    "redemption_unexpected_state",
    "refund_not_cancelable",
    "refund_unexpected_state",
    "reward_unavailable",
    "resource_missing",
    "setup_intent_unexpected_state",
    "stored_value_card_unexpected_state",
    # An order that was not paid.
    "charge_not_refundable",
    "unexpected_state",
    "webhook_endpoint_disabled",
}


@pytest.fixture
def world(api, book, customer, wallet_method, acquirer):
    """One object of each kind, by the prefix of its id."""
    method = shown("pm", wallet_method(customer))
    intent = api.post(
        "payment_intents",
        {
            "amount": 18_600,
            "currency": "cny",
            "customer": shown("cus", customer),
            "payment_method": method,
            "confirm": True,
        },
    ).json
    product = api.post("products", {"name": "Coffee beans 250 g"}).json
    price = api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 8_800}).json
    line = {"price_data": {"currency": "cny", "unit_amount": 8_800, "product_data": {"name": "Beans"}}, "quantity": 1}
    session = api.post(
        "checkout/sessions", {"mode": "payment", "line_items": [line], "success_url": "https://example.com/thanks"}
    ).json
    setup = api.post("setup_intents", {"customer": shown("cus", customer), "payment_method": "pm_card_visa"}).json
    wallet = api.post(
        "test_helpers/wallets", {"customer": shown("cus", customer), "currency": "cny", "balance": 50_000}
    ).json
    refund = api.post("refunds", {"payment_intent": intent["id"], "amount": 100}).json
    order = api.post(
        "orders", {"currency": "cny", "line_items": [{"description": "Beans", "unit_amount": 8_800, "quantity": 2}]}
    ).json
    endpoint = api.post("webhook_endpoints", {"url": "https://example.com/hooks", "enabled_events": ["*"]}).json
    coupon = api.post("coupons", {"id": "coupon_SPRING", "percent_off": 25}).json
    code = api.post("promotion_codes", {"promotion": {"type": "coupon", "coupon": coupon["id"]}}).json
    card = api.post("stored_value_cards", {"currency": "cny", "amount": 30_000, "bonus_amount": 3_000}).json
    member = api.post("members", {"name": "Lin Mei", "phone": "+86 138 0013 8000", "tags": ["regular"]}).json
    api.post("members", {"name": "Lin Mei"})
    programme = scheme.start(book)
    with tenancy.within(book.pk):
        loyalty.set_budget(programme_id=programme.pk, points=2_000, reference="budget", now=book.now)
    api.post("points/adjustments", {"member": member["id"], "points": 1_000, "reason": "We were late"})
    reward = api.post("rewards", {"name": "A coffee", "points": 500}).json
    report = api.post("reports", {"report_type": "sales", "since": "2026-02-01", "until": "2026-02-28"}).json
    redemption = api.post(f"rewards/{reward['id']}/redeem", {"member": member["id"]}).json
    made = (
        coupon,
        code,
        intent,
        member,
        product,
        price,
        session,
        setup,
        wallet,
        refund,
        order,
        endpoint,
        card,
        reward,
        redemption,
        report,
    )
    found = {each["id"].rpartition("_")[0]: each["id"] for each in made}
    charge = api.get(f"charges/{intent['latest_charge']}").json
    return found | {
        "ch": charge["id"],
        "cus": shown("cus", customer),
        "evt": api.get("events").json["data"][0]["id"],
        "dup": api.get("member_duplicates").json["data"][0]["id"],
        "friend": api.post("members", {"name": "Wang Wei"}).json["id"],
        "pm": method,
        "prog": shown("prog", programme),
        "txn": charge["balance_transaction"],
    }


def filled(text, world):
    return re.sub(r"\b([a-z]+(?:_test)?)_\.\.\.", lambda blank: world[blank[1]], text)


def ask(api: Api, each, world):
    """The request of an example, as curl would send it."""
    path = filled(each.curl.text.split("/v1/")[1].split(" ")[0], world)
    said = re.findall(r"(?:-d|--data-urlencode) ('[^']*'|\S+)", each.curl.text)
    pairs = dict(pair.strip("'").split("=", 1) for pair in said)
    params = {name: filled(value, world) for name, value in pairs.items()}
    if "recipient" in params:
        params["recipient"] = world["friend"]  # The blanks are alike, and nobody gives points to themselves.
    return {"GET": api.get, "POST": api.post, "DELETE": api.delete}[each.method](path, params)


class TestOperations:
    def test_are_those_of_the_api(self):
        assert {(each.address, each.method) for each in OPERATIONS} == {
            (address, method) for address, method, _ in endpoints()
        }

    @pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.anchor)
    def test_name_every_parameter(self, each):
        described = next(d for address, method, d in endpoints() if (address, method) == (each.address, each.method))
        wanted = set(described.params.model_fields) - set(Params.model_fields)

        assert {parameter.name for parameter in each.parameters if "[" not in parameter.name} == wanted

    @pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: each.anchor)
    def test_call_the_sdk_as_it_is(self, each):
        text = each.python.text
        if text.startswith("client.raw_request("):
            return
        client = stripe.StripeClient("sk_test_1")
        call = client
        for name in text.partition("(")[0].split(".")[1:]:
            call = getattr(call, name)

        assert callable(call)
        compile(text, "example", "eval")

    @pytest.mark.requirement("A60")
    def test_have_examples_that_the_api_understands(self, api, world):
        misunderstood = []
        for each in sorted(OPERATIONS, key=lambda each: (each.method == "DELETE", "detach" in each.address)):
            reply = ask(api, each, world)
            if reply.status != 200 and reply.error["code"] not in UNDERSTOOD:
                misunderstood.append((each.method, each.address, reply.error))

        assert misunderstood == []


class TestObjects:
    def test_are_as_the_api_answers_them(self, api, world):
        """`WRITE_EXAMPLES=1 pytest …` writes them anew."""
        answered = {}
        for each in OPERATIONS:
            if each.method == "GET" and each.returns not in answered:
                reply = ask(api, each, world).json
                found = reply["data"][0] if each.is_list and reply.get("data") else None if each.is_list else reply
                if found and not found.get("error"):
                    answered[each.returns] = found
        if os.environ.get("WRITE_EXAMPLES"):
            text = re.sub(r"_secret_\w+", "_secret_...", json.dumps(answered, indent=1, ensure_ascii=False))
            OBJECTS.write_text(text + "\n")

        kept = json.loads(OBJECTS.read_text())
        assert set(kept) == set(answered)
        for name, true in answered.items():
            assert set(kept[name]) == set(true), name

    def test_hold_no_secret(self):
        assert not re.search(r"whsec_|sk_(test|live)_|_secret_[0-9A-Za-z]{10}", OBJECTS.read_text())


class TestPages:
    @pytest.mark.parametrize("name", reference.resources())
    def test_open_in_both_languages(self, name):
        for language in ("zh-hans", "en"):
            for query in ("", "?in=python", "?in=x"):
                answer = Client(headers={"Accept-Language": language}).get(f"/docs/api/{name}{query}")
                assert answer.status_code == 200
                Page(answer.content.decode())

    def test_find_by_every_word(self):
        def found(query):
            return Client().get("/docs/api", {"q": query}).context["found_count"]

        assert found("") == len(OPERATIONS)
        assert found("refund lines") >= 1
        assert found("rotate_secret") == 1
        assert found("no such thing") == 0

    def test_of_nothing_are_not_there(self):
        assert Client().get("/docs/api/nothing").status_code == 404
        assert Client().get("/docs/api/nothing/more").status_code == 404

    def test_need_no_key(self):
        assert "noindex" not in Client().get("/docs/api").content.decode()


class TestQuickStart:
    QUICK = "/dashboard/cafe/test/developers/quick-start"

    def test_tells_the_story_that_the_guides_tests_run(self, merchant, book):
        client = signed_in(make_staff(merchant, "developer"))
        for language in ("curl", "python"):
            told = Page(client.get(self.QUICK, {"in": language}).content.decode()).snippets()
            guide = Page(Client().get("/docs", {"in": language}).content.decode()).snippets()

            assert list(told) == ["set_up", "customer", "wallet", "pay", "webhook_endpoint", "webhook_receiver"]
            assert {name: guide[name] for name in told} == told

    def test_shows_ones_own_publishable_key_and_no_other(
        self, merchant, book, publishable_key, key, other_book, make_key
    ):
        theirs = make_key(other_book, kind="publishable")
        client = signed_in(make_staff(merchant, "developer"))

        page = client.get(self.QUICK).content.decode()

        assert publishable_key in page
        assert theirs not in page
        assert key not in page
        assert platform_settings.PUBLIC_URL in page

    def test_of_live_mode_leads_to_test_mode(self, merchant, live_book):
        client = signed_in(make_staff(merchant, "support"))

        assert self.QUICK in client.get(self.QUICK.replace("/test/", "/")).content.decode()
