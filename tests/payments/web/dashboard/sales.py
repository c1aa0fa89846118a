"""What the pages of payments are tried on: an order of three things paid from a wallet, and a browser of staff."""

from typing import Any

from django.test import Client

from merchant_platform.kernel import clock
from payments.customers.models import PaymentMethod
from security.authentication import step_up
from security.authentication.models import StepUp
from tests.cast import Api, shown

BASE = "/dashboard/cafe/test"
THINGS = (("Espresso", 1_800, 2), ("Flat white", 3_200, 1), ("Croissant", 2_400, 3))
TOTAL = 14_000


def order(api: Api, reference: str = "A-1") -> dict[str, Any]:
    """An order of the three things: 140.00."""
    items = []
    for name, amount, quantity in THINGS:
        product = api.post("products", {"name": name}).json
        price = api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": amount}).json
        items.append({"price": price["id"], "quantity": quantity})
    return api.post("orders", {"currency": "cny", "reference": reference, "line_items": items}).json


def sell(api: Api, method: PaymentMethod, reference: str = "A-1", **more: Any) -> dict[str, Any]:
    """The order, paid from a wallet."""
    order(api, reference)
    return pay(api, method, TOTAL, payment_details={"order_reference": reference}, **more)


def pay(api: Api, method: PaymentMethod, amount: int = 1_000, **more: Any) -> dict[str, Any]:
    """A payment from a wallet."""
    assert method.customer_id is not None
    terms = {"currency": "cny", "customer": shown("cus", method.customer_id), "payment_method": shown("pm", method)}
    reply = api.post("payment_intents", {"amount": amount, "confirm": True, **terms, **more})
    assert reply.status == 200, reply.json
    return reply.json


def text_of(reply: Any) -> str:
    """The words of an answer, a streamed one too."""
    body = b"".join(reply.streaming_content) if reply.streaming else reply.content
    return body.decode()


def ids_on(client: Client, path: str) -> list[str]:
    """The payments on a page of the list, in its order."""
    reply = client.get(BASE + path)
    assert reply.status_code == 200, reply.content
    return [row["id"] for row in reply.context["lines"]]


def stepped_up(client: Client, address: str) -> Any:
    """The page behind a step-up, once the factor that it asks for was shown."""
    asked: Any = client.get(address)
    assert asked.url.startswith("/accounts/confirm/"), asked.url
    for demanded in StepUp.objects.filter(proved_at__isnull=True):
        step_up.prove(demanded=demanded, factor="totp", now=clock.wall())
    return client.get(address)
