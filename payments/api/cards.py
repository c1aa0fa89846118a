"""Cards in requests: given in the clear, by a test name, or by the id of a saved method."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator

from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call
from merchant_platform.kernel.api.params import Integer, InvalidParameter, Metadata, Nested, UpTo
from merchant_platform.kernel.writes import Writes
from payments.api.addresses import origin
from payments.api.fields import BillingDetails
from payments.customers import operations as customers
from payments.customers.models import Customer, PaymentMethod
from security.vault import cards as vault_cards
from security.vault.cards import CardUnusable, ClearCard

# Test names that stand for a card wherever the id of a payment method is taken, in test books.
# Each use saves a card of its own. https://docs.stripe.com/testing
TEST_METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_unionpay": "6200000000000005",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeProductNotReceived": "4000000000002685",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_bypassPending": "4000000000000077",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
    "pm_card_riskLevelElevated": "4000000000009235",
    "pm_card_riskLevelHighest": "4000000000004954",
    "pm_card_radarBlock": "4100000000000019",
}
_YEARS_VALID = 8


def _digits(value: Any) -> Any:
    """What was typed: spaces and hyphens are how people read a number. Never repeated in a refusal."""
    return str(value).replace(" ", "").replace("-", "") if isinstance(value, str | int) else ""


class CardData(Nested):
    number: Annotated[str, BeforeValidator(_digits), UpTo(30)]
    exp_month: Integer
    exp_year: Integer
    cvc: Annotated[str, BeforeValidator(_digits), UpTo(10)] | None = None

    def __repr__(self) -> str:
        return "CardData()"

    __str__ = __repr__


class MethodData(Nested):
    """A payment method made for one payment."""

    billing_details: BillingDetails | None = None
    card: CardData
    metadata: Metadata = {}
    type: Literal["card"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a request pays with: a saved method, and the security code that is handed on and forgotten.

    Of a card that was saved for the request the method's row, and what stands on the card, are at hand.
    """

    method_id: UUID | None
    cvc: str | None = None
    method: PaymentMethod | None = None
    card: ClearCard | None = None

    def __repr__(self) -> str:
        return f"Chosen({self.method_id})"


def is_fresh(named: str | None, data: MethodData | None) -> bool:
    """Whether a card has to be saved before anything is paid with it."""
    return data is not None or named in TEST_METHODS


def check(call: Call, named: str | None, data: MethodData | None) -> None:
    """Refuse early what names two methods, or no id at all. Writes nothing. Raises InvalidParameter."""
    if named and data:
        raise InvalidParameter(
            "You may only specify one of these parameters: payment_method, payment_method_data.",
            code="parameters_exclusive",
        )
    if named and named not in TEST_METHODS:
        paging.identifier("pm", named, param="payment_method")
    if named in TEST_METHODS and call.caller.livemode:
        raise InvalidParameter(
            f"No such payment method: '{named}'; it is a test method.",
            code="resource_missing",
            param="payment_method",
        )


def choose(
    call: Call,
    named: str | None,
    data: MethodData | None,
    *,
    into: Writes | None = None,
) -> Chosen:
    """The payment method that a request names. This will save a card that was given, or that a test name stands for.

    Needs the open unit of work. Raises what `customers.save_card` raises.
    """
    check(call, named, data)
    if data is not None:
        cvc = security_code(data.card)
        method = save(call, data.card, billing=data.billing_details, metadata=data.metadata, into=into)
        return Chosen(method.pk, cvc, method, _kept(data.card, method))
    if named is None:
        return Chosen(None)
    if named in TEST_METHODS:
        card = _test_card(call, named)
        method = save(call, card, into=into)
        return Chosen(method.pk, None, method, _kept(card, method))
    return Chosen(paging.identifier("pm", named, param="payment_method"))


def save(
    call: Call,
    card: CardData,
    *,
    billing: BillingDetails | None = None,
    metadata: dict[str, Any] | None = None,
    customer: Customer | None = None,
    into: Writes | None = None,
) -> PaymentMethod:
    """Save a card. This will put its number into the vault. Raises what `customers.save_card` raises."""
    details = shown_billing(billing)
    method = customers.save_card(
        card=ClearCard(
            number=card.number, exp_month=card.exp_month, exp_year=card.exp_year, holder=details.get("name")
        ),
        customer=customer,
        billing_details=details,
        now=call.now,
        origin=origin(call),
        into=into,
    )
    if metadata:
        if into is not None:
            into.send()
        method = customers.update_method(
            method_id=method.pk, fields={"metadata": metadata}, now=call.now, origin=origin(call)
        )
    return method


def save_test(call: Call, named: str) -> PaymentMethod:
    """Save the card that a test name stands for."""
    return save(call, _test_card(call, named))


def security_code(card: CardData) -> str | None:
    """The code to hand on. Raises customers.CardRefused for what cannot be one."""
    if card.cvc is None:
        return None
    try:
        return vault_cards.check_cvc(card.cvc, vault_cards.brand_of(card.number))
    except CardUnusable as unusable:
        raise customers.CardRefused(unusable.message, code=unusable.code, param=unusable.param) from None


def shown_billing(billing: BillingDetails | None) -> dict[str, Any]:
    """What was given, but an address always whole: a client reads `address.line2` whatever was sent."""
    if billing is None:
        return {}
    return {name: value for name, value in billing.model_dump().items() if name in billing.model_fields_set}


def _kept(card: CardData, method: PaymentMethod) -> ClearCard:
    """A card as the vault would open it: its year in four digits."""
    shown = method.card or {}
    return ClearCard(
        number=card.number,
        exp_month=shown["exp_month"],
        exp_year=shown["exp_year"],
        holder=method.billing_details.get("name"),
    )


def _test_card(call: Call, named: str) -> CardData:
    return CardData(number=TEST_METHODS[named], exp_month=12, exp_year=call.now.year + _YEARS_VALID)
