"""What a payer does with tenders and codes on the page: look, choose, change their mind.

Nothing is reserved until they pay. Everything locks the session, then its order.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from merchant_platform.kernel import tries
from merchant_platform.kernel.errors import Conflict, Invalid
from payments.checkout import operations, ports, pricing
from payments.checkout.models import CheckoutSession
from payments.checkout.moments import Moment
from payments.checkout.ports import Due, Invitation, Offered, Payer
from payments.customers.models import Customer
from payments.intents import operations as intents
from payments.intents import states as intent_states
from payments.intents.models import PaymentIntent
from payments.orders import operations as orders
from payments.orders.models import Order, OrderLine
from payments.origin import Origin
from payments.stored_value import operations as stored_value
from payments.stored_value.tender import NAME as STORED_VALUE
from payments.tenders import operations as tenders
from payments.tenders import port
from payments.tenders.models import Tender

CODES_MAX, CODE_LENGTH_MAX = 5, 100
# Tries to name a card on one page; more is guessing.
CARDS_MAX = 5
# Codes that are none, on one page and from one address in a window.
WRONG_CODES_MAX, GUESSES_MAX, WINDOW_SECONDS = 10, 50, 15 * 60
_GUESSES = "discount_code:guess"
# What is new money for the merchant may buy stored value; nothing else turns into it.
MONEY = frozenset({"wallet"})


class NotRecognised(Invalid):
    """No card has this number and this PIN, or it cannot be spent here. The page says no more than that."""


class TooManyCards(Invalid):
    """Enough was tried on this page."""


class TooManyCodes(Invalid):
    """Enough codes were tried on this page that are none."""


class BeingPaid(Conflict):
    """The session is over, or money is on its way."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a payer uses and could use, and what is left to pay beside it."""

    tenders: Sequence[Tender]
    offered: Sequence[Offered]
    takes_cards: bool
    takes_codes: bool
    # Somebody could have something here, and nobody has proven to be them.
    needs_proof: bool
    invitation: Invitation | None

    @property
    def is_any(self) -> bool:
        return bool(self.tenders or self.offered or self.takes_cards or self.needs_proof)


def who(session: CheckoutSession, consumer_id: UUID | None) -> Payer:
    """Who pays a session: the customer that it names, else the one that the signed-in consumer is to the merchant.

    They are proven where that customer's consumer signed in on the page, or the merchant's
    server said that it had proven them itself.
    """
    known_id = None
    if consumer_id is not None and not (session.customer_id and session.is_customer_proven):
        known = Customer.objects.filter(consumer_id=consumer_id, deleted_at__isnull=True)
        known_id = known.values_list("pk", flat=True).first()
    customer_id = session.customer_id or known_id
    is_proven = customer_id is not None and (customer_id == known_id or session.is_customer_proven)
    return Payer(customer_id, consumer_id, is_proven)


def choices(
    session: CheckoutSession, order: Order, lines: Sequence[OrderLine], payer: Payer, *, mode: str, moment: Moment
) -> Choices:
    """What the page offers besides its methods. Reads only; asks nothing for a stranger who chose nothing."""
    used = tenders.standing(order).tenders
    names = _names(lines)
    due = Due(order.pk, order.total_minor, order.currency, payer.proven, mode, moment.now)
    chosen = {(each.method, each.source_id) for each in used}
    offered = [each for name in names for each in port.find(name).offered(due)]
    joins = ports.invitations()
    return Choices(
        tenders=used,
        offered=[each for each in offered if (each.tender, each.source_id) not in chosen],
        takes_cards=STORED_VALUE in names,
        takes_codes=bool(session.allows_codes) and ports.discounts() is not None,
        needs_proof=not MONEY.issuperset(names) and payer.consumer_id is None and not payer.is_proven,
        invitation=joins.offer(payer, now=moment.now) if joins else None,
    )


def use(
    *,
    session_id: UUID,
    method: str,
    source_id: UUID,
    amount_minor: int | None,
    payer: Payer,
    mode: str,
    moment: Moment,
    origin: Origin,
) -> None:
    """Pay a part with something that is offered, or was chosen before. This will choose it, or change its amount.

    Without an amount it is all that helps. What is the customer's own is offered to them
    alone, once they are proven. What somebody chose who signed in, nobody else
    changes: the amount is what they said yes to. Raises BeingPaid, tenders.TooMuch, and
    NotRecognised for what is not offered to this payer.
    """
    _, order, lines = _locked(session_id, moment=moment, origin=origin)
    due = Due(order.pk, order.total_minor, order.currency, payer.proven, mode, moment.now)
    if method not in _names(lines):
        raise NotRecognised("This cannot be used here.")
    used = next(
        (each for each in tenders.standing(order).tenders if (each.method, each.source_id) == (method, source_id)), None
    )
    if used is not None:
        if used.consumer_id not in (None, payer.consumer_id):
            raise NotRecognised("Who chose this signs in to change it.")
        payer = Payer(used.customer_id, used.consumer_id)
        due = Due(order.pk, order.total_minor, order.currency, payer, mode, moment.now)
        offered = port.find(method).look_up(due, source_id)
    else:
        offered = next((each for each in port.find(method).offered(due) if each.source_id == source_id), None)
    if offered is None:
        raise NotRecognised("This cannot be used here.")
    _choose(order, offered, amount_minor, used=used, payer=payer, moment=moment)


