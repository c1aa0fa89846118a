"""The life of a stored-value card: issue it, load it, freeze it, take back what was refunded, expire it.

Value that is bought stands on a line of an order and is on the card once that order is
paid; value that the merchant gives by its own word (paid at a till, a favour) is on it at
once. Everybody locks order, card, balance, in this order.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import F, Sum

from merchant_platform.kernel import ids, money, tenancy, tries
from merchant_platform.kernel.errors import Invalid, WrongState, missing
from merchant_platform.kernel.events.outbox import changed, publish, row
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.states import advance
from payments.ledger import chart, entries
from payments.ledger import operations as ledger
from payments.orders import states as order_states
from payments.orders.models import OrderLine
from payments.origin import Origin
from payments.stored_value import numbers, objects, queries, states
from payments.stored_value.models import StoredValueCard, StoredValueLoad
from security.merchants import queries as merchants

LOAD_MAX = 99_999_999
# Wrong PINs on one number before it opens nothing any more, and guesses of one address in a window.
WRONG_PINS_MAX = 10
GUESSES_MAX, WINDOW_SECONDS = 20, 15 * 60
# What comes to a card that has expired can be spent for so long.
GRACE = timedelta(days=30)
BATCH = 200


class NotSpendable(WrongState):
    """The card is frozen, has expired, or was never paid for."""

    code = "stored_value_card_unexpected_state"


class LoadTooLarge(Invalid):
    """More than the order line was sold for, or than a card may be loaded with."""

    code = "stored_value_load_too_large"


class ValueSpent(WrongState):
    """What the line bought has been spent, so it cannot be given back."""

    code = "stored_value_spent"


def issue(
    *,
    kind: str,
    currency: str,
    customer_id: UUID | None,
    expires_at: datetime | None,
    metadata: dict[str, str] | None,
    now: datetime,
    origin: Origin,
) -> tuple[StoredValueCard, str, str]:
    """Make a card without value. This will write it and tell `stored_value_card.created`.

    Returns the card, its number and its PIN: the only time that anybody sees them. Raises
    Invalid for an expiry that is over.
    """
    if expires_at is not None and expires_at <= now:
        raise Invalid("A card cannot expire before it is made.", param="expires_at")
    book_id, card_id, number, pin = tenancy.book_id(), ids.new(now), numbers.new_number(), numbers.new_pin()
    card = StoredValueCard(
        id=card_id,
        book_id=book_id,
        kind=kind,
        currency=currency,
        is_live=origin.livemode,
        customer_id=customer_id,
        number_digest=numbers.number_digest(book_id, number),
        last4=number[-4:],
        pin_digest=numbers.pin_digest(card_id, pin),
        expires_at=expires_at,
        metadata=merge({}, metadata),
        created_at=now,
    )
    card.save(force_insert=True)
    paid_total, bonus_total = issued(card)
    ledger.open_accounts([card.paid, card.bonus, paid_total, bonus_total])
    publish(row("stored_value_card.created", _shown(card), now=now, **origin.tags))
    return card, number, pin


def load(
    *,
    card_id: UUID,
    amount_minor: int,
    bonus_minor: int = 0,
    order_line_id: UUID | None = None,
    now: datetime,
    origin: Origin,
) -> StoredValueLoad:
    """Put value on a card. This will write the load, and post it: at once, or when the order of its line is paid.

    Raises NotFound, NotSpendable for a frozen or expired card, and LoadTooLarge where the
    line was sold for less.
    """
    line = _line(order_line_id, amount_minor, bonus_minor) if order_line_id else None
    card = lock(card_id)
    if card.status in (states.FROZEN, states.EXPIRED) or (card.expires_at and card.expires_at <= now):
        raise NotSpendable(f"This card is {card.status}, so it cannot be loaded.")
    if line is not None and line.order.currency != card.currency:
        raise Invalid(f"The card is in {card.currency.lower()}.", param="order_line")
    if not 0 < amount_minor + bonus_minor <= LOAD_MAX or min(amount_minor, bonus_minor) < 0:
        raise LoadTooLarge(f"A load is between 1 and {LOAD_MAX} minor units.", param="amount")
    load_id = ids.new(now)
    loaded = StoredValueLoad(
        id=load_id,
        book_id=card.book_id,
        card=card,
        order_line=line,
        amount_minor=amount_minor,
        bonus_minor=bonus_minor,
        created_at=now,
    )
    is_paid = line is None or line.order.status == order_states.PAID
    if is_paid:
        loaded.status, loaded.entry_id = states.LOADED, _post_load(card, loaded, now=now)
    loaded.save(force_insert=True)
    if line is not None:
        OrderLine.objects.filter(pk=line.pk).update(loads_card=True)
    if is_paid:
        _loaded(card, now=now, origin=origin)
    return loaded


def lock(card_id: UUID) -> StoredValueCard:
    """The card, locked until the unit of work ends: whoever changes what is on it holds it. Raises NotFound."""
    card = StoredValueCard.objects.select_for_update().filter(pk=card_id).first()
    if card is None:
        raise missing("stored-value card", ids.show("svc", card_id))
    return card


def update(*, card_id: UUID, metadata: dict[str, str | None] | None, now: datetime, origin: Origin) -> StoredValueCard:
    """Change what a card carries along. This will write its metadata and tell `stored_value_card.updated`."""
    card = lock(card_id)
    before = _shown(card)
    card.metadata = merge(card.metadata, metadata)
    card.save(update_fields=["metadata"])
    _tell(card, before, now=now, origin=origin)
    return card


def freeze(*, card_id: UUID, now: datetime, origin: Origin) -> StoredValueCard:
    """Let nobody spend a card. This will freeze it; frozen again, nothing changes. What is reserved stays reserved.

    Raises NotFound, and WrongState for one that has expired.
    """
    card = lock(card_id)
    if card.status != states.FROZEN:
        before = _shown(card)
        advance(card, to=states.FROZEN, moves=states.MOVES, frozen_at=now)
        _tell(card, before, now=now, origin=origin)
    return card


def unfreeze(*, card_id: UUID, now: datetime, origin: Origin) -> StoredValueCard:
    """Let a frozen card be spent again. This will set it to what it was; one that is not frozen stays as it is."""
    card = lock(card_id)
    if card.status == states.FROZEN:
        before = _shown(card)
        is_loaded = StoredValueLoad.objects.filter(card=card, status=states.LOADED).exists()
        to = states.ACTIVE if is_loaded else states.INACTIVE
        advance(card, to=to, moves=states.MOVES, frozen_at=None)
        _tell(card, before, now=now, origin=origin)
    return card


def renew_pin(*, card_id: UUID) -> tuple[StoredValueCard, str]:
    """Give a card another PIN, and its number another ten tries. Returns it: the only time that anybody sees it."""
    card, pin = lock(card_id), numbers.new_pin()
    card.pin_digest, card.failed_pins_count = numbers.pin_digest(card.pk, pin), 0
    card.save(update_fields=["pin_digest", "failed_pins_count"])
    return card, pin


def recognise(*, number: str, pin: str) -> StoredValueCard | None:
    """The card that somebody holds who typed its number and its PIN; None for everything else.

    A wrong PIN is counted on the card, so the caller commits; after ten the number opens
    nothing. An unknown number and a wrong PIN look the same and take the same time.
    """
    read = numbers.read(number)
    digest = numbers.number_digest(tenancy.book_id(), read or "")
    card = StoredValueCard.objects.select_for_update().filter(number_digest=digest).first() if read else None
    compared = card or StoredValueCard(id=tenancy.book_id(), pin_digest=digest)
    is_right = numbers.is_pin(compared.pk, pin.strip(), compared.pin_digest)
    if card is None or card.failed_pins_count >= WRONG_PINS_MAX:
        return None
    if not is_right:
        card.failed_pins_count += 1
        card.save(update_fields=["failed_pins_count"])
        return None
    if card.failed_pins_count:
        card.failed_pins_count = 0
        card.save(update_fields=["failed_pins_count"])
    return card


def count_guess(origin_address: str) -> None:
    """Count a try to name a card from a network address. Raises tries.TooManyTries and tries.CannotCount."""
    tries.count("stored_value:guess", tries.network(origin_address), limit=GUESSES_MAX, seconds=WINDOW_SECONDS)


def load_paid(*, now: datetime, origin: Origin, card_id: UUID | None = None) -> int:
    """Put on cards of the open book what was paid for meanwhile. This will post each load once and return how many."""
    waiting = StoredValueLoad.objects.filter(
        status=states.PENDING, order_line__order__status=order_states.PAID, **({"card_id": card_id} if card_id else {})
    )
    done = 0
    for load_id, waiting_card in waiting.order_by("pk").values_list("pk", "card_id")[:BATCH]:
        card = lock(waiting_card)
        loaded = StoredValueLoad.objects.get(pk=load_id)
        if loaded.status != states.PENDING:
            continue
        entry_id = _post_load(card, loaded, now=now)
        advance(loaded, to=states.LOADED, moves=states.LOAD_MOVES, entry_id=entry_id)
        _loaded(card, now=now, origin=origin)
        done += 1
    return done


def unload(*, shares: Sequence[tuple[OrderLine, int]], refund_id: UUID, now: datetime, origin: Origin) -> None:
    """Take off cards what a refund gives back for. This will post it under the refund, and its part of the bonus.

    `shares` are lines of a locked order that loaded cards, with what goes back of each.
    Raises ValueSpent where a card no longer has it.
    """
    load_paid(now=now, origin=origin)
    for line, amount_minor in shares:
        left = amount_minor
        loads = StoredValueLoad.objects.filter(order_line_id=line.pk, status=states.LOADED).order_by("pk")
        sold = loads.aggregate(total=Sum("amount_minor"))["total"] or 0
        left -= max(0, line.amount_minor - line.refunded_minor - sold)  # what of the line was no value goes first
        for loaded in loads:
            if left <= 0:
                break
            left -= _unload(loaded, left, refund_id=refund_id, now=now, origin=origin)
        if left > 0 and sold:
            raise ValueSpent(f"{left} of what this line put on a card has been spent, so it cannot be refunded.")


def restore(*, line_ids: Sequence[UUID], refund_id: UUID, now: datetime, origin: Origin) -> None:
    """A refund failed in the end. This will put back on cards what it took off."""
    loads = {
        _unload_reference(refund_id, loaded.pk): loaded
        for loaded in StoredValueLoad.objects.filter(order_line_id__in=line_ids)
    }
    for posting in entries.referenced(list(loads)):
        loaded = loads[posting.entry.reference]
        card = lock(loaded.card_id)
        before = _shown(card)
        if card.status == states.EXPIRED:
            _let_spend(card, now=now)
        ledger.reverse(entry=posting.entry, kind="stored_value_restore", now=now)
        bonus = sum(move.amount_minor for move in posting.moves if move.debit == chart.STORED_BONUS.code)
        StoredValueLoad.objects.filter(pk=loaded.pk).update(
            returned_minor=F("returned_minor") - (posting.debits_minor - bonus),
            bonus_returned_minor=F("bonus_returned_minor") - bonus,
        )
        _tell(card, before, now=now, origin=origin)


def expire(*, card_id: UUID, now: datetime, origin: Origin) -> None:
    """Let a card end whose time is over. This will post what is left back to the merchant. Again changes nothing.

    What is reserved stays reserved, and expires once that payment is known.
    """
    card = lock(card_id)
    if card.status != states.ACTIVE or card.expires_at is None or card.expires_at > now:
        return
    before, balance = _shown(card), queries.balance(card)
    paid_total, bonus_total = issued(card)
    lines = [
        ledger.Line(account, total, left)
        for account, total, left in (
            (card.paid, paid_total, balance.paid.available_minor),
            (card.bonus, bonus_total, balance.bonus.available_minor),
        )
        if left
    ]
    if lines:
        ledger.post(
            draft(card, f"expire:{card.shown_id}:{int(now.timestamp())}", "stored_value_expire", lines, now=now)
        )
    if balance.posted_minor == balance.available_minor:
        advance(card, to=states.EXPIRED, moves=states.MOVES)
    _tell(card, before, now=now, origin=origin)


def give_back(
    *, card_id: UUID, paid_minor: int, bonus_minor: int, order_id: UUID, reference: str, now: datetime, origin: Origin
) -> UUID:
    """Put back on a card what a refund gives back. This will post it and return the entry's id.

    A card that has expired meanwhile can be spent for another thirty days.
    """
    card = lock(card_id)
    before = _shown(card)
    if card.status == states.EXPIRED:
        _let_spend(card, now=now)
    paid_total, bonus_total = issued(card)
    lines = [
        ledger.Line(total, account, amount)
        for total, account, amount in ((bonus_total, card.bonus, bonus_minor), (paid_total, card.paid, paid_minor))
        if amount
    ]
    posted = draft(card, reference, "stored_value_return", lines, now=now, source_id=order_id)
    ledger.post(posted)
    _tell(card, before, now=now, origin=origin)
    return posted.id


def look_after_due(*, recorded: datetime) -> int:
    """Load what was paid for, and expire what is over, in all books. This will return how many it looked at."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT l.book_id FROM payments_storedvalueload l"
            " JOIN payments_orderline i ON i.book_id = l.book_id AND i.id = l.order_line_id"
            " JOIN payments_order o ON o.book_id = i.book_id AND o.id = i.order_id"
            " WHERE l.status = 'pending' AND o.status = 'paid' LIMIT %s",
            [BATCH],
        )
        loading = [book_id for (book_id,) in cursor.fetchall()]
        cursor.execute(
            "SELECT c.book_id, c.id FROM payments_storedvaluecard c JOIN security_book b ON b.id = c.book_id"
            " WHERE c.status = 'active' AND c.expires_at <= coalesce(b.clock_at, %s) ORDER BY c.expires_at LIMIT %s",
            [recorded, BATCH],
        )
        ending = cursor.fetchall()
    for book_id in loading:
        book = merchants.book(book_id)
        with tenancy.within(book_id):
            load_paid(now=book.clock_at or recorded, origin=Origin(livemode=book.livemode))
    for book_id, card_id in ending:
        book = merchants.book(book_id)
        with tenancy.within(book_id):
            expire(card_id=card_id, now=book.clock_at or recorded, origin=Origin(livemode=book.livemode))
    return len(loading) + len(ending)


