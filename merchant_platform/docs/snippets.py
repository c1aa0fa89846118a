"""The programs of the guide: one story, told with curl and in Python, each from the first line to the last.

A test takes them from the page and runs them in their order. `...` is what a reader
fills in; an address is written as ADDRESS and shown as the platform's own.
"""

from dataclasses import dataclass

from django.conf import settings
from django.utils.safestring import SafeString

from merchant_platform.docs.highlighting import highlight

CURL, PYTHON, SHELL, JSON, SERVER = "curl", "python", "shell", "json", "python-server"
# A whole program, told in one language.
PROGRAM = "python-program"
# What a reader can choose, as it is called.
LANGUAGES = {CURL: "curl", PYTHON: "Python"}
CAPTIONS = {**LANGUAGES, SHELL: "Shell", JSON: "JSON", SERVER: "Python", PROGRAM: "Python"}
ADDRESS = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A program as the page shows it."""

    name: str
    language: str
    text: str
    has_choice: bool = False

    @property
    def caption(self) -> str:
        return CAPTIONS[self.language]

    @property
    def html(self) -> SafeString:
        return highlight(self.text)

    @property
    def request(self) -> SafeString:
        """The first request alone, without what is kept for the next."""
        return highlight(self.text.partition("\n\n")[0])


def chosen(language: str) -> dict[str, Snippet]:
    """Every snippet by its name, in the language that the reader chose where it is told in both."""
    shown = {name: _snippet(name, SHELL, text) for name, text in SHELLS.items()}
    shown |= {name: _snippet(name, JSON, text) for name, text in ANSWERS.items()}
    shown |= {name: _snippet(name, SERVER, text) for name, text in SERVERS.items()}
    shown |= {name: _snippet(name, PROGRAM, text) for name, text in PROGRAMS.items()}
    for name, in_curl, in_python in STORY:
        shown[name] = _snippet(name, language, in_curl if language == CURL else in_python, has_choice=True)
    return shown


def _snippet(name: str, language: str, text: str, *, has_choice: bool = False) -> Snippet:
    return Snippet(name, language, text.strip().replace(ADDRESS, settings.PUBLIC_URL), has_choice)


SHELLS = {
    "make_key": """
.venv/bin/python manage.py found_merchant first-shop --name "First shop" \\
    --country CN --time-zone Asia/Shanghai --currency CNY
.venv/bin/python manage.py keys make first-shop
""",
}

# Programs of the reader's own, which run until they are stopped.
SERVERS = {
    "webhook_receiver": """
from http.server import BaseHTTPRequestHandler, HTTPServer

import stripe

SECRET = "whsec_..."


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = stripe.Webhook.construct_event(
                body, self.headers["Stripe-Signature"], SECRET
            )
        except (ValueError, stripe.SignatureVerificationError):
            self.send_response(400)
        else:
            print(event.id, event.type, event.data.object.id, flush=True)
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


HTTPServer(("127.0.0.1", 4242), Receiver).serve_forever()
""",
}

# name, with curl, in Python.
STORY = (
    (
        "set_up",
        """
export API=http://localhost:8000
export KEY=sk_test_...
""",
        """
import stripe

client = stripe.StripeClient(
    "sk_test_...", base_addresses={"api": "http://localhost:8000"}
)
""",
    ),
    (
        "customer",
        """
curl $API/v1/customers -u "$KEY:" \\
  -d name="Lin Mei"

export CUSTOMER=cus_...
""",
        """
customer = client.v1.customers.create({"name": "Lin Mei"})
""",
    ),
    (
        "wallet",
        """
curl $API/v1/test_helpers/wallets -u "$KEY:" \\
  -d customer=$CUSTOMER \\
  -d currency=cny \\
  -d balance=50000

export METHOD=pm_...
""",
        """
def ask(method, path, **params):
    answer = client.raw_request(method, path, **params)
    return client.deserialize(answer, api_mode="V1")

wallet = ask(
    "post", "/v1/test_helpers/wallets",
    customer=customer.id, currency="cny", balance=50000,
)
""",
    ),
    (
        "pay",
        """
