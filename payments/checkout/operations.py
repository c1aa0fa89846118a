"""The life of a checkout session: offer, look after, expire, and the payer's steps.

Everybody locks in one order: session, intent, order, balance. A session ends only under
its lock, so that it is paid for or expires, never both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid, PlatformError, WrongState, missing
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.states import advance
from payments.checkout import objects, ports, pricing, states
from payments.checkout.models import CheckoutSession
from payments.checkout.moments import Moment
from payments.checkout.ports import Grant, Payer, Refused
from payments.customers.models import Customer
from payments.intents import operations as intents
from payments.intents import provider_road
from payments.intents import states as intent_states
from payments.intents.models import PaymentIntent
from payments.orders import operations as orders
from payments.orders.models import Order
from payments.origin import Origin
from payments.tenders import operations as tenders
from security.merchants import codes

CODE_KIND = "checkout"
OPEN_MIN, OPEN_MAX = timedelta(minutes=30), timedelta(hours=24)
# A request that says `in 30 minutes` was on its way for a moment.
LENIENCE = timedelta(seconds=60)
# The wallet's sign-in on one page; more is guessing.
SIGN_INS_MAX = 5
DUE_BATCH = 100
# Why what a request attaches does not apply: it is no use any more; or it may yet, once it is known who pays.
OVER = frozenset({"ended", "expired", "inactive", "paused", "draft", "used_up", "sold_out", "budget_spent"})
OPEN_YET = frozenset({"needs_customer", "needs_consent", "not_combined", "other_tier"})


class SessionClosed(WrongState):
    """The session was paid for, or has expired."""

    code = "checkout_session_unexpected_state"


class DiscountRefused(Invalid):
    """The coupon or code that a request attaches does not apply to its session."""


class DiscountOver(DiscountRefused):
    """It is used up, over, or switched off."""

    code = "coupon_expired"


class TooSoonOrLate(Invalid):
    """A session is open for half an hour at the least and a day at the most."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request says of a session."""

    currency: str
    lines: Sequence[orders.LineDraft]
    success_url: str
    payment_method_types: Sequence[str]
    customer_id: UUID | None = None
    # Whether the merchant's server answers for whoever has the address being that customer.
    is_customer_proven: bool = False
    expires_at: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    grants: Sequence[Grant] = ()
    # Columns of the session that are shown and copied.
    details: dict[str, Any] = field(default_factory=dict)


def create(*, terms: Terms, now: datetime, origin: Origin) -> CheckoutSession:
    """Offer an order to be paid for on our page. This will write the order, the session and its public address.

    It is priced at once, as the page will price it. Raises TooSoonOrLate, NotFound,
    DiscountRefused of what the request attaches, and what orders.create raises of the lines.
    """
    expires_at = terms.expires_at or now + OPEN_MAX
    if not now + OPEN_MIN - LENIENCE <= expires_at <= now + OPEN_MAX + LENIENCE:
        raise TooSoonOrLate("The expires_at timestamp must be between 30 minutes and 24 hours from now.",
                            param="expires_at")  # fmt: skip
    order, _ = orders.create(
        currency=terms.currency,
        lines=terms.lines,
        customer_id=terms.customer_id,
        store_id=None,
        reference=None,
        metadata=terms.metadata,
        now=now,
        origin=origin,
    )
    identifier = ids.new(now)
    book_id = tenancy.book_id()
    session = CheckoutSession.objects.create(
        id=identifier,
        book_id=book_id,
        code=codes.make(kind=CODE_KIND, book_id=book_id, object_id=identifier, now=now),
        is_live=origin.livemode,
        order=order,
        customer_id=terms.customer_id,
        is_customer_proven=terms.is_customer_proven,
        success_url=terms.success_url,
        payment_method_types=list(terms.payment_method_types),
        metadata=terms.metadata,
        granted=[grant.as_json() for grant in terms.grants],
        expires_at=expires_at,
        created_at=now,
        **terms.details,
    )
    buyer = pricing.Buyer(session, Payer(terms.customer_id), now)
    quote = pricing.quote_of(order, buyer)
    for refused in quote.priced.refused if quote.priced else ():
        if refused.is_granted and refused.reason_code not in OPEN_YET:
            raise _refusal(refused, terms.grants)
    pricing.write(quote, buyer)
    return session


