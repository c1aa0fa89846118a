"""/v1/payment_intents"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from merchant_platform.kernel import ids
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Answer, Call, body, door, endpoint
from merchant_platform.kernel.api.params import (
    InvalidParameter,
    SearchParams,
    check_step,
)
from merchant_platform.kernel.errors import Forbidden
from merchant_platform.kernel.idempotency import Asked
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.writes import Writes
from payments.api import cards
from payments.api.addresses import mode, not_here, origin, path_id
from payments.api.confirming import around, check_secret, expanded
from payments.api.payment_intent_params import (
    CancelIntent,
    CaptureIntent,
    ConfirmIntent,
    CreateIntent,
    ListIntents,
    RetrieveIntent,
    UpdateIntent,
)
from payments.customers.models import PaymentMethod
from payments.intents import answers, hot_path, objects, provider_road, states, wallet_road
from payments.intents import operations as intents
from payments.intents.models import PaymentIntent
from payments.intents.provider_road import Heard, Question
from payments.search import queries as search

DECLINED = {402: "The payment was declined; the intent is in `error.payment_intent`."}


@endpoint(
    permission="payment_intents:write",
    params=CreateIntent,
    returns="payment_intent",
    answers_itself=True,
    extra_statuses=DECLINED,
)
def create(call: Call) -> Answer:
    """Create a payment intent, and confirm it at once with `confirm`"""
    params = call.params
    if not params.confirm:
        for name in ("off_session", "error_on_requires_action", "return_url"):
            if getattr(params, name):
                raise InvalidParameter(f"The parameter '{name}' needs confirm=true.", param=name)
    cards.check(call, params.payment_method, params.payment_method_data)
    is_fresh = cards.is_fresh(params.payment_method, params.payment_method_data)
    terms_ = _terms(params, method_id=None if is_fresh else _named(params))
    if params.confirm and terms_.payment_method_id is None and not is_fresh:
        raise InvalidParameter(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="parameter_missing",
            param="payment_method",
        )
    if (
        params.confirm
        and not is_fresh
        and not params.expand
        and terms_.order_reference is None
        and params.capture_method != "manual"
    ):
        paid = hot_path.pay(
            book_id=call.book_id,
            mode=mode(call),
            terms_=terms_,
            now=call.now,
            origin=origin(call),
            idempotency=call.idempotency,
        )
        if paid is not None:
            return paid

    def first(writes: Writes) -> Answer | Asked[Question]:
        chosen = cards.choose(call, params.payment_method, params.payment_method_data, into=writes)
        intent = intents.create(
            terms_=replace(terms_, payment_method_id=chosen.method_id),
            method=chosen.method,
            now=call.now,
            origin=origin(call),
            into=writes,
        )
        if not params.confirm:
            return Answer(status=200, body=expanded(call, _shown(call, intent), writes))
        return _begin(call, intent, chosen, method=intent.payment_method, details={}, writes=writes)

    return around(call, first=first, second=_second(call))


@endpoint(permission="payment_intents:read", params=RetrieveIntent, returns="payment_intent", publishable=True)
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a payment intent"""
    intent = PaymentIntent.objects.filter(pk=path_id(call, "pi")).first()
    if intent is None:
        raise not_here(call, "pi")
    check_secret(call, "pi")
    return _shown(call, intent)


@endpoint(permission="payment_intents:write", params=UpdateIntent, returns="payment_intent")
def update(call: Call) -> dict[str, Any]:
    """Update a payment intent"""
    params = call.params
    changes = params.details()
    if "amount" in params.model_fields_set:
        changes["amount_minor"] = params.amount
    if "currency" in params.model_fields_set:
        changes["currency"] = params.currency
    if params.customer:
        changes["customer_id"] = paging.identifier("cus", params.customer, param="customer")
    chosen = cards.choose(call, params.payment_method, params.payment_method_data)
    if chosen.method_id:
        changes["payment_method_id"] = chosen.method_id
    intent = intents.update(
        intent_id=path_id(call, "pi"),
        changes=changes,
        metadata=params.metadata if "metadata" in params.model_fields_set else None,
        now=call.now,
        origin=origin(call),
    )
    return _shown(call, intent)


