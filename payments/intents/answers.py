"""What a request is answered once its outcome is known: by the door, or by the sweep for a process that died."""

from collections.abc import Mapping, Sequence
from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.idempotency import Answer
from merchant_platform.kernel.wire import dump
from payments.intents import objects, states
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine, SetupIntent


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


def _declined(error: Mapping[str, Any], **inside: Any) -> Answer:
    return Answer(status=402, body=dump({"error": {**error, **inside}}))
