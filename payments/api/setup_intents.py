"""/v1/setup_intents: save a card for later."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from merchant_platform.kernel import ids
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Answer, Call, door, endpoint
from merchant_platform.kernel.api.params import (
    Boolean,
    Emptied,
    Id,
    InvalidParameter,
    Listed,
    ListParams,
    Metadata,
    Params,
    UpTo,
)
from merchant_platform.kernel.idempotency import Asked
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.writes import Writes
from payments.api import cards
from payments.api.addresses import mode, not_here, origin, path_id
from payments.api.cards import MethodData
from payments.api.confirming import around, check_secret, expanded
from payments.api.payment_intent_params import AutomaticMethods, ReturnUrl
from payments.customers.models import PaymentMethod
from payments.intents import answers, objects, setups
from payments.intents.models import SetupIntent
from payments.intents.provider_road import Heard, Question

Usage = Literal["off_session", "on_session"]


class SetupFields(Params):
    customer: Id | None = None
    description: Emptied[Annotated[str, UpTo(1000)]] = None
    metadata: Metadata = {}
    payment_method: Id | None = None
    payment_method_data: MethodData | None = None
    payment_method_types: Listed[Literal["card"]] = []


class CreateSetup(SetupFields):
    automatic_payment_methods: AutomaticMethods | None = None
    confirm: Boolean = False
    return_url: ReturnUrl | None = None
    usage: Usage = "off_session"


class ConfirmSetup(Params):
    client_secret: Id | None = None
    payment_method: Id | None = None
    payment_method_data: MethodData | None = None
    return_url: ReturnUrl | None = None


class RetrieveSetup(Params):
    client_secret: Id | None = None


class CancelSetup(Params):
    cancellation_reason: Literal["abandoned", "duplicate", "requested_by_customer"] | None = None


class ListSetups(ListParams):
    customer: Id | None = None
    payment_method: Id | None = None


DECLINED = {402: "The card was refused; the setup intent is in `error.setup_intent`."}


@endpoint(
    permission="setup_intents:write",
    params=CreateSetup,
    returns="setup_intent",
    answers_itself=True,
    extra_statuses=DECLINED,
)
def create(call: Call) -> Answer:
    """Create a setup intent, and confirm it at once with `confirm`"""
    params = call.params
    if params.return_url and not params.confirm:
        raise InvalidParameter("The parameter 'return_url' needs confirm=true.", param="return_url")
    cards.check(call, params.payment_method, params.payment_method_data)

    def first(writes: Writes) -> Answer | Asked[Question]:
        chosen = cards.choose(call, params.payment_method, params.payment_method_data, into=writes)
        setup = setups.create(
            customer_id=paging.identifier("cus", params.customer, param="customer") if params.customer else None,
            method_id=chosen.method_id,
            method=chosen.method,
            details=params.given(
                "automatic_payment_methods", "confirm", "customer", "metadata", "payment_method",
                "payment_method_data", "return_url",
            ),
            metadata=merge({}, params.metadata),
            currency=call.caller.default_currency,
            now=call.now,
            origin=origin(call),
            into=writes,
        )  # fmt: skip
        if not params.confirm:
            return Answer(status=200, body=expanded(call, _shown(call, setup), writes))
        return _begin(call, setup, chosen, method=setup.payment_method, writes=writes)

    return around(call, first=first, second=_second(call))


@endpoint(permission="setup_intents:read", params=RetrieveSetup, returns="setup_intent", publishable=True)
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a setup intent"""
    setup = SetupIntent.objects.filter(pk=path_id(call, "seti")).first()
    if setup is None:
        raise not_here(call, "seti")
    check_secret(call, "seti")
    return _shown(call, setup)


@endpoint(permission="setup_intents:write", params=SetupFields, returns="setup_intent")
def update(call: Call) -> dict[str, Any]:
    """Update a setup intent"""
    params = call.params
    changes = params.given("customer", "metadata", "payment_method", "payment_method_data")
    if params.customer:
        changes["customer_id"] = paging.identifier("cus", params.customer, param="customer")
    chosen = cards.choose(call, params.payment_method, params.payment_method_data)
    if chosen.method_id:
        changes["payment_method_id"] = chosen.method_id
    setup = setups.update(
        setup_id=path_id(call, "seti"),
        changes=changes,
        metadata=params.metadata if "metadata" in params.model_fields_set else None,
    )
    return _shown(call, setup)


@endpoint(
    permission="setup_intents:write",
    params=ConfirmSetup,
    returns="setup_intent",
    publishable=True,
    answers_itself=True,
    extra_statuses=DECLINED,
)
def confirm(call: Call) -> Answer:
    """Confirm a setup intent: verify the card"""
    params = call.params
    check_secret(call, "seti")
    cards.check(call, params.payment_method, params.payment_method_data)
    setup_id = path_id(call, "seti")

    def first(writes: Writes) -> Answer | Asked[Question]:
        setup = setups.lock(setup_id)
        chosen = cards.choose(call, params.payment_method, params.payment_method_data, into=writes)
        return _begin(call, setup, chosen, method=chosen.method, writes=writes)

    return around(call, first=first, second=_second(call))


@endpoint(permission="setup_intents:write", params=CancelSetup, returns="setup_intent")
def cancel(call: Call) -> dict[str, Any]:
    """Cancel a setup intent"""
    setup = setups.cancel(
        setup_id=path_id(call, "seti"),
        reason=call.params.cancellation_reason,
        now=call.now,
        origin=origin(call),
    )
    return _shown(call, setup)


@endpoint(permission="setup_intents:read", params=ListSetups, returns="setup_intent", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all setup intents"""
    rows = SetupIntent.objects.all()
    if call.params.customer:
        rows = rows.filter(customer_id=paging.identifier("cus", call.params.customer, param="customer"))
    if call.params.payment_method:
        rows = rows.filter(
            payment_method_id=paging.identifier("pm", call.params.payment_method, param="payment_method")
        )
    return paging.page(
        rows,
        call.params,
        prefix="seti",
        url=call.url,
        render=lambda found: [_shown(call, row) for row in found],
    )


def _begin(
    call: Call, setup: SetupIntent, chosen: cards.Chosen, *, method: PaymentMethod | None, writes: Writes
) -> Asked[Question]:
    question = setups.begin(
        setup=setup,
        saved=setups.method_for(setup, chosen.method_id, method=method),
        card=chosen.card,
        cvc=chosen.cvc,
        return_url=call.params.return_url,
        payee=call.caller.merchant_name,
        mode=mode(call),
        now=call.now,
        into=writes,
    )
    return Asked(ids.show("seti", setup.pk), question)


def _second(call: Call) -> Callable[[Question, Heard, Writes], Answer]:
    def second(question: Question, heard: Heard, writes: Writes) -> Answer:
        setup = setups.conclude(question, heard, now=call.now, origin=origin(call))
        shown = expanded(call, _shown(call, setup), writes) if call.params.expand else None
        return answers.of_setup(setup, livemode=call.caller.livemode, body=shown)

    return second


def _shown(call: Call, setup: SetupIntent) -> dict[str, Any]:
    return objects.setup_intent(setup, livemode=call.caller.livemode)


urlpatterns = [
    door("setup_intents", GET=list_, POST=create),
    door("setup_intents/<id>", GET=retrieve, POST=update),
    door("setup_intents/<id>/confirm", POST=confirm),
    door("setup_intents/<id>/cancel", POST=cancel),
]
