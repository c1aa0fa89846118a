"""Test cards by number, and what happens to each. The numbers are Stripe's: https://docs.stripe.com/testing

No other card is taken: a real one that strays into the sandbox is declined and forgotten.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Decline:
    """The API's code, and the issuer's reason under card_declined."""

    code: str
    decline_code: str | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """What becomes of a payment by one card."""

    brand: str
    funding: str = "credit"
    # Said at once, or after the challenge where there is one.
    decline: Decline | None = None
    # The payer is asked by the issuer before anything is held.
    is_challenged: bool = False
    # A challenge at a verification of nothing lets later payments pass without the payer.
    remembers_verification: bool = False
    # A verification (an amount of zero) passes, a payment does not.
    verifies: bool = False
    # What 3-D Secure says without asking the payer.
    trans_status: str | None = None
    # What a refund is at once, and what it becomes.
    refund: tuple[str, str | None] = ("succeeded", None)
    network: dict[str, Any] = field(default_factory=dict)


def _declined(reason: str, **options: Any) -> Instrument:
    return Instrument("visa", decline=Decline("card_declined", reason), **options)


def _refused(code: str) -> Instrument:
    return Instrument("visa", decline=Decline(code))


FAILED_AUTHENTICATION = Decline("payment_intent_authentication_failure")
NEEDS_THE_PAYER = Decline("authentication_required", "authentication_required")
NOT_A_TEST_CARD = Decline("card_declined", "test_mode_live_card")

INSTRUMENTS: dict[str, Instrument] = {
    "4242424242424242": Instrument("visa"),
    "4000056655665556": Instrument("visa", funding="debit"),
    "5555555555554444": Instrument("mastercard"),
    "5200828282828210": Instrument("mastercard", funding="debit"),
    "378282246310005": Instrument("amex"),
    "6200000000000005": Instrument("unionpay"),
    # Declines.
    "4000000000000002": _declined("generic_decline"),
    "4000000000009995": _declined("insufficient_funds"),
    "4000000000009987": _declined("lost_card"),
    "4000000000009979": _declined("stolen_card"),
    "4000000000000069": _refused("expired_card"),
    "4000000000000127": _refused("incorrect_cvc"),
    "4000000000000119": _refused("processing_error"),
    "4000000000000341": _declined("generic_decline", verifies=True),
    "4100000000000019": _declined("fraudulent", network={"risk_level": "highest", "is_blocked": True}),
    # The payer is asked.
    "4000002500003155": Instrument("visa", is_challenged=True, remembers_verification=True),
    "4000002760003184": Instrument("visa", is_challenged=True),
    "4000000000003220": Instrument("visa", is_challenged=True),
    "4000008400001629": _declined("generic_decline", is_challenged=True),
    "4000008260003178": _declined("insufficient_funds", is_challenged=True),
    # 3-D Secure without asking: attempted, rejected, unavailable.
    "4000000000003055": Instrument("visa", trans_status="A"),
    "4000000000003097": Instrument("visa", trans_status="R", decline=FAILED_AUTHENTICATION),
    "4000008400001280": Instrument("visa", trans_status="U", decline=FAILED_AUTHENTICATION),
    # Paid, and what the networks say of it.
    "4000000000000077": Instrument("visa", network={"is_available_at_once": True}),
    "4000000000000259": Instrument("visa", network={"will_be_disputed": "fraudulent"}),
    "4000000000002685": Instrument("visa", network={"will_be_disputed": "product_not_received"}),
    "4000000000001976": Instrument("visa", network={"will_be_disputed": "warning"}),
    "4000000000007726": Instrument("visa", refund=("pending", "succeeded")),
    "4000000000005126": Instrument("visa", refund=("succeeded", "failed")),
    "4000000000009235": Instrument("visa", network={"risk_level": "elevated"}),
    "4000000000004954": Instrument("visa", network={"risk_level": "highest"}),
}
UNKNOWN = Instrument("unknown", decline=NOT_A_TEST_CARD)


def find(number: str) -> Instrument:
    """What becomes of a payment by the card of that number."""
    return INSTRUMENTS.get(number, UNKNOWN)


def name(number: str) -> str:
    """What the store remembers of a card in place of its number."""
    return hashlib.sha256(number.encode()).hexdigest()[:16] if number in INSTRUMENTS else "unknown"


def by_name(known_as: str) -> Instrument:
    """The instrument behind `name`."""
    return _names().get(known_as, UNKNOWN)


@cache
def _names() -> dict[str, Instrument]:
    return {name(number): instrument for number, instrument in INSTRUMENTS.items()}