def use_card(
    *, session_id: UUID, number: str, pin: str, payer: Payer, mode: str, moment: Moment, origin: Origin
) -> bool:
    """Pay a part with the stored-value card whose number and PIN were typed. This will choose all of it that helps.

    Returns whether the card was recognised: a try that was not is counted, so the caller
    commits either way. Raises BeingPaid and TooManyCards.
    """
    session, order, lines = _locked(session_id, moment=moment, origin=origin)
    if session.failed_cards_count >= CARDS_MAX:
        raise TooManyCards("Too many tries on this page.")
    card = stored_value.recognise(number=number, pin=pin) if STORED_VALUE in _names(lines) else None
    due = Due(order.pk, order.total_minor, order.currency, payer.proven, mode, moment.now)
    offered = port.find(STORED_VALUE).look_up(due, card.pk) if card else None
    if offered is None or not offered.available_minor:
        session.failed_cards_count += 1
        session.save(update_fields=["failed_cards_count"])
        return False
    used = next((each for each in tenders.standing(order).tenders if each.source_id == offered.source_id), None)
    _choose(order, offered, None, used=used, payer=payer, moment=moment)
    return True


def do_without(*, session_id: UUID, tender_id: UUID, moment: Moment, origin: Origin) -> None:
    """Take a tender off again. This will drop it. Raises BeingPaid and NotFound."""
    _, order, _ = _locked(session_id, moment=moment, origin=origin)
    tenders.drop(order=order, tender_id=tender_id)


def use_code(*, session_id: UUID, code: str, payer: Payer, moment: Moment, origin: Origin) -> bool:
    """Note a code that the payer typed. This will write it; whether it helps, pricing says.

    Returns whether there is such a code: one that is none is counted, so the caller
    commits either way. Raises BeingPaid, NotRecognised where the session takes no codes,
    and TooManyCodes.
    """
    session, order, _ = _locked(session_id, moment=moment, origin=origin)
    if not session.allows_codes:
        raise NotRecognised("This session takes no codes.")
    code = code.strip()[:CODE_LENGTH_MAX]
    if not code or "\x00" in code or code.casefold() in {each.casefold() for each in session.codes}:
        return True
    if session.failed_codes_count >= WRONG_CODES_MAX:
        raise TooManyCodes("Too many tries on this page.")
    session.codes = [*session.codes[-(CODES_MAX - 1) :], code]
    priced = pricing.quote_of(order, pricing.Buyer(session, payer, moment.now)).priced
    refused = priced.refused if priced else ()
    is_known = not any(each.reason_code == ports.UNKNOWN and each.code == code for each in refused)
    session.failed_codes_count += not is_known
    session.save(update_fields=["codes", "failed_codes_count"])
    return is_known


def guess(origin_address: str) -> AbstractContextManager[tries.Guess]:
    """Around a code that is typed from a network address. Raises tries.TooManyTries and tries.CannotCount."""
    return tries.guess(_GUESSES, tries.network(origin_address), limit=GUESSES_MAX, seconds=WINDOW_SECONDS)


def forget_code(*, session_id: UUID, code: str, moment: Moment, origin: Origin) -> None:
    """Do without a code. This will write the others. Raises BeingPaid."""
    session, _, _ = _locked(session_id, moment=moment, origin=origin)
    session.codes = [each for each in session.codes if each.casefold() != code.strip().casefold()]
    session.save(update_fields=["codes"])


def _choose(
    order: Order, offered: Offered, amount_minor: int | None, *, used: Tender | None, payer: Payer, moment: Moment
) -> None:
    if amount_minor is None:
        rest = tenders.standing(order).rest_minor + (used.amount_minor if used else 0)
        most = min(offered.available_minor, rest)
        amount_minor = most // offered.step_minor * offered.step_minor
    tenders.choose(order=order, offered=offered, amount_minor=amount_minor, payer=payer, now=moment.now)


def _names(lines: Sequence[OrderLine]) -> list[str]:
    """The tenders that an order may be paid by: stored value is bought with money alone."""
    return [name for name in port.names() if name in MONEY or not any(line.loads_card for line in lines)]


def _locked(session_id: UUID, *, moment: Moment, origin: Origin) -> tuple[CheckoutSession, Order, list[OrderLine]]:
    """An open session that nobody pays just now, its intent and its order, locked in this order."""
    session = operations.look_after(session_id=session_id, moment=moment, origin=origin)
    intent = (
        PaymentIntent.objects.select_for_update().filter(pk=session.intent_id).first() if session.intent_id else None
    )
    if not session.is_open or (intent is not None and intent.status not in intent_states.CONFIRMABLE):
        raise BeingPaid("This is paid for, or being paid for just now.")
    order = orders.lock(session.order_id)
    if intents.is_asked_for(order.pk):
        raise BeingPaid("The merchant is taking money for this order just now.")
    return session, order, pricing.lines_of(order)
