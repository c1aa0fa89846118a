"""Refund an order that several tenders paid: the last one first, each up to what it paid.

The card or wallet that paid the rest comes first, then the tenders in reverse of the order
in which they were taken. Each part names its share of the order's lines, so that lines,
tenders and charges agree to the unit however often a part of it goes back
(docs/algorithms/tenders.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from merchant_platform.kernel import ids
from merchant_platform.kernel.writes import Writes, writing
from payments.intents import refunds, states
from payments.intents.models import Attempt, Refund
from payments.intents.refunds import LineRefund, Share
from payments.orders import operations as orders
from payments.orders.models import Order
from payments.origin import Origin
from payments.tenders import operations as tenders
from payments.tenders.models import Tender, TenderRefund


@dataclass(frozen=True, slots=True)
class Source:
    """Something that paid a part of an order, and what is left of that to give back: a charge, or a tender."""

    left_minor: int
    attempt: Attempt | None = None
    tender: Tender | None = None


@dataclass(slots=True)
class OrderRefund:
    """What one refund of an order gave back, by what had paid it, the last tender first."""

    order: Order
    refunds: list[Refund] = field(default_factory=list)
    tender_refunds: list[TenderRefund] = field(default_factory=list)

    @property
    def amount_minor(self) -> int:
        return sum(each.amount_minor for each in self.refunds) + sum(each.amount_minor for each in self.tender_refunds)


def refund(
    *,
    order_id: UUID,
    mode: str,
    now: datetime,
    origin: Origin,
    amount_minor: int | None = None,
    lines: Sequence[LineRefund] = (),
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
    into: Writes | None = None,
) -> OrderRefund:
    """Give an order back, in whole or in part. This will refund its charges and tenders, the last one first.

    A card's refund is `pending` until its provider has done it, as any (refund_road.py).
    Raises NotFound, AlreadyRefunded, NotRefundable, RefundTooLarge and LinesMismatch.
    """
    sources = _locked_sources(order_id)
    order = orders.lock(order_id)
    left = sum(source.left_minor for source in sources)
    if not order.paid_minor:
        raise refunds.NotRefundable(f"Order {ids.show('ord', order.pk)} was not paid, so it cannot be refunded.")
    if not left:
        raise refunds.AlreadyRefunded(f"Order {ids.show('ord', order.pk)} has already been refunded.")
    shares = refunds.shares_of(order, amount_minor, lines, left=left, of="order")
    given = OrderRefund(order)
    with writing(into) as writes:
        for source, part in allot(shares, sources):
            if source.attempt is not None:
                source.attempt.intent.order = order  # one row, however many count on it
                refunded, _ = refunds.give_back(
                    attempt=source.attempt,
                    shares=part,
                    reason=reason,
                    metadata=metadata,
                    mode=mode,
                    now=now,
                    origin=origin,
                    into=writes,
                )
                given.refunds.append(refunded)
            elif source.tender is not None:
                given.tender_refunds.append(
                    _give_back(order, source.tender, part, reason=reason, now=now, origin=origin, into=writes)
                )
    return given


def sources_of(order: Order) -> list[Source]:
    """What paid an order, the last one first, with what is left of each to give back. Reads only."""
    charges = {
        attempt.intent_id: attempt
        for attempt in Attempt.objects.select_related("intent__order", "payment_method")
        .filter(intent__order_id=order.pk, status=states.CAPTURED, is_late=False)
        .order_by("pk")
    }
    taken = tenders.standing(order).tenders
    own = {tender.intent_id: tender for tender in taken if tender.intent_id}
    rest = [attempt for intent_id, attempt in charges.items() if intent_id not in own]
    found = [Source(_left(attempt), attempt=attempt) for attempt in reversed(rest)]
    for tender in reversed(taken):
        if tender.intent_id:
            attempt = charges[tender.intent_id]
            found.append(Source(_left(attempt), attempt=attempt, tender=tender))
        else:
            found.append(Source(tender.left_minor, tender=tender))
    return found


def allot(shares: Sequence[Share], sources: Sequence[Source]) -> list[tuple[Source, list[Share]]]:
    """Shares of lines to sources, both in their order, each source up to what it has left. Pure.

    A line that two sources give back counts its quantity with the first.
    """
    parts: list[tuple[Source, list[Share]]] = []
    waiting = [(line, quantity, amount) for line, quantity, amount in shares]
    for source in sources:
        left, part = source.left_minor, []
        while left and waiting:
            line, quantity, amount = waiting.pop(0)
            take = min(left, amount)
            part.append((line, quantity, take))
            left -= take
            if take < amount:
                waiting.insert(0, (line, 0, amount - take))
        if part:
            parts.append((source, part))
    assert not waiting, "no more was asked for than is left"
    return parts


def _give_back(
    order: Order,
    tender: Tender,
    shares: Sequence[Share],
    *,
    reason: str | None,
    now: datetime,
    origin: Origin,
    into: Writes,
) -> TenderRefund:
    amount_minor, refund_id = sum(amount for _, _, amount in shares), ids.new(now)
    given = tenders.refund(
        tender=tender,
        refund_id=refund_id,
        amount_minor=amount_minor,
        reason=reason,
        now=now,
        origin=origin,
        into=into,
    )
    refunds.write_lines(shares, tender_refund_id=refund_id, now=now, into=into)
    orders.record_refunded(order, amount_minor=amount_minor, into=into)
    return given


def _locked_sources(order_id: UUID) -> list[Source]:
    """Charges first, then the order, then what hangs on it: as everybody locks them."""
    charges = Attempt.objects.select_for_update(of=("self",)).filter(
        intent__order_id=order_id, status=states.CAPTURED, is_late=False
    )
    list(charges.order_by("pk").values_list("pk"))
    order = orders.lock(order_id)
    list(Tender.objects.select_for_update().filter(order_id=order.pk).order_by("pk").values_list("pk"))
    return sources_of(order)


def _left(attempt: Attempt) -> int:
    return attempt.captured_minor - attempt.refunded_minor
