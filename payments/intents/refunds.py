"""Refunds: money goes back the way it came, the fee pro rata, and never more than was captured.

A refund may name order lines; one that names none is spread over what the lines have
left, by largest remainder, so that lines and charge always agree.

A wallet has its money at once. A card's refund is `pending` until its provider has done
it (refund_road.py); the merchant's balance pays when it is asked for, so that no race
gives back more than there was, and gets the money back should it fail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from merchant_platform.kernel import ids, money, tenancy
from merchant_platform.kernel.errors import Invalid, WrongState, missing
from merchant_platform.kernel.events.outbox import changed, publish, row
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.rows import unsaved
from merchant_platform.kernel.writes import Writes, writing
from payments.customers.models import PaymentMethod
from payments.intents import objects, states
from payments.intents.models import Attempt, Refund, RefundLine
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.methods import port as methods
from payments.orders import operations as orders
from payments.orders.models import Order, OrderLine
from payments.origin import Origin
from payments.pricing import fees
from payments.stored_value import operations as stored_value
from payments.wallets import queries as wallets


class RefundTooLarge(Invalid):
    """More than is left of the charge or of a line."""

    code = "charge_refund_amount_exceeded"


class AlreadyRefunded(WrongState):
    """Nothing of the charge is left to give back."""

    code = "charge_already_refunded"


class NotRefundable(WrongState):
    """The charge took no money."""

    code = "charge_not_refundable"


class NotCancelable(WrongState):
    """A refund that has happened cannot be taken back."""

    code = "refund_not_cancelable"


class LinesMismatch(Invalid):
    """The named lines and the amount do not go together."""

    code = "refund_lines_mismatch"


# Stripe's word for money that nobody wanted any more when it came.
LATE = "expired_uncaptured_charge"


@dataclass(frozen=True, slots=True)
class LineRefund:
    """An order line to give back: so many of it, or so much of it, or all that is left."""

    line_id: UUID
    quantity: int | None = None
    amount_minor: int | None = None


def refund(
    *,
    attempt_id: UUID,
    mode: str,
    now: datetime,
    origin: Origin,
    amount_minor: int | None = None,
    lines: Sequence[LineRefund] = (),
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
    into: Writes | None = None,
) -> tuple[Refund, list[RefundLine]]:
    """Give money back. This will post the entry, count it on charge, order and lines, and tell the events.

    Without an amount and lines it gives back all that is left. Raises NotFound,
    NotRefundable, AlreadyRefunded, RefundTooLarge and LinesMismatch.
    """
    attempt = (
        Attempt.objects.select_related("intent__order")
        .select_for_update(of=("self", "intent__order"))
        .filter(pk=attempt_id)
        .first()
    )
    if attempt is None:
        raise missing("charge", ids.show("ch", attempt_id))
    if attempt.status != states.CAPTURED:
        raise NotRefundable(f"Charge {ids.show('ch', attempt.pk)} was not captured, so it cannot be refunded.")
    if wallets.is_top_up(intent_id=attempt.intent_id, book_id=attempt.book_id):
        raise NotRefundable("A top-up is the consumer's money: it leaves the wallet by the consumer's own act alone.")
    left = attempt.captured_minor - attempt.refunded_minor
    if left == 0:
        raise AlreadyRefunded(f"Charge {ids.show('ch', attempt.pk)} has already been refunded.")
    shares = shares_of(attempt.intent.order, amount_minor, lines, left=left, of="charge")
    return give_back(
        attempt=attempt, shares=shares, reason=reason, metadata=metadata, mode=mode, now=now, origin=origin, into=into
    )


def shares_of(
    order: Order, amount_minor: int | None, named: Sequence[LineRefund], *, left: int, of: str
) -> "list[Share]":
    """What a refund of a locked order gives back of which line: as named, else spread over all by what they have left.

    Without either it is all that is `left` of the charge or the order (`of`). Reads only.
    Raises NotFound, RefundTooLarge and LinesMismatch.
    """
    order_lines = list(OrderLine.objects.filter(order_id=order.pk).order_by("pk"))
    shares = _named_shares(order_lines, named, currency=order.currency) if named else None
    if shares is not None:
        said = sum(amount for _, _, amount in shares)
        if amount_minor is not None and amount_minor != said:
            raise LinesMismatch(f"The named lines sum to {said}, not to {amount_minor}.", param="amount")
        amount_minor = said
    if amount_minor is None:
        amount_minor = left
    _check_step(amount_minor, order.currency, param="amount")
    if amount_minor > left:
        raise RefundTooLarge(
            f"Refund amount ({amount_minor}) is greater than unrefunded amount on {of} ({left}).", param="amount"
        )
    return _spread(order_lines, amount_minor, step=money.step(order.currency)) if shares is None else shares


def give_back(
    *,
    attempt: Attempt,
    shares: "Sequence[Share]",
    reason: str | None,
    metadata: dict[str, str] | None,
    mode: str,
    now: datetime,
    origin: Origin,
    into: Writes | None = None,
) -> tuple[Refund, list[RefundLine]]:
    """`refund` for a locked charge that has it left, and the shares of its order's lines that it gives back."""
    order, amount_minor = attempt.intent.order, sum(amount for _, _, amount in shares)
    refund_id = ids.new(now)
    if any(line.loads_card for line, _, _ in shares):
        sold = [(line, amount) for line, _, amount in shares if line.loads_card]
        stored_value.unload(shares=sold, refund_id=refund_id, now=now, origin=origin)
    entry = _draft_entry(attempt, refund_id, amount_minor, mode=mode, now=now)
    given = unsaved(
        Refund,
        id=refund_id,
        book_id=tenancy.book_id(),
        attempt_id=attempt.pk,
        intent_id=attempt.intent_id,
        status=states.REFUND_PENDING if attempt.provider else states.REFUND_SUCCEEDED,
        amount_minor=amount_minor,
        fee_returned_minor=-entry.fee_minor,
        currency=attempt.currency,
        reason=reason,
        entry_id=entry.id,
        metadata=metadata or {},
        created_at=now,
    )
    given.attempt = attempt
    before = objects.charge(attempt, livemode=origin.livemode)
    ledger.post(entry)
    with writing(into) as writes:
        writes.insert(given)
        rows = write_lines(shares, refund_id=given.pk, now=now, into=writes)
        _count(attempt, amount_minor, into=writes)
        orders.record_refunded(order, amount_minor=amount_minor, into=writes)
        shown = objects.refund(given, rows, payment_method_id=before["payment_method"])
        after = objects.charge(attempt, livemode=origin.livemode)
        publish(
            row("charge.refunded", after, previous=changed(before, after), now=now, **origin.tags),
            row("refund.created", shown, now=now, **origin.tags),
            into=writes,
        )
    return given, rows


