"""Pay a part of an order from value in the ledger: choose, reserve, then complete or release.

The order is locked by the caller of everything here: session, intent, order, balance is
the order in which everybody locks. A reserve has no expiry: it stands until the outcome
of the payment beside it is known, however long that takes (docs/adr/0019).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Conflict, Invalid, missing
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.states import advance
from merchant_platform.kernel.writes import Writes, writing
from payments.orders import operations as orders
from payments.orders.models import Order
from payments.orders.states import OPEN
from payments.origin import Origin
from payments.tenders import port, states
from payments.tenders.models import Tender, TenderRefund
from payments.tenders.port import Due, Offered, Part, Payer, TenderGone

HELD = frozenset({states.CHOSEN, states.RESERVED})


class TooMuch(Invalid):
    """More than the order owes, or than there is, or no whole step of it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An order's tenders, in the order in which they are taken, and what they leave to pay."""

    order: Order
    tenders: Sequence[Tender]

    @property
    def rest_minor(self) -> int:
        return self.order.total_minor - sum(tender.amount_minor for tender in self.tenders)


def standing(order: Order) -> Standing:
    """An order with its tenders. Reads only; asks nothing of an order without one."""
    return Standing(order, of(order) if order.tendered_minor else [])


def of(order: Order) -> list[Tender]:
    """The tenders of an order that were not dropped, in the order in which they are taken."""
    known = {name: position for position, name in enumerate(port.names())}
    found = Tender.objects.filter(order_id=order.pk).exclude(status=states.DROPPED)
    return sorted(found, key=lambda tender: (known.get(tender.method, len(known)), tender.source_id))


def choose(*, order: Order, offered: Offered, amount_minor: int, payer: Payer, now: datetime) -> Tender:
    """Pay a part of a locked open order with something. This will write the tender, or change its amount.

    Nothing is reserved yet. Raises TooMuch and Conflict for an order that is not open.
    """
    if order.status != OPEN or order.paid_minor:
        raise Conflict("This order is paid for, or given up.")
    stood = standing(order)
    present = next(
        (each for each in stood.tenders if (each.method, each.source_id) == (offered.tender, offered.source_id)), None
    )
    if any(each.status != states.CHOSEN for each in stood.tenders):
        raise Conflict("This order is being paid for just now.")
    before = present.amount_minor if present else 0
    if not 0 < amount_minor <= min(offered.available_minor, stood.rest_minor + before):
        raise TooMuch("That is more than is there, or more than is left to pay.", param="amount")
    if amount_minor % offered.step_minor:
        raise TooMuch(f"Amounts of it are multiples of {offered.step_minor}.", param="amount")
    units = offered.units_for(amount_minor)
    if present is not None:
        present.amount_minor, present.units, present.label = amount_minor, units, offered.label
        present.customer_id, present.consumer_id = payer.customer_id, payer.consumer_id
        present.save(update_fields=["amount_minor", "units", "label", "customer", "consumer"])
    else:
        present = Tender.objects.create(
            id=ids.new(now),
            book_id=order.book_id,
            order=order,
            method=offered.tender,
            source_id=offered.source_id,
            label=offered.label,
            customer_id=payer.customer_id,
            consumer_id=payer.consumer_id,
            amount_minor=amount_minor,
            currency=order.currency,
            units=units,
            created_at=now,
        )
    _set_sum(order, order.tendered_minor - before + amount_minor)
    return present


def drop(*, order: Order, tender_id: UUID) -> None:
    """Do without a tender of a locked order. This will take it off. Raises NotFound, and Conflict where it is used."""
    tender = Tender.objects.filter(order_id=order.pk, pk=tender_id).exclude(status=states.DROPPED).first()
    if tender is None:
        raise missing("tender", ids.show("tnd", tender_id))
    _drop(order, tender)


def drop_all(order: Order) -> None:
    """Give up what was chosen for a locked order that is not paid any more. What is reserved stays."""
    for tender in standing(order).tenders:
        if tender.status == states.CHOSEN:
            _drop(order, tender)


def fit(*, order: Order, mode: str, now: datetime) -> Standing:
    """Bring the chosen tenders of a locked order to its total and to what is there now. This will shrink or drop them.

    The last taken gives way first. What is reserved is left as it is.
    """
    stood = standing(order)
    if any(tender.status != states.CHOSEN for tender in stood.tenders):
        return stood
    left = order.total_minor
    for tender in stood.tenders:
        offered = port.find(tender.method).look_up(_due(order, tender, mode=mode, now=now), tender.source_id)
        most = min(tender.amount_minor, left, offered.available_minor) if offered else 0
        amount = most // offered.step_minor * offered.step_minor if offered else 0
        if offered is None or amount <= 0:
            _drop(order, tender)
            continue
        if amount != tender.amount_minor:
            _set_sum(order, order.tendered_minor - tender.amount_minor + amount)
            tender.amount_minor, tender.units = amount, offered.units_for(amount)
            tender.save(update_fields=["amount_minor", "units"])
        left -= amount
    return standing(order)


def reserve(*, order: Order, now: datetime, origin: Origin) -> int:
    """Hold what was chosen for a locked order. This will reserve each in turn and return what is left to pay.

    Raises TenderGone where one is not there any more: then nothing is held.
    """
    stood = standing(order)
    if stood.rest_minor < 0:
        raise TenderGone("The price changed meanwhile. Nothing was charged.")
    with transaction.atomic():  # all or none, and the caller may go on
        for tender in stood.tenders:
            tender.tries_count += 1
            hold_id = port.find(tender.method).reserve(_part(tender, mode=_mode(origin)), now=now)
            advance(tender, to=states.RESERVED, moves=states.MOVES, hold_id=hold_id, tries_count=tender.tries_count)
    return stood.rest_minor