def _line(order_line_id: UUID, amount_minor: int, bonus_minor: int) -> OrderLine:
    """The line that sells a load, its order locked, with what is left of it to be loaded."""
    line = OrderLine.objects.select_related("order").select_for_update(of=("order",)).filter(pk=order_line_id).first()
    if line is None:
        raise missing("order line", ids.show("li", order_line_id), param="order_line")
    if line.order.status == order_states.CANCELED or line.order.refunded_minor:
        raise Invalid("This order was given up or refunded.", param="order_line")
    if line.order.tendered_minor:
        raise Invalid("Value is bought with money: this order is paid by other tenders.", param="order_line")
    loaded = StoredValueLoad.objects.filter(order_line_id=line.pk).aggregate(total=Sum("amount_minor"))["total"] or 0
    if amount_minor > line.amount_minor - loaded:
        raise LoadTooLarge(f"This line was sold for {line.amount_minor - loaded} more, not {amount_minor}; what is "
                           "added to it is a bonus.", param="amount")  # fmt: skip
    if bonus_minor and not amount_minor:
        raise LoadTooLarge("A bonus comes with an amount.", param="bonus_amount")
    return line


def _post_load(card: StoredValueCard, loaded: StoredValueLoad, *, now: datetime) -> UUID:
    paid_total, bonus_total = issued(card)
    lines = [
        ledger.Line(total, account, amount)
        for total, account, amount in (
            (paid_total, card.paid, loaded.amount_minor),
            (bonus_total, card.bonus, loaded.bonus_minor),
        )
        if amount
    ]
    posted = draft(card, f"load:{ids.show('svl', loaded.pk)}", "stored_value_load", lines, now=now, source_id=loaded.pk)
    ledger.post(posted)
    return posted.id