@endpoint(
    permission="payment_intents:write",
    params=ConfirmIntent,
    returns="payment_intent",
    publishable=True,
    answers_itself=True,
    extra_statuses=DECLINED,
)
def confirm(call: Call) -> Answer:
    """Confirm a payment intent: try to take the money"""
    params = call.params
    check_secret(call, "pi")
    details = params.given(
        "client_secret", "error_on_requires_action", "off_session", "payment_method", "payment_method_data",
        "return_url",
    )  # fmt: skip
    if details.get("shipping") is not None:
        details["shipping"] = params.shipping.model_dump()
    cards.check(call, params.payment_method, params.payment_method_data)
    intent_id = path_id(call, "pi")
    names_another = bool(params.payment_method or params.payment_method_data)

    def first(writes: Writes) -> Answer | Asked[Question]:
        intent = intents.lock(intent_id)
        if names_another and intent.status == states.REQUIRES_ACTION:
            raise _Challenged
        chosen = cards.choose(call, params.payment_method, params.payment_method_data, into=writes)
        return _begin(call, intent, chosen, method=chosen.method, details=details, writes=writes)

    try:
        return around(call, first=first, second=_second(call))
    except _Challenged:
        # The bank is asked to let go outside a transaction; the key was rolled back, and is claimed again after it.
        provider_road.make_way(
            intent_id=intent_id, book_id=call.book_id, mode=mode(call), now=call.now, origin=origin(call)
        )
        names_another = False
        return around(call, first=first, second=_second(call))


@endpoint(
    permission="payment_intents:write",
    params=CaptureIntent,
    returns="payment_intent",
    answers_itself=True,
)
def capture(call: Call) -> Answer:
    """Capture what was held for a payment intent, or a part of it"""
    params = call.params

    def first(writes: Writes) -> Answer | Asked[Question]:
        intent_id = path_id(call, "pi")
        if params.metadata:
            intents.update(intent_id=intent_id, changes={}, metadata=params.metadata, now=call.now, origin=origin(call))
        question = provider_road.begin_capture(
            intent_id=intent_id,
            amount_minor=params.amount_to_capture,
            is_final=params.final_capture,
            now=call.now,
            origin=origin(call),
        )
        return Asked(call.path["id"], question)

    return around(call, first=first, second=_second(call))


@endpoint(permission="payment_intents:write", params=CancelIntent, returns="payment_intent", answers_itself=True)
def cancel(call: Call) -> Answer:
    """Cancel a payment intent; what was held is released"""

    def first(writes: Writes) -> Answer | Asked[Question]:
        begun = provider_road.begin_cancel(
            intent_id=path_id(call, "pi"),
            reason=call.params.cancellation_reason,
            now=call.now,
            origin=origin(call),
        )
        if isinstance(begun, PaymentIntent):
            return Answer(status=200, body=body(call, _shown(call, begun)))
        return Asked(call.path["id"], begun)

    return around(call, first=first, second=_second(call))