curl $API/v1/payment_intents -u "$KEY:" \\
  -H "Idempotency-Key: order-1001" \\
  -d amount=18600 \\
  -d currency=cny \\
  -d payment_method=$METHOD \\
  -d confirm=true \\
  -d "metadata[table]=7"

export INTENT=pi_...
""",
        """
intent = client.v1.payment_intents.create(
    {
        "amount": 18600,
        "currency": "cny",
        "payment_method": wallet.payment_method,
        "confirm": True,
        "metadata": {"table": "7"},
    },
    {"idempotency_key": "order-1001"},
)
print(intent.status)
""",
    ),
    (
        "decline",
        """
curl $API/v1/payment_intents -u "$KEY:" \\
  -d amount=40000 \\
  -d currency=cny \\
  -d payment_method=$METHOD \\
  -d confirm=true
""",
        """
try:
    client.v1.payment_intents.create({
        "amount": 40000,
        "currency": "cny",
        "payment_method": wallet.payment_method,
        "confirm": True,
    })
except stripe.CardError as declined:
    print(declined.user_message)
    print(declined.error.decline_code, declined.error.doc_url)
""",
    ),
    (
        "authenticate",
        """
curl $API/v1/balance -H "Authorization: Bearer $KEY"
""",
        """
balance = client.v1.balance.retrieve()
print(balance.available[0].amount, balance.livemode)
""",
    ),
    (
        "repeat",
        """
curl -i $API/v1/payment_intents -u "$KEY:" \\
  -H "Idempotency-Key: order-1001" \\
  -d amount=18600 \\
  -d currency=cny \\
  -d payment_method=$METHOD \\
  -d confirm=true \\
  -d "metadata[table]=7"
""",
        """
again = client.v1.payment_intents.create(
    {
        "amount": 18600,
        "currency": "cny",
        "payment_method": wallet.payment_method,
        "confirm": True,
        "metadata": {"table": "7"},
    },
    {"idempotency_key": "order-1001"},
)
print(again.id == intent.id)
""",
    ),
    (
        "refusal",
        """
curl $API/v1/payment_intents -u "$KEY:" \\
  -d amount=0 \\
  -d currency=cny
""",
        """
try:
    client.v1.payment_intents.create({"amount": 0, "currency": "cny"})
except stripe.InvalidRequestError as refused:
    print(refused.http_status, refused.code, refused.param)
""",
    ),
    (
        "look_into_wallet",
        """
curl $API/v1/wallets/wal_... -u "$KEY:"
curl $API/v1/wallets/wal_.../transactions -u "$KEY:"
""",
        """
print(ask("get", f"/v1/wallets/{wallet.id}").balance)
for movement in ask("get", f"/v1/wallets/{wallet.id}/transactions").data:
    print(movement.type, movement.amount)
""",
    ),
    (
        "order",
        """
curl $API/v1/orders -u "$KEY:" \\
  -d reference=MO-1001 \\
  -d currency=cny \\
  -d "line_items[0][description]=Coffee beans 250 g" \\
  -d "line_items[0][unit_amount]=8800" \\
  -d "line_items[0][quantity]=2" \\
  -d "line_items[1][description]=Delivery" \\
  -d "line_items[1][unit_amount]=1000"

export LINE=li_...
""",
        """
order = ask(
    "post", "/v1/orders",
    reference="MO-1001",
    currency="cny",
    line_items=[
        {"description": "Coffee beans 250 g", "unit_amount": 8800, "quantity": 2},
        {"description": "Delivery", "unit_amount": 1000},
    ],
)
""",
    ),
    (
        "pay_order",
        """
curl $API/v1/payment_intents -u "$KEY:" \\
  -d "payment_details[order_reference]=MO-1001" \\
  -d amount=18600 \\
  -d currency=cny \\
  -d payment_method=$METHOD \\
  -d confirm=true

export PAID=pi_...
""",
        """
paid = client.v1.payment_intents.create({
    "payment_details": {"order_reference": order.reference},
    "amount": order.amount_due,
    "currency": "cny",
    "payment_method": wallet.payment_method,
    "confirm": True,
})
""",
    ),
    (
        "refund_line",
        """
curl $API/v1/refunds -u "$KEY:" \\
  -d payment_intent=$PAID \\
  -d "lines[0][line]=$LINE" \\
  -d "lines[0][quantity]=1"