def _loaded(card: StoredValueCard, *, now: datetime, origin: Origin) -> None:
    """A load is on a locked card: one without value until now can be spent from now on, and so can one that expired."""
    before = _shown(card) | {"status": card.status}
    if card.status in (states.INACTIVE, states.EXPIRED):
        _let_spend(card, now=now)
    after = _shown(card)
    publish(row("stored_value_card.updated", after, previous=changed(before, after), now=now, **origin.tags))


def _let_spend(card: StoredValueCard, *, now: datetime) -> None:
    """Value comes to a card that had none: it can be spent, for another thirty days where the card's time is over."""
    is_over = card.expires_at is not None and card.expires_at <= now
    advance(card, to=states.ACTIVE, moves=states.MOVES, expires_at=now + GRACE if is_over else card.expires_at)


def _unload(loaded: StoredValueLoad, wanted_minor: int, *, refund_id: UUID, now: datetime, origin: Origin) -> int:
    """Take of one load what is wanted and still there. This will return how much."""
    card = lock(loaded.card_id)
    before, balance = _shown(card), queries.balance(card)
    take = min(wanted_minor, loaded.amount_minor - loaded.returned_minor, balance.paid.available_minor)
    if take <= 0:
        return 0
    returned = loaded.returned_minor + take
    bonus_due = money.share_of(loaded.bonus_minor, returned, loaded.amount_minor) - loaded.bonus_returned_minor
    bonus = max(0, min(bonus_due, balance.bonus.available_minor))
    paid_total, bonus_total = issued(card)
    lines = [ledger.Line(card.paid, paid_total, take)]
    if bonus:
        lines.append(ledger.Line(card.bonus, bonus_total, bonus))
    reference = _unload_reference(refund_id, loaded.pk)
    ledger.post(draft(card, reference, "stored_value_unload", lines, now=now, source_id=loaded.pk))
    StoredValueLoad.objects.filter(pk=loaded.pk).update(
        returned_minor=returned, bonus_returned_minor=loaded.bonus_returned_minor + bonus
    )
    _tell(card, before, now=now, origin=origin)
    return take