def release(*, order: Order, now: datetime, origin: Origin) -> None:
    """The payment beside them failed. This will give back what tenders of a locked order hold; they stay chosen."""
    for tender in standing(order).tenders:
        if tender.status == states.RESERVED:
            port.find(tender.method).void(_part(tender, mode=_mode(origin)), now=now)
            advance(tender, to=states.CHOSEN, moves=states.MOVES, hold_id=None)


def secure(*, order: Order, amount_minor: int, now: datetime, origin: Origin) -> None:
    """A payment of an amount begins, or turns out to have succeeded. This will hold what pays the rest of the order.

    What is held already stays held. Raises TenderGone where the two are not the whole of
    a locked order, or a tender is not there any more.
    """
    stood = standing(order)
    if stood.rest_minor != amount_minor:
        raise TenderGone("What pays the rest of this order has changed. Nothing was charged.")
    if any(tender.status == states.CHOSEN for tender in stood.tenders):
        reserve(order=order, now=now, origin=origin)


def complete(*, order: Order, now: datetime, origin: Origin, into: Writes | None = None) -> None:
    """The rest of a locked order is paid. This will take what its tenders hold, and count it as paid.

    Of a payment that is captured in parts, the first takes them and the others find nothing held.
    """
    mode, sum_minor = _mode(origin), 0
    held = [tender for tender in standing(order).tenders if tender.status == states.RESERVED]
    if not held:
        return
    for tender in held:
        taken = port.find(tender.method).complete(_part(tender, mode=mode), now=now, origin=origin)
        advance(
            tender,
            to=states.COMPLETED,
            moves=states.MOVES,
            entry_id=taken.entry_id,
            intent_id=taken.intent_id,
            completed_at=now,
        )
        sum_minor += tender.amount_minor
    with writing(into) as writes:
        orders.record_paid(order, amount_minor=sum_minor, into=writes)
        _tell_inside("order.tendered", order.pk, now=now, origin=origin, into=writes)


def refund(
    *,
    tender: Tender,
    refund_id: UUID,
    amount_minor: int,
    reason: str | None,
    now: datetime,
    origin: Origin,
    into: Writes,
) -> TenderRefund:
    """Give a part of a locked tender back. This will post it where it came from and count it on the tender.

    One that became a payment of its own is refunded as any payment.
    """
    assert tender.intent_id is None, "a payment is refunded by its charge"
    if not 0 < amount_minor <= tender.left_minor:
        raise TooMuch(f"{tender.left_minor} of it is left to refund.", param="amount")
    back = port.find(tender.method).refund(
        _part(tender, mode=_mode(origin)), refund_id=refund_id, amount_minor=amount_minor, now=now, origin=origin
    )
    given = TenderRefund(
        id=refund_id,
        book_id=tender.book_id,
        tender=tender,
        amount_minor=amount_minor,
        units=back.units,
        reason=reason,
        entry_id=back.entry_id,
        created_at=now,
    )
    into.insert(given)
    into.update(
        tender,
        where={"refunded_minor": tender.refunded_minor},
        refunded_minor=tender.refunded_minor + amount_minor,
        refunded_units=tender.refunded_units + (back.units or 0),
    )
    _tell_inside("order.tender_refunded", tender.order_id, now=now, origin=origin, into=into)
    return given


def _tell_inside(name: str, order_id: UUID, *, now: datetime, origin: Origin, into: Writes) -> None:
    """Tell rooms above what tenders did to an order: there may be no payment beside them that tells it."""
    told = {"object": name, "order": ids.show("ord", order_id)}
    publish(row(name, told, now=now, is_public=False, **origin.tags), into=into)


def offered(due: Due) -> list[Offered]:
    """What the payer of an order could use, by all tenders. Reads only."""
    return [each for name in port.names() for each in port.find(name).offered(due)]


def _drop(order: Order, tender: Tender) -> None:
    advance(tender, to=states.DROPPED, moves=states.MOVES)
    _set_sum(order, order.tendered_minor - tender.amount_minor)


def _set_sum(order: Order, tendered_minor: int) -> None:
    order.tendered_minor = tendered_minor
    order.save(update_fields=["tendered_minor"])


def _due(order: Order, tender: Tender, *, mode: str, now: datetime) -> Due:
    payer = Payer(tender.customer_id, tender.consumer_id)
    return Due(order.pk, order.total_minor, order.currency, payer, mode, now)


def _part(tender: Tender, *, mode: str) -> Part:
    return Part(
        tender_id=tender.pk,
        order_id=tender.order_id,
        source_id=tender.source_id,
        amount_minor=tender.amount_minor,
        currency=tender.currency,
        units=tender.units,
        reference=f"tender:{ids.show('tnd', tender.pk)}:{tender.tries_count}",
        payer=Payer(tender.customer_id, tender.consumer_id),
        mode=mode,
        hold_id=tender.hold_id,
        refunded_minor=tender.refunded_minor,
        refunded_units=tender.refunded_units,
    )


def _mode(origin: Origin) -> str:
    return "live" if origin.livemode else "test"
