"""The catalogue of error codes against the code: none is missing, none is too many, each says what is true."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import walk_packages

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from members.loyalty import operations as loyalty
from members.offers.models import Offer
from merchant_platform.docs import guide
from merchant_platform.docs.error_codes import CODES, GROUPS
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.api import params
from merchant_platform.kernel.api.errors import status_and_body
from merchant_platform.kernel.errors import PlatformError
from payments.intents.objects import DECLINE_MESSAGES, FAILURE_MESSAGES
from payments.stored_value import operations as stored_value
from payments.stored_value.models import StoredValueCard
from payments.stored_value.tender import StoredValue
from payments.tenders.port import Part, Payer
from payments.wallets import operations as wallets
from payments.webhooks import operations as webhooks
from security.credentials import certificates, keys, networks, signatures
from security.credentials.models import ApiKey
from tests.architecture.asking import APPS, ROOT, dotted, sources
from tests.cast import FORM, Api, origin_of, shown
from tests.members.loyalty import scheme

# A code's own rule: what a page's address and a program's comparison can bear.
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
# Confirming a payment catches this one and answers 402: as a refusal of the ledger it never leaves.
CAUGHT = {"insufficient_funds"}


def code_of(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@cache
def refusals() -> frozenset[type[PlatformError]]:
    """Every kind of refusal in the code base, its modules all loaded."""
    for app in APPS:
        for module in walk_packages([str(ROOT / app)], f"{app}."):
            if ".migrations" not in module.name:
                import_module(module.name)
    found, todo = set(), [PlatformError]
    while todo:
        kind = todo.pop()
        todo += kind.__subclasses__()
        if kind.__module__.partition(".")[0] in APPS:
            found.add(kind)
    return frozenset(found)


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in the sources: the file, the last word of what is called, the call."""
    for path, tree in sources(*APPS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield path, dotted(node.func).rpartition(".")[2], node


def codes_given_to_refusals() -> Iterator[tuple[str, str | None]]:
    # What a vault says of a card is handed on as a refusal.
    names = {kind.__name__ for kind in refusals()} | {"CardUnusable"}
    for path, name, call in calls():
        for keyword in call.keywords:
            if name in names and keyword.arg == "code":
                arms = keyword.value
                for arm in (arms.body, arms.orelse) if isinstance(arms, ast.IfExp) else (arms,):
                    yield path, code_of(arm)


def codes_of_parameters() -> Iterator[str]:
    for _, name, call in calls():
        if name == "PydanticCustomError":
            code = code_of(call.args[0])
            assert code, "a PydanticCustomError without a code that can be read"
            yield code
    for code, _ in params._MESSAGES.values():
        yield code


def codes_of_envelopes() -> Iterator[str]:
    """`envelope(type, "code", …)`, and error objects written out: `{"type": "card_error", "code": "…"}`."""
    for path, tree in sources(*APPS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2] == "envelope" and len(node.args) > 1:
                if code := code_of(node.args[1]):
                    yield code
            elif isinstance(node, ast.Dict) and not path.startswith("merchant_platform/docs/"):
                fields = {code_of(key): code_of(value) for key, value in zip(node.keys, node.values, strict=True)}
                if (fields.get("type") or "").endswith("_error") and fields.get("code"):
                    yield fields["code"] or ""


def codes_in_the_source() -> set[str]:
    return {
        *(kind.code for kind in refusals()),
        *(code for _, code in codes_given_to_refusals() if code),
        *codes_of_parameters(),
        *codes_of_envelopes(),
        *DECLINE_MESSAGES,
        *FAILURE_MESSAGES,
    }


class TestCatalogue:
    def test_has_every_code_of_the_source(self):
        assert codes_in_the_source() - set(CODES) == set()

    def test_has_no_code_that_the_source_has_not(self):
        assert set(CODES) - codes_in_the_source() == set()

    def test_reads_every_code_that_a_refusal_is_given(self):
        unread = {path for path, code in codes_given_to_refusals() if code is None}

        assert unread == {
            "merchant_platform/kernel/api/params.py",  # hands on what pydantic was given
            "members/api/points.py",  # hands on that an object is missing, as a parameter's fault
            "members/offers/checkout.py",  # a port's row of the same name, with a promotion code
            "payments/api/cards.py",  # hand on what the vault says of a card
            "payments/customers/operations.py",
        }

    def test_finds_codes_of_every_kind(self):
        found = codes_in_the_source()

        assert {
            "lock_timeout",  # a class attribute
            "url_unknown",  # a keyword
            "parameter_invalid_boolean",  # of pydantic
            "parameter_unknown",  # in the table of messages
            "not_acceptable",  # of an envelope
            "card_declined",  # in an error object
            "mandate_expired",  # of a decline
        } <= found

    def test_has_each_code_once(self):
        codes = [each.code for group in GROUPS for each in group.codes]

        assert len(codes) == len(set(codes))
        assert [code for code in codes if not CODE.fullmatch(code)] == []

    def test_sends_each_reader_on_to_a_section_that_exists(self):
        assert {each.guide for each in CODES.values()} <= {section.name for section in guide.SECTIONS}

    def test_quotes_declines_word_for_word(self):
        assert {code: CODES[code].message for code in DECLINE_MESSAGES} == DECLINE_MESSAGES
        own = {code: message for code, message in FAILURE_MESSAGES.items() if code != "card_declined"}
        assert {code: CODES[code].message for code in own} == own

    def test_has_the_status_and_the_type_that_each_kind_of_refusal_leaves_with(self):
        answers = {kind.code: status_and_body(kind("")) for kind in refusals() if kind is not PlatformError}
        expected = {
            code: (status, body["error"]["type"]) for code, (status, body) in answers.items() if code not in CAUGHT
        }

        assert {code: (CODES[code].statuses[0], CODES[code].type) for code in expected} == expected


class Counter:
    """What a merchant and a customer have, and one way to be refused for each code: a method a code."""

    def __init__(self, api, live_api, book, make_key, restricted_key, customer, wallet_method, settings):
        self.api, self.live_api, self.book, self.settings = api, live_api, book, settings
        self.make_key, self.restricted_key = make_key, restricted_key
        self.customer, self.wallet_method = customer, wallet_method

    def pay(self, *, amount=18600, currency="cny", balance=50_000, key=None, method=None, more=None, **limits):
        method = method or self.wallet_method(self.customer, balance, **limits)
        fields = {"amount": amount, "currency": currency, "payment_method": shown("pm", method), "confirm": "true"}
        return self.api.post("payment_intents", {**fields, **(more or {})}, idempotency_key=key)

    def paid(self):
        reply = self.pay()
        assert reply.status == 200, reply.json
        return reply.json

    def refund(self, **fields):
        return self.api.post("refunds", fields)

    def order(self):
        line = {"description": "Coffee beans 250 g", "unit_amount": 8800, "quantity": 2}
        lines = [line, {"description": "Delivery", "unit_amount": 1000}]
        return self.api.post("orders", {"reference": "MO-1001", "currency": "cny", "line_items": lines})

    def pay_order(self):
        method = shown("pm", self.wallet_method(self.customer, 50_000))
        fields = {"amount": 18600, "currency": "cny", "payment_method": method, "confirm": "true"}
        return self.api.post("payment_intents", {**fields, "payment_details": {"order_reference": "MO-1001"}})

    # --- keys ---

    def api_key_missing(self):
        return Api(None).get("customers")

    def api_key_invalid(self):
        return Api("sk_test_4eC39HqLyjWDarjtT1zdp7dc").get("customers")

    def permission_denied(self):
        return Api(self.restricted_key(refunds="read")).post("refunds", {})

    def secret_key_required(self):
        method = self.wallet_method(self.customer)
        intent = self.api.post(
            "payment_intents", {"amount": 100, "currency": "cny", "payment_method": shown("pm", method)}
        )
        page = Api(self.make_key(self.book, kind="publishable"))
        return page.post(
            f"payment_intents/{intent.json['id']}/confirm", {"client_secret": intent.json["client_secret"]}
        )

    def testmode_only(self):
        return self.live_api.post("test_helpers/wallets", {"customer": "cus_1", "currency": "cny", "balance": 1})

    def wallet_consent_required(self):
        return self.live_api.post("payment_methods", {"type": "wallet", "wallet": {"wallet": "wal_1"}})

    def tied(self, tie):
        """A request with a key that was tied to something before its first use."""
        text = self.make_key(self.book)
        tie(ApiKey.objects.get(digest=keys.digest(text)))
        return Api(text).get("customers")

    def ip_address_not_allowed(self):
        return self.tied(lambda key: networks.allow(key=key, networks=["203.0.113.7"]))

    def client_certificate_required(self):
        return self.tied(lambda key: certificates.bind(key=key, fingerprints=["ab" * 32]))

    def signature_required(self):
        public = Ed25519PrivateKey.generate().public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        return self.tied(lambda key: signatures.require(key=key, public_pem=pem))

    # --- requests ---

    def jwe_invalid(self):
        return self.api.post("customers", json={"jwe": "a.b.c.d.e"})

    def url_unknown(self):
        return self.api.get("payment_intent")

    def method_not_allowed(self):
        return self.api.request("PUT", "customers")

    def not_acceptable(self):
        return self.api.request("GET", "customers", headers={"Accept": "text/html"})

    def request_malformed(self):
        return self.api.request("POST", "customers", b"{", "application/json")

    def request_too_large(self):
        return self.api.request("POST", "customers", b"name=" + b"x" * self.settings.API_BODY_MAX, FORM)

    def unsupported_media_type(self):
        return self.api.request("POST", "customers", b"name", "text/plain")

    def rate_limit(self):
        self.settings.API_RATE_LIMIT = 1
        # On a busy machine a second may pass between two of them.
        replies = (self.api.get("customers") for _ in range(20))
        return next(reply for reply in replies if reply.status != 200)

    # --- parameters ---

    def parameter_missing(self):
        return self.api.post("payment_intents", {"amount": 100})

    def parameter_unknown(self):
        return self.api.post("payment_intents", {"amout": 100, "currency": "cny"})

    def parameter_invalid(self):
        return self.api.post("payment_intents", {"amount": 100, "currency": "rmb"})

    def parameter_invalid_empty(self):
        return self.api.post("products", {"name": ""})

    def parameter_invalid_integer(self):
        return self.api.post("payment_intents", {"amount": "186.00", "currency": "cny"})

    def parameter_invalid_boolean(self):
        return self.api.post("payment_intents", {"amount": 100, "currency": "cny", "confirm": "yes"})

    def parameters_exclusive(self):
        return self.refund(charge="ch_1", payment_intent="pi_1")

    def amount_too_large(self):
        return self.api.post("payment_intents", {"amount": params.AMOUNT_MAX + 1, "currency": "cny"})

    def email_invalid(self):
        return self.api.post("customers", {"email": "lin.mei"})

    def phone_invalid(self):
        return self.api.post("members", {"phone": "12"})

    def member_exists(self):
        self.api.post("members", {"phone": "+86 138 0013 8000"})
        return self.api.post("members", {"phone": "13800138000"})

    def consent_missing(self):
        return self.api.post("members", {"name": "Lin Mei", "birthday": "1990-05-04"})

    def member_unexpected_state(self):
        one, other = (self.api.post("members", {"name": name}).json["id"] for name in ("Lin Mei", "Lin M"))
        self.api.post(f"members/{one}/leave")
        return self.api.post(f"members/{other}/merge", {"into": one})

    def capture_method_unsupported(self):
        return self.pay(more={"capture_method": "manual"})

    def metadata_key_invalid(self):
        return self.api.post("customers", json={"metadata": {"x" * 41: "y"}})

    def metadata_too_long(self):
        return self.api.post("customers", {"metadata": {"x": "y" * 501}})

    def search_query_invalid(self):
        return self.api.get("payment_intents/search", {"query": 'foo:"x"'})

    # --- objects ---

    def resource_missing(self):
        return self.api.get("payment_intents/pi_0351h7qKIr34laXHDgyqLV")

    def resource_already_exists(self):
        self.order()
        return self.order()

    def coupon_expired(self):
        self.api.post("coupons", {"id": "GONE", "percent_off": 10})
        with tenancy.within(self.book.pk):
            Offer.objects.update(ends_at=self.book.now)
        return self.api.post("promotion_codes", {"promotion": {"type": "coupon", "coupon": "GONE"}})

    def product_in_use(self):
        product = self.api.post(
            "products", {"name": "Beans", "default_price_data": {"currency": "cny", "unit_amount": 1}}
        )
        return self.api.delete(f"products/{product.json['id']}")

    def payment_intent_unexpected_state(self):
        return self.api.post(f"payment_intents/{self.paid()['id']}/cancel")

    def payment_method_unexpected_state(self):
        method = self.wallet_method(self.customer)
        self.api.post(f"payment_methods/{shown('pm', method)}/detach")
        return self.pay(method=method)

    # --- stored value ---

    def stored_value_card(self, **more):
        return self.api.post("stored_value_cards", {"currency": "cny", **more}).json["id"]

    def stored_value_card_unexpected_state(self):
        card = self.stored_value_card(amount=100)
        self.api.post(f"stored_value_cards/{card}/freeze")
        return self.api.post(f"stored_value_cards/{card}/reload", {"amount": 100})

    def stored_value_load_too_large(self):
        line = {"description": "Stored value", "unit_amount": 30_000}
        order = self.api.post("orders", {"currency": "cny", "line_items": [line]}).json
        terms = {"currency": "cny", "amount": 33_000, "order_line": order["lines"]["data"][0]["id"]}
        return self.api.post("stored_value_cards", terms)

    def stored_value_spent(self):
        line = {"description": "Stored value", "unit_amount": 5_000}
        order = self.api.post("orders", {"currency": "cny", "line_items": [line]}).json
        self.stored_value_card(amount=5_000, order_line=order["lines"]["data"][0]["id"])
        method = shown("pm", self.wallet_method(self.customer, 50_000))
        fields = {"amount": 5_000, "currency": "cny", "payment_method": method, "confirm": "true"}
        paid = self.api.post("payment_intents", {**fields, "payment_details": {"order_reference": order["id"]}})
        with tenancy.within(self.book.pk):
            stored_value.load_paid(now=self.book.now, origin=origin_of(self.book))
            card = StoredValueCard.objects.get()
            part = Part(card.pk, card.pk, card.pk, 5_000, "CNY", None, "spent", Payer(), "test")
            StoredValue().reserve(part, now=self.book.now)
        return self.api.post("refunds", {"payment_intent": paid.json["id"]})

    def order_amount_exceeded(self):
        self.order()
        self.pay_order()
        return self.pay_order()

    # --- declines ---

    def insufficient_funds(self):
        return self.pay(balance=18_599)

    def mandate_revoked(self):
        method = self.wallet_method(self.customer)
        with tenancy.within(self.book.pk):
            wallets.revoke_mandate(mandate_id=method.mandate_id, now=self.book.now)
        return self.pay(method=method)

    def mandate_expired(self):
        return self.pay(expires_at=self.book.now)

    def mandate_limit_exceeded(self):
        return self.pay(limit_minor=18_599)

    def currency_mismatch(self):
        return self.pay(currency="usd")

    # --- cards ---

    def card(self, name, **more):
        fields = {"amount": 18600, "currency": "cny", "payment_method": name, "confirm": "true", **more}
        return self.api.post("payment_intents", fields)

    def keep(self, **wrong):
        given = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123", **wrong}
        return self.api.post("payment_methods", {"type": "card", "card": given})

    def expired_card(self):
        return self.card("pm_card_chargeDeclinedExpiredCard")

    def incorrect_cvc(self):
        return self.card("pm_card_chargeDeclinedIncorrectCvc")

    def processing_error(self):
        return self.card("pm_card_chargeDeclinedProcessingError")

    def authentication_required(self):
        return self.card("pm_card_authenticationRequired", off_session="true")

    def incorrect_number(self):
        return self.keep(number="4242424242424241")

    def invalid_expiry_month(self):
        return self.keep(exp_month=13)

    def invalid_expiry_year(self):
        return self.keep(exp_year=2099)

    def invalid_cvc(self):
        return self.keep(cvc="12")

    def url_invalid(self):
        return self.card("pm_card_visa", return_url="shop/back")

    def payment_intent_incompatible_payment_method(self):
        return self.card("pm_card_visa", payment_method_types=["wallet"])

    def setup_intent_unexpected_state(self):
        setup = self.api.post("setup_intents", {}).json["id"]
        self.api.post(f"setup_intents/{setup}/cancel")
        return self.api.post(f"setup_intents/{setup}/cancel")

    # --- refunds ---

    def charge_already_refunded(self):
        intent = self.paid()
        self.refund(payment_intent=intent["id"])
        return self.refund(charge=intent["latest_charge"])

    def charge_not_refundable(self):
        intent = self.api.post("payment_intents", {"amount": 100, "currency": "cny"}).json
        return self.refund(payment_intent=intent["id"])

    def charge_refund_amount_exceeded(self):
        return self.refund(payment_intent=self.paid()["id"], amount=20_000)

    def refund_lines_mismatch(self):
        line = self.order().json["lines"]["data"][0]["id"]
        paid = self.pay_order().json["id"]
        return self.refund(payment_intent=paid, amount=9_000, lines=[{"line": line, "quantity": 1}])

    def refund_not_cancelable(self):
        given = self.refund(payment_intent=self.paid()["id"]).json["id"]
        return self.api.post(f"refunds/{given}/cancel")

    # --- points ---

    def programme(self, *, budget=500, **terms):
        programme = scheme.start(self.book, **terms)
        with tenancy.within(self.book.pk):
            loyalty.set_budget(programme_id=programme.pk, points=budget, reference="budget", now=self.book.now)
        return programme

    def member(self, points=0):
        member = shown("mem", scheme.join(self.customer))
        if points:
            assert self.adjust(member, points).status == 200
        return member

    def adjust(self, member, points):
        return self.api.post("points/adjustments", {"member": member, "points": points, "reason": "Late"})

    def reward(self, **more):
        return self.api.post("rewards", {"name": "A coffee", "points": 40, **more}).json["id"]

    def points_insufficient(self):
        self.programme()
        return self.adjust(self.member(points=40), -41)

    def points_budget_exceeded(self):
        self.programme(budget=40)
        return self.adjust(self.member(), 41)

    def points_not_transferable(self):
        self.programme(is_transferable=False)
        member, friend = self.member(points=40), self.api.post("members", {"name": "Lin Mei"}).json["id"]
        return self.api.post("points/transfers", {"sender": member, "recipient": friend, "points": 1})

    def programme_inactive(self):
        programme, member = self.programme(), self.member()
        with tenancy.within(self.book.pk):
            loyalty.change(programme_id=programme.pk, is_active=False, now=self.book.now, origin=origin_of(self.book))
        terms = {"member": member, "points": 1, "reason": "Late", "programme": shown("prog", programme)}
        return self.api.post("points/adjustments", terms)

    def reward_unavailable(self):
        self.programme()
        member, reward = self.member(points=40), self.reward()
        self.api.post(f"rewards/{reward}", {"active": False})
        return self.api.post(f"rewards/{reward}/redeem", {"member": member})

    def redemption_unexpected_state(self):
        self.programme()
        member, reward = self.member(points=40), self.reward()
        held = self.api.post(f"rewards/{reward}/redeem", {"member": member}).json["id"]
        self.api.post(f"redemptions/{held}/complete")
        return self.api.post(f"redemptions/{held}/cancel")

    # --- repetition ---

    def idempotency_error(self):
        method = self.wallet_method(self.customer)
        self.pay(key="order-1001", method=method)
        return self.pay(key="order-1001", method=method, amount=18_700)

    def idempotency_key_invalid(self):
        return self.pay(key="x" * 256)

    def payment_code_invalid(self):
        return self.api.post(
            "payment_codes/redeem", {"payment_code": "281234567890123456", "amount": 100, "currency": "cny"}
        )

    # --- webhooks ---

    def endpoint(self, url="https://example.com/hooks"):
        return self.api.post("webhook_endpoints", {"url": url, "enabled_events": ["*"]})

    def webhook_endpoint_limit(self):
        replies = (self.endpoint() for _ in range(webhooks.ENDPOINTS_MAX + 1))
        return next(reply for reply in replies if reply.status != 200)

    def webhook_endpoint_disabled(self):
        path = f"webhook_endpoints/{self.endpoint().json['id']}"
        self.api.post(path, {"disabled": True})
        return self.api.post(f"{path}/test")


PROVOKED = [name for name in vars(Counter) if name in CODES]


@pytest.fixture
def counter(api, live_api, book, make_key, restricted_key, customer, wallet_method, settings, acquirer):
    return Counter(api, live_api, book, make_key, restricted_key, customer, wallet_method, settings)


@pytest.mark.django_db(transaction=True)
class TestExample:
    @pytest.mark.parametrize("code", PROVOKED)
    def test_is_what_the_api_answers(self, counter, client, settings, code):
        reply = getattr(counter, code)()

        told, example = reply.error, CODES[code].example()["error"]
        assert reply.status in CODES[code].statuses
        assert {name: without_ids(told[name]) for name in example if name != "payment_intent"} == {
            name: without_ids(value) for name, value in example.items() if name != "payment_intent"
        }
        assert set(told) - {"payment_intent", "payment_method"} == set(example) - {"payment_intent"}
        if "payment_intent" in example:
            assert {**told["payment_intent"], "id": ""} == {
                **told["payment_intent"],
                **example["payment_intent"],
                "id": "",
            }
        assert client.get(told["doc_url"].removeprefix(settings.PUBLIC_URL)).status_code == 200

    def test_is_checked_for_most_codes(self):
        assert len(PROVOKED) > len(CODES) * 2 / 3


def without_ids(text: str) -> str:
    return re.sub(r"\b[a-z]+_[0-9A-Za-z]{22}\b|\*\*\*\w{4}\b", "…", text)