@endpoint(permission="payment_intents:read", params=ListIntents, returns="payment_intent", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all payment intents"""
    rows = PaymentIntent.objects.all()
    if call.params.customer:
        rows = rows.filter(customer_id=paging.identifier("cus", call.params.customer, param="customer"))
    return paging.page(
        rows,
        call.params,
        prefix="pi",
        url=call.url,
        render=lambda found: [_shown(call, row) for row in found],
    )


@endpoint(permission="payment_intents:read", params=SearchParams, returns="payment_intent", is_list=True)
def search_(call: Call) -> dict[str, Any]:
    """Search payment intents"""
    return search.page(
        "payment_intent",
        PaymentIntent.objects.all(),
        call.params,
        url=call.url,
        render=lambda found: [_shown(call, row) for row in found],
    )


class _Challenged(Exception):
    """The payer's bank still waits for the payer, and another method is to be tried."""


def _begin(
    call: Call,
    intent: PaymentIntent,
    chosen: cards.Chosen,
    *,
    method: PaymentMethod | None,
    details: dict[str, Any],
    writes: Writes,
) -> Answer | Asked[Question]:
    """Confirm: a wallet is charged in this transaction, a card's provider is asked after it."""
    params = call.params
    saved = intents.method_for(intent, chosen.method_id, method=method, origin=origin(call))
    if saved.type == "card":
        question = provider_road.begin(
            intent=intent,
            saved=saved,
            card=chosen.card,
            cvc=chosen.cvc,
            return_url=params.return_url,
            # A caller who cannot lead the payer anywhere is as good as without one.
            is_off_session=params.off_session or params.error_on_requires_action,
            payee=call.caller.merchant_name,
            details=details,
            mode=mode(call),
            now=call.now,
            origin=origin(call),
            into=writes,
        )
        return Asked(ids.show("pi", intent.pk), question)
    if call.caller.kind == "publishable":
        # A browser proves nothing of who sits before it: a wallet is charged by the merchant's
        # server, on the mandate that the consumer gave.
        raise Forbidden("A wallet payment is confirmed with a secret key.", code="secret_key_required")
    writes.send()
    taken = wallet_road.take(
        intent=intent, saved=saved, details=details, mode=mode(call), now=call.now, origin=origin(call)
    )
    return _outcome(call, taken, writes)


def _second(call: Call) -> Callable[[Question, Heard, Writes], Answer]:
    def second(question: Question, heard: Heard, writes: Writes) -> Answer:
        intent = provider_road.conclude(
            question, heard, mode=mode(call), now=call.now, origin=origin(call), into=writes
        )
        return _outcome(call, intent, writes)

    return second


def _named(params: Any) -> UUID | None:
    return paging.identifier("pm", params.payment_method, param="payment_method") if params.payment_method else None


def _terms(params: CreateIntent, *, method_id: UUID | None) -> intents.Terms:
    check_step(params.amount, params.currency, param="amount")
    details = params.details()
    details.setdefault("capture_method", params.capture_method)
    if "payment_method_types" in details and params.automatic_payment_methods is not None:
        raise InvalidParameter(
            "You may only specify one of these parameters: payment_method_types, automatic_payment_methods.",
            code="parameters_exclusive",
        )
    if params.capture_method == "manual" and params.payment_method_types == ["wallet"]:
        raise InvalidParameter(
            "A wallet payment cannot be captured later: use 'automatic' or 'automatic_async'.",
            code="capture_method_unsupported",
            param="capture_method",
        )
    return intents.Terms(
        amount_minor=params.amount,
        currency=params.currency,
        customer_id=paging.identifier("cus", params.customer, param="customer") if params.customer else None,
        payment_method_id=method_id,
        order_reference=params.payment_details.order_reference if params.payment_details else None,
        metadata=merge({}, params.metadata),
        details=details,
    )


def _outcome(call: Call, intent: PaymentIntent, writes: Writes) -> Answer:
    """The outcome as the answer, expanded where it is the intent itself."""
    shown = expanded(call, _shown(call, intent), writes) if call.params.expand else None
    return answers.of_intent(intent, livemode=call.caller.livemode, body=shown)


def _shown(call: Call, intent: PaymentIntent) -> dict[str, Any]:
    return objects.payment_intent(intent, livemode=call.caller.livemode)


urlpatterns = [
    door("payment_intents", GET=list_, POST=create),
    door("payment_intents/search", GET=search_),
    door("payment_intents/<id>", GET=retrieve, POST=update),
    door("payment_intents/<id>/confirm", POST=confirm),
    door("payment_intents/<id>/capture", POST=capture),
    door("payment_intents/<id>/cancel", POST=cancel),
]
