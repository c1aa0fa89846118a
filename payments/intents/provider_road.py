"""The road of a payment that an outside provider is asked for: a card.

    tx 1   begin     the attempt is written, the intent is `processing`
    no tx  ask       the provider is called, with the attempt's id as the key
    tx 2   conclude  what came back goes through the one gate (outcomes.py)

Capture and release go the same way. A process that dies on the road leaves rows that the
sweep takes up (sweep.py): the question has a key, so asking again moves nothing twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import redis
from django.conf import settings
from django.core.cache import cache

from merchant_platform.kernel import ids, money, tenancy
from merchant_platform.kernel.errors import Invalid, WrongState
from merchant_platform.kernel.idempotency import LockTimeout
from merchant_platform.kernel.states import advance
from merchant_platform.kernel.writes import Writes, writing
from payments.customers import operations as customers
from payments.customers.models import PaymentMethod
from payments.intents import operations, outcomes, states
from payments.intents.models import Attempt, PaymentIntent
from payments.origin import Origin
from payments.providers import port
from payments.providers.port import Authorisation, Report, Unanswered, Unreachable
from payments.search import terms
from payments.tenders import operations as tenders
from security.merchants.models import LIVE
from security.vault.cards import ClearCard

# However many tabs ask how it stands: the provider is asked this often.
ASK_EVERY_SECONDS = 2
AUTHORISE = "authorise"


class ProviderNotConfigured(WrongState):
    """No provider takes cards in this mode."""

    code = "provider_not_configured"


class AmountTooLarge(Invalid):
    """More than is left to capture."""

    code = "amount_too_large"


@dataclass(frozen=True, slots=True)
class Question:
    """What goes out between the two transactions. It holds a card in the clear: never stored, logged or queued."""

    book_id: UUID
    intent_id: UUID
    attempt_id: UUID
    provider: str
    act: str
    key: str
    account: str
    reference: str = ""
    amount_minor: int = 0
    is_final: bool = True
    authorisation: Authorisation | None = field(default=None, repr=False)


Heard = Report | type[Unanswered] | type[Unreachable]


def pay(
    *,
    intent_id: UUID,
    method_id: UUID,
    cvc: str | None,
    return_url: str,
    is_off_session: bool,
    payee: str,
    mode: str,
    now: datetime,
    origin: Origin,
    book_id: UUID,
) -> PaymentIntent:
    """Pay an intent with a saved card. This will write an attempt, ask the provider, and write what came of it.

    Call it outside a transaction. The intent that comes back says how it went: a decline
    is an outcome. Raises NotFound, operations.UnexpectedState, operations.MethodUnusable
    and ProviderNotConfigured.
    """
    with tenancy.within(book_id):
        intent = operations.lock(intent_id)
        question = begin(
            intent=intent,
            saved=operations.method_for(intent, method_id, origin=origin),
            cvc=cvc,
            return_url=return_url,
            is_off_session=is_off_session,
            payee=payee,
            mode=mode,
            now=now,
            origin=origin,
        )
    heard = ask(question, now=now)
    with tenancy.within(book_id):
        return conclude(question, heard, mode=mode, now=now, origin=origin)


def look(*, intent_id: UUID, book_id: UUID, mode: str, now: datetime, origin: Origin) -> PaymentIntent:
    """Ask the provider what became of an intent's payment. This will write what it says, through the one gate.

    Call it outside a transaction. An intent that waits for no provider is returned as it
    is. That the provider knows nothing (yet) changes nothing here: only the sweep, long
    after the question, concludes that it never arrived. Raises NotFound.
    """
    with tenancy.within(book_id):
        intent = operations.lock(intent_id)
        attempt = under_way(intent)
    return look_at(intent, attempt, mode=mode, now=now, origin=origin) if attempt else intent


def may_ask(intent: PaymentIntent) -> bool:
    """Whether a page may ask what became of a payment now: seldom, however many look. Without the cache never."""
    try:
        return bool(cache.add(f"intent:asked:{intent.pk.hex}", 1, ASK_EVERY_SECONDS))
    except redis.RedisError:
        return False


def look_at(intent: PaymentIntent, attempt: Attempt, *, mode: str, now: datetime, origin: Origin) -> PaymentIntent:
    """`look` for an intent whose attempt under way was read already."""
    account = intent.book_id.hex
    try:
        report = port.find(attempt.provider or "").query(key=ids.show("ch", attempt.pk), account=account, now=now)
    except (Unanswered, Unreachable):
        return intent
    if report is None:
        return intent
    with tenancy.within(intent.book_id):
        return outcomes.record_outcome(attempt_id=attempt.pk, report=report, mode=mode, now=now, origin=origin)


def abandon(*, intent_id: UUID, book_id: UUID, mode: str, now: datetime, origin: Origin) -> PaymentIntent:
    """Leave a challenge that the payer will not answer, to pay in another way. This will release the attempt.

    Call it outside a transaction. The intent is back in `requires_payment_method`, or
    `processing` until the provider has answered; should the payer have passed the
    challenge at that very moment, it says so. Raises NotFound, operations.UnexpectedState
    and LockTimeout.
    """
    with tenancy.within(book_id):
        intent = operations.lock(intent_id)
        attempt = under_way(intent)
        if intent.status != states.REQUIRES_ACTION or attempt is None:
            raise operations.unexpected(intent, "abandoned", origin)
        question = _note(intent, attempt, asked_act=outcomes.ABANDON, asked_key=outcomes.void_key(attempt))
    heard = ask(question, now=now)
    with tenancy.within(book_id):
        return conclude(question, heard, mode=mode, now=now, origin=origin)


def make_way(*, intent_id: UUID, book_id: UUID, mode: str, now: datetime, origin: Origin) -> None:
    """Let another payment method be tried while the bank still waits for the payer. This will abandon that challenge.

    Call it outside a transaction. Does nothing where no challenge is open. Raises what `abandon` raises.
    """
    with tenancy.within(book_id):
        is_challenged = PaymentIntent.objects.filter(pk=intent_id, status=states.REQUIRES_ACTION).exists()
    if is_challenged:
        abandon(intent_id=intent_id, book_id=book_id, mode=mode, now=now, origin=origin)


# --- the first transaction -------------------------------------------------------------


def begin(
    *,
    intent: PaymentIntent,
    saved: PaymentMethod,
    cvc: str | None,
    return_url: str | None,
    is_off_session: bool,
    payee: str,
    mode: str,
    now: datetime,
    origin: Origin,
    card: ClearCard | None = None,
    details: Mapping[str, Any] | None = None,
    into: Writes | None = None,
) -> Question:
    """Begin a card payment. This will write the attempt, set the intent `processing`, and return what to ask.

    The intent is locked with its order, or still to be written by `into`; `saved` is what
    operations.method_for gave, `card` what stands on it where that is at hand. `payee` is
    whom the payer reads of. Raises what `pay` raises.
    """
    provider = provider_for(mode)
    operations.check_type(intent, saved.type)
    customer_id = operations.payer(intent.customer_id, saved.pk, saved)
    operations.check_owed_still(intent)
    if intent.order.awaits_tenders:
        tenders.secure(order=intent.order, amount_minor=intent.amount_minor, now=now, origin=origin)
    intent.customer_id, intent.payment_method_id = customer_id, saved.pk
    attempt = operations.draft_attempt(intent, method=saved.type, now=now)
    attempt.status = states.AUTHORIZING
    attempt.provider = provider
    attempt.billing_details = saved.billing_details
    attempt.card = saved.card
    attempt.is_manual = intent.capture_method == "manual"
    attempt.is_off_session = is_off_session
    attempt.return_url = return_url
    for name, value in (details or {}).items():
        setattr(intent, name, value)
        setattr(attempt, name, value)
    with writing(into) as writes:
        advance(
            intent,
            to=states.PROCESSING,
            moves=states.INTENT_MOVES,
            into=writes,
            customer_id=customer_id,
            payment_method_id=saved.pk,
            latest_attempt_id=attempt.pk,
            last_error=None,
            **(details or {}),
        )
        writes.insert(attempt)
        terms.add("charge", attempt.pk, attempt.metadata, into=writes)
    key = ids.show("ch", attempt.pk)
    return Question(
        book_id=intent.book_id,
        intent_id=intent.pk,
        attempt_id=attempt.pk,
        provider=provider,
        act=AUTHORISE,
        key=key,
        account=intent.book_id.hex,
        authorisation=Authorisation(
            key=key,
            account=intent.book_id.hex,
            amount_minor=attempt.amount_minor,
            currency=attempt.currency,
            card=card or customers.open_card(saved),
            captures=not attempt.is_manual,
            is_off_session=is_off_session,
            payee=payee,
            return_url=return_url or "",
            now=now,
            cvc=cvc,
        ),
    )


def begin_capture(
    *, intent_id: UUID, amount_minor: int | None, is_final: bool, now: datetime, origin: Origin
) -> Question:
    """Begin to capture what is held, or a part of it. This will note it on the attempt and return what to ask.

    Raises NotFound, operations.UnexpectedState, AmountTooLarge, and LockTimeout while
    another capture or a release is on its way.
    """
    intent = operations.lock(intent_id)
    attempt = under_way(intent)
    if intent.status != states.REQUIRES_CAPTURE or attempt is None:
        raise operations.unexpected(intent, "captured", origin)
    left = intent.capturable_minor
    amount = left if amount_minor is None else amount_minor
    if amount > left:
        raise AmountTooLarge(
            f"The amount to capture ({amount}) is greater than what is left to capture ({left}).",
            param="amount_to_capture",
        )
    if amount % money.step(intent.currency):
        raise Invalid(
            f"Amounts in {intent.currency} must be a multiple of {money.step(intent.currency)}.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    key = f"{ids.show('ch', attempt.pk)}:{attempt.captures_count + 1}"
    return _note(
        intent,
        attempt,
        asked_act=outcomes.CAPTURE,
        asked_key=key,
        asked_minor=amount,
        asked_until_minor=attempt.captured_minor + amount,
        asked_is_final=is_final,
    )


def begin_cancel(*, intent_id: UUID, reason: str | None, now: datetime, origin: Origin) -> Question | PaymentIntent:
    """Begin to give an intent up. What nobody was asked for is canceled at once, and returned.

    Where a provider holds money or challenges the payer, this will note the release and
    return what to ask; the intent is canceled when it is done. Raises NotFound,
    operations.UnexpectedState, and LockTimeout while a capture is on its way.
    """
    intent = operations.lock(intent_id)
    if intent.status not in states.CANCELABLE:
        raise operations.unexpected(intent, "canceled", origin)
    attempt = under_way(intent)
    if attempt is None:
        return operations.cancel(intent_id=intent_id, reason=reason, now=now, origin=origin)
    PaymentIntent.objects.filter(pk=intent.pk).update(cancellation_reason=reason)
    return _note(intent, attempt, asked_act=outcomes.VOID, asked_key=outcomes.void_key(attempt))


def under_way(intent: PaymentIntent) -> Attempt | None:
    """The attempt that a provider still works on or holds money for, if there is one."""
    if intent.latest_attempt_id is None:
        return None
    return Attempt.objects.filter(
        intent_id=intent.pk, pk=intent.latest_attempt_id, status__in=states.UNDER_WAY, provider__isnull=False
    ).first()


def asked_of(attempt: Attempt) -> Question:
    """The capture or release that an attempt still waits for, to be sent again under the same key."""
    assert attempt.asked_act is not None, "only what was asked is asked again"
    return Question(
        book_id=attempt.book_id,
        intent_id=attempt.intent_id,
        attempt_id=attempt.pk,
        provider=attempt.provider or "",
        act=attempt.asked_act,
        key=attempt.asked_key or "",
        account=attempt.book_id.hex,
        reference=attempt.provider_reference or "",
        amount_minor=attempt.asked_minor or 0,
        is_final=bool(attempt.asked_is_final),
    )


def provider_for(mode: str) -> str:
    """The provider that takes cards in a mode. Raises ProviderNotConfigured."""
    name = settings.CARD_PROVIDERS.get(mode)
    is_there = name in settings.PAYMENT_PROVIDERS and (mode != LIVE or port.find(name).serves_live)
    if name is None or not is_there:
        raise ProviderNotConfigured(
            f"No payment provider takes cards in {mode} mode here. Configure one, or pay in another way.",
            param="payment_method",
        )
    return name


def _note(intent: PaymentIntent, attempt: Attempt, **asked: Any) -> Question:
    """Write on the attempt what is asked of the provider, if nothing else is."""
    changed = Attempt.objects.filter(pk=attempt.pk, status=attempt.status, asked_act__isnull=True).update(
        **asked, due_at=None, asked_count=0
    )
    if not changed:
        raise LockTimeout("A capture or cancellation of this payment is still at work. Try again.")
    for name, value in asked.items():
        setattr(attempt, name, value)
    return asked_of(attempt)


# --- between the transactions ----------------------------------------------------------


def ask(question: Question, *, now: datetime) -> Heard:
    """Ask the provider, outside any transaction. Gives its report, or that none came, or that it was never asked.

    `now` is the book's clock: what the provider takes for the present.
    """
    provider = port.find(question.provider)
    try:
        if question.authorisation is not None:
            return provider.authorise(question.authorisation)
        if question.act == outcomes.CAPTURE:
            return provider.capture(
                key=question.key,
                account=question.account,
                reference=question.reference,
                amount_minor=question.amount_minor,
                is_final=question.is_final,
                now=now,
            )
        return provider.void(key=question.key, account=question.account, reference=question.reference, now=now)
    except Unanswered:
        return Unanswered
    except Unreachable:
        return Unreachable


# --- the second transaction ------------------------------------------------------------


def conclude(
    question: Question, heard: Heard, *, mode: str, now: datetime, origin: Origin, into: Writes | None = None
) -> PaymentIntent:
    """Write what came of a question. This will go through the one gate, and return the intent as it then is."""
    if isinstance(heard, Report):
        return outcomes.record_outcome(
            attempt_id=question.attempt_id,
            report=heard,
            mode=mode,
            now=now,
            origin=origin,
            answers=None if question.act == AUTHORISE else question.key,
            into=into,
        )
    if heard is Unreachable and question.act == AUTHORISE:
        return outcomes.never_sent(attempt_id=question.attempt_id, now=now, origin=origin)
    # A capture or a release that did not arrive is sent again by the sweep, under the same key.
    return outcomes.unanswered(attempt_id=question.attempt_id, now=now, origin=origin)
