"""What staff do to a payment, each once a form: refund, capture, cancel.

The form's token is an idempotency key, so that a form sent twice does its deed once. The
provider is asked between two transactions, on the same roads as the API takes; the audit
record commits with the first.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from merchant_platform.kernel import idempotency, ids, tenancy
from merchant_platform.kernel.idempotency import Answer, Asked, IdempotencyKey, Request
from merchant_platform.kernel.wire import load
from merchant_platform.kernel.writes import Writes
from payments.hand import Hand
from payments.intents import answers, provider_road, refund_limit, refund_road, refunds
from payments.intents.models import PaymentIntent
from payments.intents.provider_road import Heard, Question
from payments.intents.refund_road import RefundQuestion
from payments.intents.refunds import LineRefund
from payments.providers.port import RefundReport


def refund(
    *,
    attempt_id: UUID,
    amount_minor: int | None,
    lines: Sequence[LineRefund],
    reason: str | None,
    token: UUID,
    hand: Hand,
    is_allowed: bool = False,
) -> UUID:
    """Give money back. This will do what refunds.refund does, ask the provider, and return the refund's id.

    Call it outside a transaction. Raises what refunds.refund raises, NeedsSecondPerson above what
    one may refund alone unless another `is_allowed` it, idempotency.KeyReused for a token that came
    with another refund, KeyInUse and LockTimeout.
    """

    def first(writes: Writes) -> Answer | Asked[RefundQuestion]:
        given, rows = refunds.refund(
            attempt_id=attempt_id,
            amount_minor=amount_minor,
            lines=lines,
            reason=reason,
            mode=hand.mode,
            now=hand.now,
            origin=hand.origin,
            into=writes,
        )
        if not is_allowed:
            refunded = given.attempt.refunded_minor  # this one too, under the charge's lock
            refund_limit.check(merchant=hand.book.merchant, currency=given.currency, refunded_minor=refunded)
        identifier = ids.show("re", given.pk)
        hand.sign(
            "payment.refund",
            ids.show("pi", given.intent_id),
            refund=identifier,
            amount_minor=given.amount_minor,
            currency=given.currency,
        )
        question = refund_road.question_of(given)
        return Asked(identifier, question) if question else answers.of_refund(given, rows)

    def second(question: RefundQuestion, report: RefundReport | None, writes: Writes) -> Answer:
        given, rows = refund_road.record(
            refund_id=question.refund_id, report=report, now=hand.now, origin=hand.origin, into=writes
        )
        return answers.of_refund(given, rows)

    asked: dict[str, Any] = {
        "charge": str(attempt_id),
        "amount": amount_minor,
        "reason": reason,
        "lines": [[str(line.line_id), line.quantity, line.amount_minor] for line in lines],
    }
    answer = idempotency.run_around(
        hand.book.pk,
        _once(token, "refund", asked),
        first=first,
        ask=lambda question: refund_road.ask(question, now=hand.now),
        second=second,
    )
    return ids.parse("re", load(answer.body)["id"])


def refund_of(token: UUID) -> UUID | None:
    """The refund that a form of the open book made when it was sent before; None where it was not, or is under way."""
    stored = IdempotencyKey.objects.filter(book_id=tenancy.book_id(), key=_key(token), status__isnull=False).first()
    shown = load(stored.body or "{}") if stored else {}
    return ids.parse("re", shown["id"]) if shown.get("object") == "refund" else None


def capture(*, intent_id: UUID, amount_minor: int | None, is_final: bool, token: UUID, hand: Hand) -> None:
    """Take what is held, or a part of it. This will note it, ask the provider, and write what it says.

    Call it outside a transaction. Raises what provider_road.begin_capture raises, and what `refund` does of tokens.
    """

    def first(_: Writes) -> Asked[Question]:
        question = provider_road.begin_capture(
            intent_id=intent_id, amount_minor=amount_minor, is_final=is_final, now=hand.now, origin=hand.origin
        )
        hand.sign("payment.capture", ids.show("pi", intent_id), amount_minor=question.amount_minor, is_final=is_final)
        return Asked(ids.show("pi", intent_id), question)

    asked: dict[str, Any] = {"payment_intent": str(intent_id), "amount": amount_minor, "is_final": is_final}
    _ask_around(hand, _once(token, "capture", asked), first)


def cancel(*, intent_id: UUID, reason: str | None, token: UUID, hand: Hand) -> None:
    """Give a payment up; what is held is released. This will do it, asking the provider where one holds money.

    Call it outside a transaction. Raises what provider_road.begin_cancel raises, and what `refund` does of tokens.
    """

    def first(_: Writes) -> Answer | Asked[Question]:
        begun = provider_road.begin_cancel(intent_id=intent_id, reason=reason, now=hand.now, origin=hand.origin)
        hand.sign("payment.cancel", ids.show("pi", intent_id), reason=reason or "")
        if isinstance(begun, PaymentIntent):
            return answers.of_intent(begun, livemode=hand.book.livemode)
        return Asked(ids.show("pi", intent_id), begun)

    _ask_around(hand, _once(token, "cancel", {"payment_intent": str(intent_id), "reason": reason}), first)


def _ask_around(hand: Hand, request: Request, first: Callable[[Writes], Answer | Asked[Question]]) -> None:
    def second(question: Question, heard: Heard, writes: Writes) -> Answer:
        intent = provider_road.conclude(question, heard, mode=hand.mode, now=hand.now, origin=hand.origin, into=writes)
        return answers.of_intent(intent, livemode=hand.book.livemode)

    idempotency.run_around(
        hand.book.pk,
        request,
        first=first,
        ask=lambda question: provider_road.ask(question, now=hand.now),
        second=second,
    )


def _once(token: UUID, deed: str, asked: dict[str, Any]) -> Request:
    """The key of a form: prefixed, so that no integrator's own key is in its way."""
    return Request(
        key=_key(token), fingerprint=idempotency.fingerprint("POST", f"dashboard/{deed}", asked), request_id=""
    )


def _key(token: UUID) -> str:
    return f"dashboard:{token}"