""",
        """
refund = client.v1.refunds.create({
    "payment_intent": paid.id,
    "lines": [{"line": order.lines.data[0].id, "quantity": 1}],
})
print(refund.amount)
""",
    ),
    (
        "refund_rest",
        """
curl $API/v1/refunds -u "$KEY:" \\
  -d payment_intent=$PAID
""",
        """
rest = client.v1.refunds.create({"payment_intent": paid.id})
print(rest.amount)
""",
    ),
    (
        "list",
        """
curl -G $API/v1/payment_intents -u "$KEY:" \\
  -d limit=1

curl -G $API/v1/payment_intents -u "$KEY:" \\
  -d limit=1 \\
  -d starting_after=pi_...
""",
        """
page = client.v1.payment_intents.list({"limit": 1})
for each in page.auto_paging_iter():
    print(each.id, each.status)
""",
    ),
    (
        "expand",
        """
curl -G $API/v1/payment_intents/$INTENT -u "$KEY:" \\
  -d "expand[]=customer" \\
  -d "expand[]=latest_charge.balance_transaction"
""",
        """
whole = client.v1.payment_intents.retrieve(
    intent.id,
    {"expand": ["customer", "latest_charge.balance_transaction"]},
)
print(whole.customer.name, whole.latest_charge.balance_transaction.net)
""",
    ),
    (
        "search",
        """
curl -G $API/v1/payment_intents/search -u "$KEY:" \\
  --data-urlencode 'query=metadata["table"]:"7" AND amount>10000'
""",
        """
found = client.v1.payment_intents.search(
    {"query": 'metadata["table"]:"7" AND amount>10000'}
)
print(len(found.data))
""",
    ),
    (
        "events",
        """
curl -G $API/v1/events -u "$KEY:" \\
  -d "types[]=payment_intent.*" \\
  -d limit=3
""",
        """
events = client.v1.events.list({"types": ["payment_intent.*"], "limit": 3})
for event in events.data:
    print(event.type, event.data.object.id)
""",
    ),
    (
        "webhook_endpoint",
        """
curl $API/v1/webhook_endpoints -u "$KEY:" \\
  -d url=https://example.com/webhooks \\
  -d "enabled_events[]=payment_intent.succeeded" \\
  -d "enabled_events[]=charge.refunded"

export ENDPOINT=we_...
""",
        """
endpoint = client.v1.webhook_endpoints.create({
    "url": "https://example.com/webhooks",
    "enabled_events": ["payment_intent.succeeded", "charge.refunded"],
})
print(endpoint.secret[:6])
""",
    ),
    (
        "webhook_backfill",
        """
curl $API/v1/webhook_endpoints/$ENDPOINT/backfill -u "$KEY:" \\
  -d "created[gte]=$(($(date +%s) - 3600))" \\
  -d "created[lt]=$(date +%s)"

curl $API/v1/webhook_endpoints/$ENDPOINT/deliveries -u "$KEY:"
""",
        """
import time

now = int(time.time())
address = f"/v1/webhook_endpoints/{endpoint.id}"
filled = ask("post", f"{address}/backfill", created={"gte": now - 3600, "lt": now})
for delivery in ask("get", f"{address}/deliveries").data:
    assert delivery.status in ("pending", "succeeded", "failed")
print(filled.object)
""",
    ),
    (
        "ask_report",
        """
curl $API/v1/reports -u "$KEY:" \\
  -d report_type=sales \\
  -d since=2026-01-01 \\
  -d until=2026-01-31 \\
  -d format=csv

export REPORT=rpt_...

curl $API/v1/reports/$REPORT -u "$KEY:"
""",
        """
report = ask("post", "/v1/reports", report_type="sales", since="2026-01-01", until="2026-01-31", format="csv")
report = ask("get", f"/v1/reports/{report.id}")
print(report.status, report.progress)
""",
    ),
    (
        "hold_card",
        """
curl $API/v1/payment_intents -u "$KEY:" \\
  -d amount=18600 \\
  -d currency=cny \\
  -d payment_method=pm_card_visa \\
  -d capture_method=manual \\
  -d confirm=true

export HELD=pi_...
""",
        """
