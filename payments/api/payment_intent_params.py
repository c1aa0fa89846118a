"""What a request may say of a payment intent."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from merchant_platform.kernel.api.params import (
    Amount,
    Boolean,
    Currency,
    Emptied,
    Id,
    Listed,
    ListParams,
    Metadata,
    Nested,
    Params,
    UpTo,
)
from payments.api.cards import MethodData
from payments.api.customers import Email
from payments.api.fields import Shipping, web_address
from payments.intents import objects


def _known_method(value: str) -> str:
    if value not in objects.ENABLED_METHODS:
        raise PydanticCustomError(
            "parameter_invalid",
            "The payment method type '{given}' is not one of: {known}.",
            {"given": value[:50], "known": ", ".join(objects.ENABLED_METHODS)},
        )
    return value


MethodType = Annotated[str, UpTo(50), AfterValidator(_known_method)]


class AutomaticMethods(Nested):
    allow_redirects: Literal["always", "never"] = "always"
    enabled: Boolean


class PaymentDetails(Nested):
    customer_reference: Emptied[Annotated[str, UpTo(25)]] = None
    order_reference: Emptied[Annotated[str, UpTo(100)]] = None


class IntentFields(Params):
    customer: Id | None = None
    description: Emptied[Annotated[str, UpTo(1000)]] = None
    metadata: Metadata = {}
    payment_method: Id | None = None
    payment_method_data: MethodData | None = None
    payment_method_types: Listed[MethodType] = []
    receipt_email: Emptied[Email] = None
    setup_future_usage: Emptied[Literal["off_session", "on_session"]] = None
    shipping: Emptied[Shipping] = None
    statement_descriptor: Emptied[Annotated[str, UpTo(22)]] = None
    statement_descriptor_suffix: Emptied[Annotated[str, UpTo(22)]] = None
    transfer_group: Emptied[Id] = None

    def details(self) -> dict[str, Any]:
        """The columns that are shown and copied, as the request gave them."""
        shown = self.given(
            "amount", "automatic_payment_methods", "confirm", "currency", "customer", "metadata", "off_session",
            "payment_details", "payment_method", "payment_method_data", "return_url", "error_on_requires_action",
            "client_secret",
        )  # fmt: skip
        if self.shipping is not None:
            shown["shipping"] = self.shipping.model_dump()
        return shown


ReturnUrl = Annotated[str, UpTo(2048), AfterValidator(web_address)]


class CreateIntent(IntentFields):
    amount: Amount
    automatic_payment_methods: AutomaticMethods | None = None
    capture_method: Literal["automatic", "automatic_async", "manual"] = "automatic_async"
    confirm: Boolean = False
    confirmation_method: Literal["automatic"] = "automatic"
    currency: Currency
    error_on_requires_action: Boolean = False
    off_session: Boolean = False
    payment_details: PaymentDetails | None = None
    return_url: ReturnUrl | None = None


class UpdateIntent(IntentFields):
    amount: Amount = 1
    currency: Currency = "CNY"


class ConfirmIntent(Params):
    client_secret: Id | None = None
    error_on_requires_action: Boolean = False
    off_session: Boolean = False
    payment_method: Id | None = None
    payment_method_data: MethodData | None = None
    receipt_email: Emptied[Email] = None
    return_url: ReturnUrl | None = None
    setup_future_usage: Emptied[Literal["off_session", "on_session"]] = None
    shipping: Emptied[Shipping] = None


class CaptureIntent(Params):
    amount_to_capture: Amount | None = None
    final_capture: Boolean = True
    metadata: Metadata = {}


class RetrieveIntent(Params):
    client_secret: Id | None = None


class CancelIntent(Params):
    cancellation_reason: Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"] | None = None


class ListIntents(ListParams):
    customer: Id | None = None