def update(
    *, session_id: UUID, metadata: dict[str, str | None] | None, moment: Moment, origin: Origin
) -> CheckoutSession:
    """Change what a session carries along. This will write its metadata. Raises NotFound."""
    session = look_after(session_id=session_id, moment=moment, origin=origin)
    if metadata is not None:
        session.metadata = merge(session.metadata, metadata)
        session.save(update_fields=["metadata"])
    return session


def expire(*, session_id: UUID, moment: Moment, origin: Origin) -> CheckoutSession:
    """Take an offer back. This will end the session, its order and its payment, and tell `checkout.session.expired`.

    Raises NotFound, and SessionClosed where it is over already or the payment is under way.
    """
    session = look_after(session_id=session_id, moment=moment, origin=origin)
    if not session.is_open or not _expire(session, now=moment.now, origin=origin):
        raise SessionClosed(
            f"Only Checkout Sessions with a status in ['open'] can be expired. This one is {session.status}"
            + (" and is being paid for just now." if session.is_open else ".")
        )
    return session


def look_after(*, session_id: UUID, moment: Moment, origin: Origin) -> CheckoutSession:
    """The session as it now is, locked: complete where its money came, expired where its time ran out.

    This will write what is due of that. Raises NotFound.
    """
    session = lock(session_id)
    if session.is_open:
        intent = _intent(session)
        if intent is not None and intent.status == intent_states.SUCCEEDED:
            complete(session, moment=moment, origin=origin)
            return session
        is_canceled = intent is not None and intent.status == intent_states.CANCELED
        if not is_canceled and not session.is_due(moment.now):
            return session
        if not _expire(session, now=moment.now, origin=origin) and intent is not None:
            _release(intent, now=moment.now, origin=origin)
    return session


def complete(session: CheckoutSession, *, moment: Moment, origin: Origin) -> None:
    """Count a locked session as paid for. This will end it, use up its discounts and tell that it is completed."""
    if giver := ports.discounts():
        giver.take(session.order_id, now=moment.now, origin=origin)
    advance(session, to=states.COMPLETE, moves=states.MOVES, into=None, **moment.columns("paid"))
    _tell("checkout.session.completed", session, now=moment.now, origin=origin)


def lock(session_id: UUID) -> CheckoutSession:
    """The session, locked until the unit of work ends. Raises NotFound."""
    session = CheckoutSession.objects.select_for_update().filter(pk=session_id).first()
    if session is None:
        raise missing("checkout session", ids.show("cs", session_id))
    return session


def due(*, now: datetime) -> list[UUID]:
    """Open sessions of this book whose time ran out: a batch, which a list settles before it shows them."""
    rows = CheckoutSession.objects.filter(status=states.OPEN, expires_at__lte=now)
    return list(rows.order_by("expires_at").values_list("pk", flat=True)[:DUE_BATCH])


def record_seen(session: CheckoutSession, *, language: str, method: str | None, moment: Moment) -> None:
    """The payer sees the page of a locked session. This will write what it does not say yet, and nothing else.

    The language, the method where one was chosen, and the times of the first look and of the first choice.
    """
    changes = steps(session, language=language, method=method, moment=moment)
    if changes:
        for name, value in changes.items():
            setattr(session, name, value)
        session.save(update_fields=list(changes))


def steps(session: CheckoutSession, *, language: str, method: str | None, moment: Moment) -> dict[str, Any]:
    """The columns that a look at the page changes. Pure."""
    changes: dict[str, Any] = {}
    if session.opened_at is None:
        changes |= moment.columns("opened")
    if session.language != language:
        changes["language"] = language
    if method and session.is_open:
        if session.method_chosen_at is None:
            changes |= moment.columns("method_chosen")
        if session.method_chosen != method:
            changes["method_chosen"] = method
    return changes


