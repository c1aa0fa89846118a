"""/v1/refunds"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from merchant_platform.kernel import idempotency, ids
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Answer, Call, door, endpoint
from merchant_platform.kernel.api.params import (
    Amount,
    Id,
    Integer,
    InvalidParameter,
    Listed,
    ListParams,
    Metadata,
    Nested,
    Params,
)
from merchant_platform.kernel.errors import missing
from merchant_platform.kernel.idempotency import Asked
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.writes import Writes
from payments.api.addresses import mode, not_here, origin, path_id
from payments.api.confirming import expanded
from payments.intents import answers, objects, refund_road, refunds
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine
from payments.intents.refund_road import RefundQuestion
from payments.providers.port import RefundReport

LINES_MAX = 100


def _quantity(value: int) -> int:
    if value < 1:
        raise PydanticCustomError("parameter_invalid_integer", "This value must be greater than or equal to 1.")
    return value


class RefundedLine(Nested):
    """An order line: all that is left of it, a quantity, or an amount."""

    amount: Amount | None = None
    line: Id
    quantity: Annotated[Integer, AfterValidator(_quantity)] | None = None


class CreateRefund(Params):
    amount: Amount | None = None
    charge: Id | None = None
    lines: Listed[RefundedLine] = []
    metadata: Metadata = {}
    payment_intent: Id | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None


class UpdateRefund(Params):
    metadata: Metadata = {}


class ListRefunds(ListParams):
    charge: Id | None = None
    payment_intent: Id | None = None


@endpoint(permission="refunds:write", params=CreateRefund, returns="refund", answers_itself=True)
def create(call: Call) -> Answer:
    """Refund a charge, in whole, in part or by lines"""
    params = call.params
    if bool(params.charge) == bool(params.payment_intent):
        raise InvalidParameter(
            "You must provide exactly one of these parameters: charge, payment_intent.", code="parameters_exclusive"
        )

    def first(writes: Writes) -> Answer | Asked[RefundQuestion]:
        given, lines = refunds.refund(
            attempt_id=_attempt(params),
            amount_minor=params.amount,
            lines=named_lines(params.lines),
            reason=params.reason,
            metadata=merge({}, params.metadata),
            mode=mode(call),
            now=call.now,
            origin=origin(call),
            into=writes,
        )
        question = refund_road.question_of(given)
        return Asked(ids.show("re", given.pk), question) if question else _answer(call, given, lines, writes)

    def second(question: RefundQuestion, report: RefundReport | None, writes: Writes) -> Answer:
        given, lines = refund_road.record(
            refund_id=question.refund_id, report=report, now=call.now, origin=origin(call), into=writes
        )
        return _answer(call, given, lines, writes)

    return idempotency.run_around(
        call.book_id,
        call.idempotency,
        first=first,
        ask=lambda question: refund_road.ask(question, now=call.now),
        second=second,
    )


@endpoint(permission="refunds:read", returns="refund")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a refund"""
    row = Refund.objects.filter(pk=path_id(call, "re")).first()
    if row is None:
        raise not_here(call, "re")
    return render([row])[0]


@endpoint(permission="refunds:write", params=UpdateRefund, returns="refund")
def update(call: Call) -> dict[str, Any]:
    """Update a refund's metadata"""
    row, lines = refunds.update(
        refund_id=path_id(call, "re"),
        metadata=call.params.metadata if "metadata" in call.params.model_fields_set else None,
        now=call.now,
        origin=origin(call),
    )
    return _shown([row], {row.pk: lines})[0]


@endpoint(permission="refunds:write", returns="refund")
def cancel(call: Call) -> dict[str, Any]:
    """Cancel a refund that waits for the customer; a wallet's never does"""
    refunds.refuse_cancel(refund_id=path_id(call, "re"))
    raise AssertionError("refuse_cancel always raises")


@endpoint(permission="refunds:read", params=ListRefunds, returns="refund", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all refunds"""
    rows = Refund.objects.all()
    if call.params.charge:
        rows = rows.filter(attempt_id=paging.identifier("ch", call.params.charge, param="charge"))
    if call.params.payment_intent:
        rows = rows.filter(intent_id=paging.identifier("pi", call.params.payment_intent, param="payment_intent"))
    return paging.page(rows, call.params, prefix="re", url=call.url, render=render)


def _answer(call: Call, given: Refund, lines: list[RefundLine], writes: Writes) -> Answer:
    paid_with = ids.show("pm", given.attempt.payment_method_id)
    shown = objects.refund(given, lines, payment_method_id=paid_with)
    return answers.of_refund(given, lines, body=expanded(call, shown, writes))


def named_lines(lines: Sequence[RefundedLine]) -> list[refunds.LineRefund]:
    """The lines that a request names, for the room."""
    if len(lines) > LINES_MAX:
        raise InvalidParameter(f"A refund names at most {LINES_MAX} lines.", param="lines")
    return [
        refunds.LineRefund(
            line_id=paging.identifier("li", line.line, param=f"lines[{position}][line]"),
            quantity=line.quantity,
            amount_minor=line.amount,
        )
        for position, line in enumerate(lines)
    ]


def render(rows: Sequence[Refund]) -> list[dict[str, Any]]:
    """Refunds with their lines: three statements for a page."""
    by_refund: dict[UUID, list[RefundLine]] = {}
    for line in RefundLine.objects.filter(refund_id__in=[row.pk for row in rows]).order_by("pk"):
        by_refund.setdefault(cast("UUID", line.refund_id), []).append(line)
    return _shown(rows, by_refund)


def _shown(rows: Sequence[Refund], lines: dict[UUID, list[RefundLine]]) -> list[dict[str, Any]]:
    paid_with = dict(
        Attempt.objects.filter(pk__in=[row.attempt_id for row in rows]).values_list("pk", "payment_method_id")
    )
    return [
        objects.refund(row, lines.get(row.pk, []), payment_method_id=ids.show("pm", paid_with[row.attempt_id]))
        for row in rows
    ]


def _attempt(params: CreateRefund) -> UUID:
    """The charge that is meant. Raises InvalidParameter for an unknown one, or an intent that took no money."""
    if params.charge:
        attempt_id = paging.identifier("ch", params.charge, param="charge")
        if not Attempt.objects.filter(pk=attempt_id).exists():
            raise missing("charge", params.charge, param="charge")
        return attempt_id
    intent_id = paging.identifier("pi", params.payment_intent or "", param="payment_intent")
    intent = PaymentIntent.objects.filter(pk=intent_id).first()
    if intent is None:
        raise missing("payment_intent", params.payment_intent or "", param="payment_intent")
    if intent.latest_attempt_id is None or not intent.received_minor:
        raise refunds.NotRefundable(
            f"This PaymentIntent ({params.payment_intent}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return intent.latest_attempt_id


urlpatterns = [
    door("refunds", GET=list_, POST=create),
    door("refunds/<id>", GET=retrieve, POST=update),
    door("refunds/<id>/cancel", POST=cancel),
]
