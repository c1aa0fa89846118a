"""Money given back: which part of an order, and the rows that refunds.refund would have written."""

from collections.abc import Sequence
from datetime import datetime
from random import Random
from uuid import UUID

from merchant_platform.demo.chronicle import Chronicle
from merchant_platform.kernel import ids, money
from merchant_platform.kernel.events.outbox import changed
from merchant_platform.kernel.rows import unsaved
from payments.intents import objects, states
from payments.intents.models import Attempt, Refund, RefundLine
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.orders.models import Order, OrderLine
from payments.pricing import fees

Share = tuple[OrderLine, int, int]  # line, quantity, amount

_WHOLE_SHARE, _LINE_SHARE = 0.5, 0.35
_GOODWILL_MINOR = (300, 500, 800)


def shares(lines: Sequence[OrderLine], *, rng: Random) -> list[Share]:
    """What goes back of an order that was whole: all of it, a line or a piece of one, or something for the trouble."""
    kind = rng.random()
    if kind < _WHOLE_SHARE:
        return [(line, line.quantity, line.amount_minor) for line in lines]
    if kind < _WHOLE_SHARE + _LINE_SHARE:
        line = rng.choice(lines)
        quantity = rng.randint(1, line.quantity)
        return [(line, quantity, money.share_of(line.amount_minor, quantity, line.quantity))]
    amounts = [line.amount_minor for line in lines]
    parts = money.split(min(rng.choice(_GOODWILL_MINOR), sum(amounts)), amounts)
    return [(line, 0, part) for line, part in zip(lines, parts, strict=True) if part]


def refund(
    chronicle: Chronicle,
    order: Order,
    attempt: Attempt,
    shares: Sequence[Share],
    *,
    target: chart.AccountRef,
    reason: str | None,
    now: datetime,
) -> None:
    """refunds.refund: shares of order lines go back to where they came from, the fee pro rata."""
    amount = sum(share for _, _, share in shares)
    refund_id = ids.new(now)
    entry = _entry(chronicle, attempt, refund_id, amount, target=target, now=now)
    given = unsaved(
        Refund,
        id=refund_id,
        book_id=chronicle.book_id,
        attempt_id=attempt.pk,
        intent_id=attempt.intent_id,
        status=states.REFUND_SUCCEEDED,
        amount_minor=amount,
        fee_returned_minor=-entry.fee_minor,
        currency=attempt.currency,
        reason=reason,
        entry_id=entry.id,
        created_at=now,
    )
    lines = [_line(given, *share, now=now) for share in shares]
    before = objects.charge(attempt, livemode=chronicle.livemode)
    attempt.refunded_minor += amount
    order.refunded_minor += amount
    after = objects.charge(attempt, livemode=chronicle.livemode)
    chronicle.chapter.entries.append(entry)
    chronicle.chapter.refunds.append(given)
    chronicle.chapter.refund_lines.extend(lines)
    chronicle.tell("charge.refunded", lambda: after, previous=changed(before, after), now=now)
    chronicle.tell(
        "refund.created", lambda: objects.refund(given, lines, payment_method_id=before["payment_method"]), now=now
    )


def _entry(
    chronicle: Chronicle,
    attempt: Attempt,
    refund_id: UUID,
    amount: int,
    *,
    target: chart.AccountRef,
    now: datetime,
) -> ledger.Draft:
    merchant = chart.merchant(chronicle.book_id, attempt.currency, chronicle.mode)
    fee_returned = fees.fee_returned(
        fee_minor=attempt.fee_minor,
        captured_minor=attempt.captured_minor,
        refunded_before=attempt.refunded_minor,
        refund_minor=amount,
    )
    lines = [ledger.Line(merchant, target, amount)]
    if fee_returned:
        earned = chart.fees(chronicle.book_id, attempt.currency, chronicle.mode)
        lines.append(ledger.Line(earned, merchant, fee_returned))
    return ledger.Draft(
        id=ids.new(now),
        reference=f"refund:{ids.show('re', refund_id)}",
        kind="refund",
        lines=lines,
        unit=money.unit(attempt.currency),
        effective_at=now,
        amount_minor=-amount,
        fee_minor=-fee_returned,
        source_id=refund_id,
    )


def _line(given: Refund, line: OrderLine, quantity: int, amount: int, *, now: datetime) -> RefundLine:
    line.refunded_minor += amount
    line.refunded_quantity += quantity
    return unsaved(
        RefundLine,
        id=ids.new(now),
        book_id=given.book_id,
        refund_id=given.pk,
        order_line_id=line.pk,
        quantity=quantity,
        amount_minor=amount,
    )
