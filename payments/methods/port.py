"""The port of payment methods: one file each, named in settings.PAYMENT_METHODS. Adding one touches no core file."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from merchant_platform.kernel.errors import Invalid
from payments.customers.models import PaymentMethod as SavedMethod
from payments.ledger.chart import AccountRef


class UnknownMethod(Invalid):
    """No such payment method here."""

    code = "payment_method_type_unknown"


@dataclass(frozen=True, slots=True)
class Payment:
    """What a method is asked to take."""

    amount_minor: int
    currency: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a method says before money moves: the account to take from, and the facts for the decision."""

    source: AccountRef
    facts: dict[str, Any] = field(default_factory=dict)


class PaymentMethod(Protocol):
    """A way to pay whose value stands in the ledger already, so that no provider is asked."""

    name: str
    # The decision that says yes or no (kernel.decisions), given the facts.
    rule: str

    def prepare(self, saved: SavedMethod, payment: Payment) -> Readiness:
        """Read what is needed for one payment. Writes nothing."""
        ...


@cache
def find(name: str) -> PaymentMethod:
    """The method behind a name. Raises UnknownMethod."""
    if name not in settings.PAYMENT_METHODS:
        known = ", ".join(settings.PAYMENT_METHODS)
        raise UnknownMethod(f"The payment method type '{name[:50]}' is not one of: {known}.", param="payment_method")
    return import_string(settings.PAYMENT_METHODS[name])()
