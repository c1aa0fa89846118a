"""An integrator: the unmodified `stripe` SDK, pointed at the real server."""

from collections.abc import Callable
from typing import Any, TypeVar

import orjson
import pytest
import stripe

from security.merchants.models import Book
from tests.contract.sdk_types import problems

Answered = TypeVar("Answered")


@pytest.fixture
def integrator(server: str, key: str, book: Book) -> stripe.StripeClient:
    """The café's own program, with its secret test key. Its book has the world's time, as a merchant's has."""
    Book.objects.filter(pk=book.pk).update(clock_at=None)
    return stripe.StripeClient(key, base_addresses={"api": server}, max_network_retries=0)


@pytest.fixture
def guest(integrator: stripe.StripeClient) -> stripe.Customer:
    """A customer that the program made."""
    return checked(
        integrator.v1.customers.create(
            {
                "name": "Lin Mei",
                "email": "Lin.Mei@example.com",
                "phone": "+86 21 5555 0100",
                "address": {"city": "Shanghai", "country": "CN", "line1": "Fuzhou Road 1"},
                "shipping": {"name": "Lin Mei", "address": {"city": "Shanghai"}},
                "preferred_locales": ["zh", "en"],
                "metadata": {"table": "7"},
            }
        )
    )


@pytest.fixture
def wallet_of(integrator: stripe.StripeClient) -> Callable[..., Any]:
    """Makes a test wallet for a customer, by the address that only we have: `wallet_of(guest, 5_000)`."""

    def make(customer: stripe.Customer, balance: int) -> Any:
        return ask(
            integrator, "post", "/v1/test_helpers/wallets", customer=customer.id, balance=balance, currency="cny"
        )

    return make


def ask(integrator: stripe.StripeClient, method: str, path: str, **params: Any) -> Any:
    """An address that the SDK has no name for, read into the SDK's objects."""
    answer = integrator.raw_request(method, path, **params)
    return checked(integrator.deserialize(answer, api_mode="V1"), body=orjson.loads(answer.body))


def checked(answered: Answered, *, body: Any = None) -> Answered:
    """What the SDK read, once every word that came over the wire was held against the SDK's types."""
    received = body or orjson.loads(answered.last_response.body)  # type: ignore[attr-defined]
    assert problems(received) == []
    return answered


def checked_error(error: stripe.StripeError) -> Any:
    """The SDK's reading of an error, once the payment intent in it was held against the SDK's types."""
    body: Any = error.json_body
    if "payment_intent" in body["error"]:
        assert problems(body["error"]["payment_intent"]) == []
    return error.error
