"""Refund an order once a request: its parts are written together, and the card's provider is asked after that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from merchant_platform.kernel import idempotency, ids, tenancy
from merchant_platform.kernel.idempotency import Answer, Asked, IdempotencyKey, Request
from merchant_platform.kernel.wire import load
from merchant_platform.kernel.writes import Writes
from payments.hand import Hand
from payments.intents import answers, order_refunds, refund_limit, refund_road
from payments.intents.order_refunds import OrderRefund
from payments.intents.refund_road import RefundQuestion
from payments.intents.refunds import LineRefund
from payments.origin import Origin
from payments.providers.port import RefundReport


@dataclass(frozen=True, slots=True)
class _Going:
    """An order's refund, and what a provider is still to be asked for it."""

    given: OrderRefund
    questions: Sequence[RefundQuestion]


def refund_once(
    *,
    book_id: UUID,
    request: Request | None,
    order_id: UUID,
    amount_minor: int | None,
    lines: Sequence[LineRefund],
    reason: str | None,
    mode: str,
    now: datetime,
    origin: Origin,
    metadata: dict[str, str] | None = None,
    hand: Hand | None = None,
    is_allowed: bool = False,
) -> Answer:
    """Give an order back, in whole or in part. This will do what order_refunds.refund does, and ask the provider.

    Call it outside a transaction. `hand` signs it in the audit log, and needs a second person above
    what one may refund alone, unless that one `is_allowed` it. Raises what order_refunds.refund
    raises, what idempotency.run_around does, and NeedsSecondPerson.
    """

    def first(writes: Writes) -> Answer | Asked[_Going]:
        given = order_refunds.refund(
            order_id=order_id,
            amount_minor=amount_minor,
            lines=lines,
            reason=reason,
            metadata=metadata,
            mode=mode,
            now=now,
            origin=origin,
            into=writes,
        )
        writes.send()
        if hand is not None:
            if not is_allowed:
                refund_limit.check(
                    merchant=hand.book.merchant,
                    currency=given.order.currency,
                    refunded_minor=given.order.refunded_minor,
                )
            shown = ids.show("ord", order_id)
            hand.sign("order.refund", shown, amount_minor=given.amount_minor, currency=given.order.currency)
        questions = [question for each in given.refunds if (question := refund_road.question_of(each))]
        if not questions:
            return answers.of_order_refund(given, livemode=origin.livemode)
        # Should this process die, the sweep answers with the refund that it finishes.
        return Asked(ids.show("re", questions[0].refund_id), _Going(given, questions))

    def ask(going: _Going) -> list[RefundReport | None]:
        return [refund_road.ask(question, now=now) for question in going.questions]

    def second(going: _Going, reports: list[RefundReport | None], writes: Writes) -> Answer:
        heard: dict[UUID, Any] = {}
        for question, report in zip(going.questions, reports, strict=True):
            heard[question.refund_id], _ = refund_road.record(
                refund_id=question.refund_id, report=report, now=now, origin=origin, into=writes
            )
        going.given.refunds = [heard.get(each.pk, each) for each in going.given.refunds]
        return answers.of_order_refund(going.given, livemode=origin.livemode)

    return idempotency.run_around(book_id, request, first=first, ask=ask, second=second)


def refund(
    *,
    order_id: UUID,
    amount_minor: int | None,
    lines: Sequence[LineRefund],
    reason: str | None,
    token: UUID,
    hand: Hand,
    is_allowed: bool = False,
) -> None:
    """What staff do: `refund_once` by the token of their form, signed in the audit log."""
    asked: dict[str, Any] = {
        "order": str(order_id),
        "amount": amount_minor,
        "reason": reason,
        "lines": [[str(line.line_id), line.quantity, line.amount_minor] for line in lines],
    }
    fingerprint = idempotency.fingerprint("POST", "dashboard/order_refund", asked)
    refund_once(
        book_id=hand.book.pk,
        request=Request(key=_key(token), fingerprint=fingerprint, request_id=""),
        order_id=order_id,
        amount_minor=amount_minor,
        lines=lines,
        reason=reason,
        mode=hand.mode,
        now=hand.now,
        origin=hand.origin,
        hand=hand,
        is_allowed=is_allowed,
    )


def is_done(token: UUID) -> bool:
    """Whether a form of the open book refunded its order when it was sent before."""
    stored = IdempotencyKey.objects.filter(book_id=tenancy.book_id(), key=_key(token), status=200).first()
    return stored is not None and load(stored.body or "{}").get("object") in ("order_refund", "refund")


def preview(
    *,
    order_id: UUID,
    amount_minor: int | None,
    lines: Sequence[LineRefund],
    mode: str,
    now: datetime,
    origin: Origin,
) -> OrderRefund:
    """Work a refund out: the very operation, rolled back. This will write nothing. Raises what it raises."""
    with transaction.atomic():
        given = order_refunds.refund(
            order_id=order_id, amount_minor=amount_minor, lines=lines, mode=mode, now=now, origin=origin
        )
        transaction.set_rollback(True)
    return given


def _key(token: UUID) -> str:
    return f"dashboard:{token}"
