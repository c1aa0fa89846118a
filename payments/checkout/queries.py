"""What a payer sees of a session: at which stage it is, and what it is for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from payments.checkout import pricing, states
from payments.checkout.models import CheckoutSession
from payments.intents import states as intent_states
from payments.intents.models import PaymentIntent
from payments.orders.models import Order, OrderLine
from payments.receipts.models import Receipt
from payments.tenders.port import Payer

# Stages of the page: one template each.
CHOOSE, CHALLENGE, PROCESSING, PAID, EXPIRED, CANCELED, UNAVAILABLE = (
    "choose", "challenge", "processing", "paid", "expired", "canceled", "unavailable",
)  # fmt: skip
# Nothing happens after these.
FINAL = frozenset({PAID, EXPIRED, CANCELED})


@dataclass(frozen=True, slots=True)
class Shown:
    """One session as the page needs it."""

    session: CheckoutSession
    order: Order
    lines: list[OrderLine]
    quote: pricing.Quote
    intent: PaymentIntent | None
    receipt: Receipt | None
    stage: str
    seconds_left: int

    @property
    def is_final(self) -> bool:
        return self.stage in FINAL

    @property
    def is_to_be_priced(self) -> bool:
        """Whether the prices changed since the order was written."""
        return self.session.is_open and (self.quote.is_to_be_written or self.is_split)

    @property
    def is_split(self) -> bool:
        """Whether a part is to be paid by tenders: what is there of them is looked up each time the page opens."""
        return bool(self.order.tendered_minor) and self.stage == CHOOSE

    @property
    def due_minor(self) -> int:
        """The number on the page: what is left to pay, and of what is paid or over, what it was about."""
        return self.order.total_minor if self.is_final else self.rest_minor

    @property
    def discount_minor(self) -> int:
        """What the discounts take off all lines."""
        return sum(line.discount_minor for line in self.lines)

    @property
    def discount_back_minor(self) -> int:
        """The same as the negative amount that stands on the page."""
        return -self.discount_minor

    @property
    def rest_minor(self) -> int:
        """What is left to pay beside the tenders."""
        return max(0, self.order.total_minor - self.order.tendered_minor)

    @property
    def challenge_url(self) -> str:
        """The page of the payer's bank, where it is to be asked."""
        action = (self.intent.next_action if self.intent else None) or {}
        return (action.get("redirect_to_url") or {}).get("url", "")

    @property
    def decline_code(self) -> str | None:
        """Why the last try failed, if one did and the payer may try again."""
        error = self.intent.last_error if self.intent and self.stage == CHOOSE else None
        return (error.get("decline_code") or error.get("code")) if error else None


def find(session_id: UUID) -> CheckoutSession:
    """A session of the open book with its order and its intent. Locks nothing. Raises CheckoutSession.DoesNotExist."""
    return CheckoutSession.objects.select_related("order", "intent").get(pk=session_id)


def shown(session: CheckoutSession, *, now: datetime, payer: Payer | None = None) -> Shown:
    """What the page says of a session that `find` gave. Without a payer its discounts are those that were written."""
    intent = session.intent
    quote = pricing.quote_of(session.order, pricing.Buyer(session, payer, now) if payer and session.is_open else None)
    return Shown(
        session=session,
        order=session.order,
        lines=quote.lines,
        quote=quote,
        intent=intent,
        receipt=_receipt(session) if session.is_complete else None,
        stage=_stage(session, intent, quote, now),
        seconds_left=max(0, int((session.expires_at - now).total_seconds())),
    )


def _receipt(session: CheckoutSession) -> Receipt | None:
    paid = {"intent_id": session.intent_id} if session.intent_id else {"order_id": session.order_id}
    return Receipt.objects.filter(**paid).first()


def reference_of(order: Order) -> str | None:
    """The merchant's own name of an order: its reference, or what its session says that it is for."""
    if order.reference:
        return order.reference
    named = CheckoutSession.objects.filter(order=order, client_reference_id__isnull=False)
    return named.values_list("client_reference_id", flat=True).first() or None


def is_at_rest(shown: Shown, *, now: datetime) -> bool:
    """Whether nothing is due of a session: no time ran out, no money came or is under way, no receipt is missing."""
    session, intent = shown.session, shown.intent
    if session.is_complete:
        return session.has_receipt
    if not session.is_open:
        return True
    is_waiting = intent is None or intent.status in intent_states.CONFIRMABLE
    return is_waiting and not session.is_due(now)


def _stage(session: CheckoutSession, intent: PaymentIntent | None, quote: pricing.Quote, now: datetime) -> str:
    if session.status == states.COMPLETE:
        return PAID
    if session.status == states.EXPIRED:
        return EXPIRED if session.expires_at <= now else CANCELED
    if intent is not None and intent.status == intent_states.REQUIRES_ACTION:
        return CHALLENGE
    if intent is not None and intent.status not in intent_states.CONFIRMABLE:
        return PROCESSING
    if not quote.is_sold:
        return UNAVAILABLE
    return CHOOSE
