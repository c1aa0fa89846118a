"""/v1/payment_codes/redeem: a till charges the code that a consumer shows on their phone."""

from typing import Annotated

from merchant_platform.kernel import clock
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Answer, Call, door, endpoint
from merchant_platform.kernel.api.params import Amount, Currency, Emptied, Id, Metadata, Params, UpTo, check_step
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.writes import Writes
from payments.api.addresses import origin
from payments.api.confirming import around
from payments.api.payment_intent_params import PaymentDetails
from payments.intents import answers
from payments.intents.operations import Terms
from payments.payment_codes import operations as codes


class RedeemCode(Params):
    amount: Amount
    currency: Currency
    customer: Id | None = None
    description: Emptied[Annotated[str, UpTo(1000)]] = None
    metadata: Metadata = {}
    # Longer than a code is, so that what is no code is answered as such.
    payment_code: Annotated[str, UpTo(100)]
    payment_details: PaymentDetails | None = None


@endpoint(
    permission="payment_intents:write",
    params=RedeemCode,
    returns="payment_intent",
    answers_itself=True,
    extra_statuses={402: "The payment was declined; the intent is in `error.payment_intent`."},
)
def redeem(call: Call) -> Answer:
    """Charge a payment code that a customer shows"""
    params = call.params
    check_step(params.amount, params.currency, param="amount")
    terms_ = Terms(
        amount_minor=params.amount,
        currency=params.currency,
        customer_id=paging.identifier("cus", params.customer, param="customer") if params.customer else None,
        order_reference=params.payment_details.order_reference if params.payment_details else None,
        metadata=merge({}, params.metadata),
        details={"description": params.description},
    )

    def first(_: Writes) -> Answer:
        intent = codes.pay(
            code=params.payment_code, terms_=terms_, now=call.now, recorded=clock.wall(), origin=origin(call)
        )
        return answers.of_intent(intent, livemode=call.caller.livemode)

    with codes.guess(call.caller.book_id):
        return around(call, first=first, second=_never)


def _never(*_: object) -> Answer:
    raise AssertionError("nobody is asked between two transactions: there is one")


urlpatterns = [door("payment_codes/redeem", POST=redeem)]