held = client.v1.payment_intents.create({
    "amount": 18600,
    "currency": "cny",
    "payment_method": "pm_card_visa",
    "capture_method": "manual",
    "confirm": True,
})
print(held.status, held.amount_capturable)
""",
    ),
    (
        "capture_card",
        """
curl $API/v1/payment_intents/$HELD/capture -u "$KEY:" \\
  -d amount_to_capture=15000
""",
        """
captured = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 15000})
print(captured.status, captured.amount_received)
""",
    ),
    (
        "save_card",
        """
curl $API/v1/setup_intents -u "$KEY:" \\
  -d customer=$CUSTOMER \\
  -d payment_method=pm_card_visa \\
  -d confirm=true
""",
        """
setup = client.v1.setup_intents.create({
    "customer": customer.id,
    "payment_method": "pm_card_visa",
    "confirm": True,
})
print(setup.status)
""",
    ),
)

# What the API says to them, cut short. A test holds each of these against the true answer.
ANSWERS = {
    "pay_answer": """
{
  "id": "pi_0351h7qKIr34laXHDgyqLV",
  "object": "payment_intent",
  "amount": 18600,
  "amount_received": 18600,
  "currency": "cny",
  "latest_charge": "ch_0351h7qKIr34mVcU5Jjq8H",
  "status": "succeeded"
}
""",
    "decline_answer": """
{
  "error": {
    "type": "card_error",
    "code": "card_declined",
    "decline_code": "insufficient_funds",
    "message": "The wallet has insufficient funds to complete the payment.",
    "doc_url": "http://localhost:8000/docs/errors/insufficient_funds",
    "payment_intent": {
      "id": "pi_0351h7qKIr34laXHDgyqLV",
      "status": "requires_payment_method"
    }
  }
}
""",
    "refusal_answer": """
{
  "error": {
    "type": "invalid_request_error",
    "code": "parameter_invalid_integer",
    "message": "This value must be greater than or equal to 1.",
    "param": "amount",
    "doc_url": "http://localhost:8000/docs/errors/parameter_invalid_integer"
  }
}
""",
    "refund_answer": """
{
  "object": "refund",
  "amount": 8800,
  "lines": [
    {
      "object": "refund_line",
      "amount": 8800,
      "line": "li_0351h7qYdBOz3Pb5L8EYdD",
      "quantity": 1
    }
  ],
  "status": "succeeded"
}
""",
    "expand_answer": """
{
  "id": "pi_0351h7qKIr34laXHDgyqLV",
  "customer": {
    "id": "cus_0351h7qF9Yv2Q0nVd7RbTa",
    "name": "Lin Mei"
  },
  "latest_charge": {
    "id": "ch_0351h7qKIr34mVcU5Jjq8H",
    "balance_transaction": {
      "id": "txn_0351h7qKIr34oPq2xZk8Wd",
      "amount": 18600,
      "fee": 71,
      "net": 18529
    }
  }
}
""",
}

PROGRAMS = {
    "sealed_request": """
import base64
import hashlib
import json
import os
import secrets
from datetime import datetime, timezone

import httpx
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms
from joserfc import jwe
from joserfc.jwk import ECKey

address, key = "http://localhost:8000/v1", os.environ["API_KEY"]

# Encrypt the card to the platform, as from this key.
theirs = ECKey.import_key(httpx.get(f"{address}/encryption_key").json())
sender = base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).rstrip(b"=").decode()
header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "apu": sender}
card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
sealed = jwe.encrypt_compact(header, json.dumps(card), theirs)

# Sign what is sent.
request = httpx.Request(
    "POST",
    f"{address}/payment_methods",
    headers={"Authorization": f"Bearer {key}", "Idempotency-Key": secrets.token_urlsafe(16)},
    json={"type": "card", "card": {"jwe": sealed}},
)
with open("private.pem", "rb") as pem:
    keys = MappingKeyResolver(public_keys={}, private_keys={"ours": pem.read()})
HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=keys).sign(
    request,
    key_id="ours",
    created=datetime.now(timezone.utc),
    nonce=secrets.token_urlsafe(16),
    covered_component_ids=("@method", "@target-uri", "idempotency-key"),
    body=request.content,
)
print(httpx.Client().send(request).json()["id"])
""",
}
