"""Parameters that several endpoints share."""

from typing import Annotated

from pydantic_core import PydanticCustomError

from merchant_platform.kernel import addresses
from merchant_platform.kernel.api.params import Emptied, Nested, UpTo


class Address(Nested):
    city: Emptied[Annotated[str, UpTo(100)]] = None
    country: Emptied[Annotated[str, UpTo(2)]] = None
    line1: Emptied[Annotated[str, UpTo(200)]] = None
    line2: Emptied[Annotated[str, UpTo(200)]] = None
    postal_code: Emptied[Annotated[str, UpTo(20)]] = None
    state: Emptied[Annotated[str, UpTo(100)]] = None


class Shipping(Nested):
    address: Address
    name: Annotated[str, UpTo(200)]
    phone: Emptied[Annotated[str, UpTo(30)]] = None


class BillingDetails(Nested):
    address: Emptied[Address] = None
    email: Emptied[Annotated[str, UpTo(320)]] = None
    name: Emptied[Annotated[str, UpTo(200)]] = None
    phone: Emptied[Annotated[str, UpTo(30)]] = None


def web_address(value: str) -> str:
    """Where a payer is led back to."""
    try:
        addresses.origin_of(value)
    except ValueError as error:
        raise PydanticCustomError(
            "url_invalid", "Not a valid URL: it begins with http:// or https:// and names a host."
        ) from error
    return value
