"""What a payer sees of a session: at which stage it is, and what it is for."""

from dataclasses import dataclass
from datetime import datetime

from payments.checkout import pricing, states
from payments.checkout.models import CheckoutSession
from payments.intents import states as intent_states
from payments.intents.models import PaymentIntent
from payments.orders.models import Order, OrderLine
from payments.receipts.models import Receipt

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
    intent: PaymentIntent | None
    receipt: Receipt | None
    stage: str
    seconds_left: int

    @property
    def is_final(self) -> bool:
        return self.stage in FINAL

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


def shown(session: CheckoutSession, *, quote: pricing.Quote | None, now: datetime) -> Shown:
    """What the page says of a session that was looked after; `quote` where it was priced again."""
    order = quote.order if quote else Order.objects.get(pk=session.order_id)
    intent = PaymentIntent.objects.filter(pk=session.intent_id).first() if session.intent_id else None
    return Shown(
        session=session,
        order=order,
        lines=pricing.lines_of(order),
        intent=intent,
        receipt=Receipt.objects.filter(intent=intent).first() if intent and session.is_complete else None,
        stage=_stage(session, intent, quote, now),
        seconds_left=max(0, int((session.expires_at - now).total_seconds())),
    )


def _stage(session: CheckoutSession, intent: PaymentIntent | None, quote: pricing.Quote | None, now: datetime) -> str:
    if session.status == states.COMPLETE:
        return PAID
    if session.status == states.EXPIRED:
        return EXPIRED if session.expires_at <= now else CANCELED
    if intent is not None and intent.status == intent_states.REQUIRES_ACTION:
        return CHALLENGE
    if intent is not None and intent.status not in intent_states.CONFIRMABLE:
        return PROCESSING
    if quote is not None and not quote.is_sold:
        return UNAVAILABLE
    return CHOOSE