def _unload_reference(refund_id: UUID, load_id: UUID) -> str:
    return f"unload:{ids.show('re', refund_id)}:{ids.show('svl', load_id)}"


def issued(card: StoredValueCard) -> tuple[chart.AccountRef, chart.AccountRef]:
    """The two totals of the card's book that stand against its balance."""
    return (
        chart.stored_issued(card.book_id, card.currency, card.mode),
        chart.bonus_issued(card.book_id, card.currency, card.mode),
    )


def draft(
    card: StoredValueCard,
    reference: str,
    kind: str,
    lines: Sequence[ledger.Line],
    *,
    now: datetime,
    source_id: UUID | None = None,
) -> ledger.Draft:
    """An entry about a card, to be posted: of nothing to the merchant's balance. Pure."""
    return ledger.Draft(
        id=ids.new(now),
        reference=reference,
        kind=kind,
        lines=lines,
        unit=card.paid.unit,
        effective_at=now,
        source_id=source_id or card.pk,
    )


def tell_spent(card: StoredValueCard, *, now: datetime, origin: Origin) -> None:
    """What is on a card changed by a payment. This will tell `stored_value_card.updated`."""
    publish(row("stored_value_card.updated", _shown(card), now=now, **origin.tags))


def _shown(card: StoredValueCard) -> dict[str, Any]:
    balance = queries.balance(card)
    return objects.card(card, balance.paid, balance.bonus)


def _tell(card: StoredValueCard, before: dict[str, Any], *, now: datetime, origin: Origin) -> None:
    after = _shown(card)
    if previous := changed(before, after):
        publish(row("stored_value_card.updated", after, previous=previous, now=now, **origin.tags))