def give_back_late(*, attempt: Attempt, mode: str, now: datetime, origin: Origin) -> Refund:
    """Give back a payment that came after its intent was closed. This will post the entry and leave it to the sweep.

    The attempt is locked by its caller. Its order never counted the money, so no line is named.
    """
    amount_minor = attempt.captured_minor - attempt.refunded_minor
    refund_id = ids.new(now)
    entry = _draft_entry(attempt, refund_id, amount_minor, mode=mode, now=now)
    ledger.post(entry)
    given = unsaved(
        Refund,
        id=refund_id,
        book_id=attempt.book_id,
        attempt_id=attempt.pk,
        intent_id=attempt.intent_id,
        status=states.REFUND_PENDING,
        amount_minor=amount_minor,
        fee_returned_minor=-entry.fee_minor,
        currency=attempt.currency,
        reason=LATE,
        entry_id=entry.id,
        created_at=now,
    )
    with writing(None) as writes:
        writes.insert(given)
        _count(attempt, amount_minor, into=writes)
        shown = objects.refund(given, [], payment_method_id=ids.show("pm", attempt.payment_method_id))
        publish(
            row("charge.refunded", objects.charge(attempt, livemode=origin.livemode), now=now, **origin.tags),
            row("refund.created", shown, now=now, **origin.tags),
            into=writes,
        )
    return given


def update(
    *, refund_id: UUID, metadata: dict[str, str | None] | None, now: datetime, origin: Origin
) -> tuple[Refund, list[RefundLine]]:
    """Change a refund's metadata. This will write it and tell `refund.updated`. Raises NotFound."""
    given = Refund.objects.select_for_update().filter(pk=refund_id).first()
    if given is None:
        raise missing("refund", ids.show("re", refund_id))
    rows = list(RefundLine.objects.filter(refund=given).order_by("pk"))
    method_id = Attempt.objects.values_list("payment_method_id", flat=True).get(pk=given.attempt_id)
    paid_with = ids.show("pm", method_id)
    before = objects.refund(given, rows, payment_method_id=paid_with)
    given.metadata = merge(given.metadata, metadata)
    given.save(update_fields=["metadata"])
    after = objects.refund(given, rows, payment_method_id=paid_with)
    publish(row("refund.updated", after, previous=changed(before, after), now=now, **origin.tags))
    return given, rows


def refuse_cancel(*, refund_id: UUID) -> None:
    """A refund that was asked for cannot be recalled. Raises NotFound, else NotCancelable, always."""
    given = Refund.objects.filter(pk=refund_id).first()
    if given is None:
        raise missing("refund", ids.show("re", refund_id))
    raise NotCancelable(f"This refund's status is {given.status}, so it cannot be canceled.")


