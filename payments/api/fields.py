"""Parameters that several endpoints share."""

from merchant_platform.kernel.api.params import Emptied, Nested, text


class Address(Nested):
    city: Emptied[text(100)] = None  # type: ignore[valid-type]
    country: Emptied[text(2)] = None  # type: ignore[valid-type]
    line1: Emptied[text(200)] = None  # type: ignore[valid-type]
    line2: Emptied[text(200)] = None  # type: ignore[valid-type]
    postal_code: Emptied[text(20)] = None  # type: ignore[valid-type]
    state: Emptied[text(100)] = None  # type: ignore[valid-type]


class Shipping(Nested):
    address: Address
    name: text(200)  # type: ignore[valid-type]
    phone: Emptied[text(30)] = None  # type: ignore[valid-type]


class BillingDetails(Nested):
    address: Emptied[Address] = None
    email: Emptied[text(320)] = None  # type: ignore[valid-type]
    name: Emptied[text(200)] = None  # type: ignore[valid-type]
    phone: Emptied[text(30)] = None  # type: ignore[valid-type]