def record_method(*, session_id: UUID, method: str, moment: Moment) -> None:
    """The payer chose how to pay. This will write the method, and the time of the first choice."""
    sessions = CheckoutSession.objects.filter(pk=session_id, status=states.OPEN)
    if not sessions.filter(method_chosen_at__isnull=True).update(
        method_chosen=method, **moment.columns("method_chosen")
    ):
        sessions.exclude(method_chosen=method).update(method_chosen=method)


def record_authenticated(*, session_id: UUID, moment: Moment) -> None:
    """The payer proved who they are. This will write the time, of the first time alone."""
    CheckoutSession.objects.filter(pk=session_id, authenticated_at__isnull=True).update(
        **moment.columns("authenticated")
    )


def record_joining(*, session_id: UUID, wording: str | None, consumer_id: UUID | None) -> None:
    """The payer said whether they join. This will write what they said yes to and who, of an open session alone."""
    said = {"joins": wording, "joiner_id": consumer_id if wording else None}
    CheckoutSession.objects.filter(pk=session_id, status=states.OPEN).exclude(**said).update(**said)


def count_sign_in(*, session_id: UUID) -> bool:
    """Count a try to sign in to a wallet. This will write the count and return whether the try may be made."""
    session = lock(session_id)
    if session.failed_sign_ins_count >= SIGN_INS_MAX:
        return False
    session.failed_sign_ins_count += 1
    session.save(update_fields=["failed_sign_ins_count"])
    return True


def forget_sign_ins(*, session_id: UUID) -> None:
    """The right person signed in. This will start the count of tries anew."""
    CheckoutSession.objects.filter(pk=session_id).update(failed_sign_ins_count=0)


def _refusal(refused: Refused, grants: Sequence[Grant]) -> PlatformError:
    """Why a session is not made with what a request attaches; a request attaches one thing."""
    name, given = next((name, text) for name, text in grants[0].as_json().items() if text is not None)
    param = f"discounts[0][{name}]"
    if refused.reason_code == ports.UNKNOWN:
        return missing(name.replace("_", " "), given[:100], param=param)
    kind = DiscountOver if refused.reason_code in OVER else DiscountRefused
    return kind(refused.reason, param=param)


def _intent(session: CheckoutSession) -> PaymentIntent | None:
    return PaymentIntent.objects.filter(pk=session.intent_id).first() if session.intent_id else None


def _expire(session: CheckoutSession, *, now: datetime, origin: Origin) -> bool:
    """End a locked open session, if no money is on its way: also none that the merchant's server asked for."""
    if intents.is_asked_for(session.order_id):
        return False
    intent = _intent(session)
    if intent is not None and intent.status in intent_states.CANCELABLE:
        intents.cancel(intent_id=intent.pk, reason="abandoned", now=now, origin=origin)
    order = orders.lock(session.order_id)
    if intents.is_asked_for(order.pk):  # begun since
        return False
    tenders.drop_all(order)
    if giver := ports.discounts():
        giver.release(order.pk, now=now)
    orders.cancel_unpaid(order_id=order.pk)
    advance(session, to=states.EXPIRED, moves=states.MOVES)
    _tell("checkout.session.expired", session, now=now, origin=origin)
    return True


def _release(intent: PaymentIntent, *, now: datetime, origin: Origin) -> None:
    """It is too late, and the payer's bank still waits for the payer: take the question back.

    The sweep of providers sends it. Until the answer is there the session stays open: it
    ends canceled, or paid where the payer was faster.
    """
    attempt = provider_road.under_way(intent)
    if intent.status == intent_states.REQUIRES_ACTION and attempt is not None and attempt.asked_act is None:
        provider_road.begin_cancel(intent_id=intent.pk, reason="abandoned", now=now, origin=origin)


def _tell(event_type: str, session: CheckoutSession, *, now: datetime, origin: Origin) -> None:
    order = Order.objects.get(pk=session.order_id)
    shown = objects.session(session, order, email=email_of(session))
    publish(row(event_type, shown, now=now, **origin.tags))


def email_of(session: CheckoutSession) -> str | None:
    """Where the payer can be written to: what the request said, else the customer's own address."""
    if session.customer_email or not session.customer_id:
        return session.customer_email
    return Customer.objects.filter(pk=session.customer_id).values_list("email", flat=True).first()