def _draft_entry(attempt: Attempt, refund_id: UUID, amount_minor: int, *, mode: str, now: datetime) -> ledger.Draft:
    """The mirror of the capture, in part: the amount back to where it came from, the fee's share to the merchant."""
    if attempt.provider:
        target = chart.acquirer(attempt.book_id, attempt.currency, mode)
    else:
        saved = PaymentMethod.objects.get(pk=attempt.payment_method_id)
        target = (
            methods.find(attempt.method).prepare(saved, methods.Payment(amount_minor, attempt.currency, now)).source
        )
    merchant = chart.merchant(attempt.book_id, attempt.currency, mode)
    fee_returned = fees.fee_returned(
        fee_minor=attempt.fee_minor,
        captured_minor=attempt.captured_minor,
        refunded_before=attempt.refunded_minor,
        refund_minor=amount_minor,
        returned_before=_fee_returned(attempt),
    )
    lines = [ledger.Line(merchant, target, amount_minor)]
    if fee_returned:
        lines.append(ledger.Line(chart.fees(attempt.book_id, attempt.currency, mode), merchant, fee_returned))
    return ledger.Draft(
        id=ids.new(now),
        reference=f"refund:{ids.show('re', refund_id)}",
        kind="refund",
        lines=lines,
        unit=money.unit(attempt.currency),
        effective_at=now,
        amount_minor=-amount_minor,
        fee_minor=-fee_returned,
        source_id=refund_id,
    )


def _fee_returned(attempt: Attempt) -> int:
    """What the refunds that stand gave back of a charge's fee."""
    if not attempt.refunded_minor:
        return 0
    standing = Refund.objects.filter(attempt_id=attempt.pk).exclude(status__in=states.REFUND_UNDONE)
    return standing.aggregate(total=Sum("fee_returned_minor"))["total"] or 0


def _count(attempt: Attempt, amount_minor: int, *, into: Writes) -> None:
    """Count a refund on its locked charge."""
    before = attempt.refunded_minor
    into.update(attempt, where={"refunded_minor": before}, refunded_minor=before + amount_minor)


Share = tuple[OrderLine, int, int]  # line, quantity, amount


def _check_step(amount_minor: int, currency: str, *, param: str) -> None:
    step = money.step(currency)
    if amount_minor % step:
        raise Invalid(
            f"Amounts in {currency} must be a multiple of {step}.", code="parameter_invalid_integer", param=param
        )


def _named_shares(order_lines: Sequence[OrderLine], named: Sequence[LineRefund], *, currency: str) -> list[Share]:
    step = money.step(currency)
    by_id = {line.pk: line for line in order_lines}
    if len({item.line_id for item in named}) != len(named):
        raise LinesMismatch("A line is named twice.", param="lines")
    shares: list[Share] = []
    for position, item in enumerate(named):
        param = f"lines[{position}]"
        line = by_id.get(item.line_id)
        if line is None:
            raise missing("order line", ids.show("li", item.line_id), param=f"{param}[line]")
        left, quantity_left = line.amount_minor - line.refunded_minor, line.quantity - line.refunded_quantity
        quantity = item.quantity or 0
        if quantity > quantity_left:
            raise RefundTooLarge(f"Only {quantity_left} of this line are left to refund.", param=f"{param}[quantity]")
        if item.amount_minor is not None:
            amount = item.amount_minor
            _check_step(amount, currency, param=f"{param}[amount]")
        elif item.quantity is None or quantity == quantity_left:
            amount, quantity = left, quantity_left
        else:
            # The share of what is left, so that refunding the rest later gives back every unit:
            # in whole steps of the currency, since nothing smaller can be paid.
            amount = money.share_of(left // step, quantity, quantity_left) * step
        if not 0 < amount <= left:
            raise RefundTooLarge(f"{left} of this line is left to refund.", param=f"{param}[amount]")
        shares.append((line, quantity, amount))
    return shares


def _spread(order_lines: Sequence[OrderLine], amount_minor: int, *, step: int) -> list[Share]:
    left = [line.amount_minor - line.refunded_minor for line in order_lines]
    whole = amount_minor == sum(left)
    if any(rest % step for rest in left):
        step = 1  # A discount cut a line finer than the currency can be paid: only the sum has to be payable.
    parts = [part * step for part in money.split(amount_minor // step, [rest // step for rest in left])]
    return [
        (line, line.quantity - line.refunded_quantity if whole else 0, part)
        for line, part in zip(order_lines, parts, strict=True)
        if part
    ]


def write_lines(
    shares: Sequence[Share],
    *,
    now: datetime,
    into: Writes,
    refund_id: UUID | None = None,
    tender_refund_id: UUID | None = None,
) -> list[RefundLine]:
    """Note what a refund gives back of which line. This will write that, and count it on the lines."""
    rows = [
        unsaved(
            RefundLine,
            id=ids.new(now),
            book_id=line.book_id,
            refund_id=refund_id,
            tender_refund_id=tender_refund_id,
            order_line_id=line.pk,
            quantity=quantity,
            amount_minor=amount,
        )
        for line, quantity, amount in shares
    ]
    into.insert(*rows)
    for line, quantity, amount in shares:
        # Under the order's lock, which everybody takes who refunds.
        into.update(
            line,
            where={"refunded_minor": line.refunded_minor},
            refunded_minor=line.refunded_minor + amount,
            refunded_quantity=line.refunded_quantity + quantity,
        )
    return rows
