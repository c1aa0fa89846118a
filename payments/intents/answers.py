"""What a request is answered once its outcome is known: by the door, or by the sweep for a process that died."""

from collections.abc import Mapping, Sequence
from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.idempotency import Answer
from merchant_platform.kernel.wire import dump
from payments.intents import objects, states
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine, SetupIntent
from payments.intents.order_refunds import OrderRefund
from payments.tenders import objects as tenders


def of_intent(intent: PaymentIntent, *, livemode: bool, body: str | None = None) -> Answer:
    """The intent; a declined one is 402 with the intent inside. `body` is the rendered intent where there is one."""
    shown = objects.payment_intent(intent, livemode=livemode)
    if intent.status == states.REQUIRES_PAYMENT_METHOD and intent.last_error:
        return _declined(intent.last_error, payment_intent=shown)
    return Answer(status=200, body=body or dump(shown), moved_money=True)


def of_setup(setup: SetupIntent, *, livemode: bool, body: str | None = None) -> Answer:
    """The setup intent; a declined one is 402 with the setup intent inside."""
    shown = objects.setup_intent(setup, livemode=livemode)
    if setup.status == states.REQUIRES_PAYMENT_METHOD and setup.last_error:
        return _declined(setup.last_error, setup_intent=shown)
    return Answer(status=200, body=body or dump(shown))


def of_refund(given: Refund, lines: Sequence[RefundLine], *, body: str | None = None) -> Answer:
    """The refund, whatever became of it: a failed one is an outcome."""
    if body is None:
        method_id = Attempt.objects.values_list("payment_method_id", flat=True).get(pk=given.attempt_id)
        body = dump(objects.refund(given, lines, payment_method_id=ids.show("pm", method_id)))
    return Answer(status=200, body=body, moved_money=True)


def of_order_refund(given: OrderRefund, *, livemode: bool) -> Answer:
    """What a refund of an order gave back, by what had paid it."""
    order_id = ids.show("ord", given.order.pk)
    methods = dict(
        Attempt.objects.filter(pk__in=[each.attempt_id for each in given.refunds]).values_list(
            "pk", "payment_method_id"
        )
    )
    lines: dict[Any, list[RefundLine]] = {}
    for line in RefundLine.objects.filter(refund_id__in=[each.pk for each in given.refunds]).order_by("pk"):
        lines.setdefault(line.refund_id, []).append(line)
    shown = {
        "object": "order_refund",
        "amount": given.amount_minor,
        "currency": given.order.currency.lower(),
        "livemode": livemode,
        "order": order_id,
        "refunds": [
            objects.refund(each, lines.get(each.pk, []), payment_method_id=ids.show("pm", methods[each.attempt_id]))
            for each in given.refunds
        ],
        "tender_refunds": [
            tenders.tender_refund(each, currency=given.order.currency, livemode=livemode)
            for each in given.tender_refunds
        ],
    }
    return Answer(status=200, body=dump(shown), moved_money=True)


def _declined(error: Mapping[str, Any], **inside: Any) -> Answer:
    return Answer(status=402, body=dump({"error": {**error, **inside}}))
