"""What a merchant's program does, in one word each: pay, refund. Every act goes through the API."""

from typing import Any

from payments.customers.models import PaymentMethod
from tests.cast import Api, Reply, shown


def terms(method: PaymentMethod, amount: int = 1_000, **more: Any) -> dict[str, Any]:
    """The parameters of a payment that is created and confirmed at once."""
    assert method.customer_id is not None
    return {
        "amount": amount,
        "currency": "cny",
        "customer": shown("cus", method.customer_id),
        "payment_method": shown("pm", method),
        "confirm": True,
        **more,
    }


def pay(api: Api, method: PaymentMethod, amount: int = 1_000, *, key: str | None = None, **more: Any) -> Reply:
    """Create and confirm at once: the short road."""
    return api.post("payment_intents", terms(method, amount, **more), idempotency_key=key)


def ask_for(api: Api, amount: int = 1_000, **more: Any) -> dict[str, Any]:
    """An intent that nobody has confirmed yet."""
    created = api.post("payment_intents", {"amount": amount, "currency": "cny", **more})
    assert created.status == 200, created.json
    return created.json


def confirm(api: Api, intent: dict[str, Any], method: PaymentMethod, *, key: str | None = None) -> Reply:
    """Confirm an intent: the general road."""
    params = {"payment_method": shown("pm", method)}
    return api.post(f"payment_intents/{intent['id']}/confirm", params, idempotency_key=key)


def refund(api: Api, paid: dict[str, Any], amount: int | None = None, *, key: str | None = None, **more: Any) -> Reply:
    """Give back of a paid intent: so much, or all that is left."""
    params = {"charge": paid["latest_charge"], **({} if amount is None else {"amount": amount}), **more}
    return api.post("refunds", params, idempotency_key=key)
