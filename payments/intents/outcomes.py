"""The one gate: whatever a provider says of a payment is written down here and nowhere else.

An answer, a notice and the sweep's question all bring a `Report`, the whole of what the
provider knows at one moment. Reports come twice, late and in any order, so each is
compared with what is known already: money never shrinks, a state never goes back, and
one that contradicts what was asked parks for a person. docs/algorithms/outcomes.md has
the table.

Everything happens in the caller's unit of work: state, ledger, order and events together.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from merchant_platform.kernel import ids, money, tenancy
from merchant_platform.kernel.errors import missing
from merchant_platform.kernel.events.outbox import EventRow, publish, row
from merchant_platform.kernel.states import advance
from merchant_platform.kernel.writes import Writes, writing
from payments.customers import objects as customer_objects
from payments.customers import operations as customers
from payments.customers.models import PaymentMethod
from payments.intents import objects, parking, refunds, states
from payments.intents.models import Attempt, PaymentIntent
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.orders import operations as orders
from payments.orders.states import OPEN
from payments.origin import Origin
from payments.pricing import fees
from payments.providers.port import Report
from payments.tenders import operations as tenders
from payments.tenders.port import TenderGone
from payments.wallets import operations as wallets
from security.merchants import queries as merchants

# To abandon is to release as well; the intent stays and may be paid in another way.
CAPTURE, VOID, ABANDON = "capture", "void", "abandon"

# How far along a payment is. A report never moves an attempt to an earlier place.
_PLACES = {
    states.AUTHORIZING: 1,
    states.UNKNOWN: 1,
    states.AUTHENTICATING: 2,
    states.AUTHORIZED: 3,
    states.CAPTURED: 4,
    states.DECLINED: 4,
    states.VOIDED: 4,
}
_FINAL = frozenset({states.CAPTURED, states.DECLINED, states.VOIDED})


def record_outcome(
    *,
    attempt_id: UUID,
    report: Report,
    mode: str,
    now: datetime,
    origin: Origin,
    answers: str | None = None,
    into: Writes | None = None,
) -> PaymentIntent:
    """Write down what a provider says. This will move attempt and intent, post what was captured and tell events.

    One that says nothing new changes nothing. A report whose amount, currency, merchant
    or key are not the attempt's parks for a person, and so does one that contradicts a
    final word. `answers` is the key of the capture or void that the report is the direct
    answer to. Raises NotFound for an unknown attempt.
    """
    intent, attempt = _lock(attempt_id)
    reason = _mismatch(attempt, report)
    if reason is not None:
        parking.park(key=report.key, reason=reason, report=asdict(report), now=now)
        return intent
    grown = report.captured_minor - attempt.captured_minor
    state = _state_of(report)
    is_answer = answers is not None and attempt.asked_key == answers
    if not _moves(attempt, state) and grown <= 0 and not is_answer:
        return intent  # Nothing new: the same again, or an earlier word that arrives late.
    if grown > 0 and _is_last_word(attempt):
        parking.park(key=report.key, reason="captured_after_final", report=asdict(report), now=now)
        return intent
    before, is_canceling = attempt.status, attempt.asked_act == VOID
    counts = not attempt.is_late and _counts(intent, attempt, state, now=now, origin=origin)
    facts = _facts(attempt, report)
    if not counts and state in (states.AUTHORIZED, states.CAPTURED):
        facts["is_late"] = True
    if grown > 0:
        facts |= _post_capture(attempt, grown, mode=mode, now=now)
    if is_answer or _is_done(attempt, report, state):
        facts |= {"asked_act": None, "asked_key": None, "asked_minor": None, "asked_until_minor": None,
                  "asked_is_final": None}  # fmt: skip
    if facts.get("is_late") and state == states.AUTHORIZED and attempt.asked_act is None:
        facts |= {"asked_act": VOID, "asked_key": void_key(attempt)}
    with writing(into) as writes:
        _write(attempt, state, facts, into=writes)
        if grown > 0 and counts:
            orders.record_paid(intent.order, amount_minor=grown, into=writes)
            if intent.order.tendered_minor:
                tenders.complete(order=intent.order, now=now, origin=origin, into=writes)
            if merchants.is_platforms(attempt.book_id):
                wallets.land(intent_id=intent.pk, amount_minor=grown, now=now)
        told = _told_of_charge(attempt, before=before, grown=grown, now=now, origin=origin)
        if counts:
            told += _move_intent(
                intent, attempt, before=before, is_canceling=is_canceling, now=now, origin=origin, into=writes
            )
        publish(*told, into=writes)
        if attempt.is_late and attempt.status == states.CAPTURED and attempt.captured_minor > attempt.refunded_minor:
            writes.send()
            refunds.give_back_late(attempt=attempt, mode=mode, now=now, origin=origin)
    return intent


def never_sent(*, attempt_id: UUID, now: datetime, origin: Origin) -> PaymentIntent:
    """The question never left us. This will decline the attempt with `processing_error`: certainly nothing happened."""
    return _conclude(attempt_id, states.DECLINED, from_=frozenset({states.AUTHORIZING}), now=now, origin=origin)


def never_arrived(*, attempt_id: UUID, now: datetime, origin: Origin) -> PaymentIntent:
    """The provider does not know our key, long after we asked. This will void the attempt: payable again."""
    gone = frozenset({states.AUTHORIZING, states.UNKNOWN})
    return _conclude(attempt_id, states.VOIDED, from_=gone, now=now, origin=origin)


def unanswered(*, attempt_id: UUID, now: datetime, origin: Origin) -> PaymentIntent:
    """Asked, and no answer came. This will mark a question for money `unknown` and show the intent as processing."""
    intent, attempt = _lock(attempt_id)
    with writing(None) as writes:
        if attempt.status == states.AUTHORIZING:
            advance(attempt, to=states.UNKNOWN, moves=states.ATTEMPT_MOVES, into=writes)
        elif attempt.asked_act is None:
            return intent  # A notice was faster than the answer.
        if intent.status != states.PROCESSING:
            if not states.INTENT_MOVES.allows(intent.status, states.PROCESSING):
                return intent
            advance(intent, to=states.PROCESSING, moves=states.INTENT_MOVES, into=writes, next_action=None)
        publish(_intent_row("payment_intent.processing", intent, now=now, origin=origin), into=writes)
    return intent


def void_key(attempt: Attempt) -> str:
    """What makes the release of an attempt happen once with the provider."""
    return f"{ids.show('ch', attempt.pk)}:void"


# --- what a report means ---------------------------------------------------------------


def _mismatch(attempt: Attempt, report: Report) -> str | None:
    """What of a report is not the attempt's, if anything."""
    if report.key != ids.show("ch", attempt.pk):
        return "another_key"
    if report.account != attempt.book_id.hex:
        return "another_merchant"
    if report.currency.upper() != attempt.currency:
        return "another_currency"
    if report.amount_minor != attempt.amount_minor:
        return "another_amount"
    if report.captured_minor > attempt.amount_minor or report.authorized_minor > attempt.amount_minor:
        return "more_than_asked"
    return None


def _state_of(report: Report) -> str:
    if report.status == "voided" and report.captured_minor:
        return states.CAPTURED  # the rest of what was held is released
    return {
        "pending": states.AUTHORIZING,
        "challenge": states.AUTHENTICATING,
        "authorized": states.AUTHORIZED,
        "captured": states.CAPTURED,
        "declined": states.DECLINED,
        "voided": states.VOIDED,
    }[report.status]


def _moves(attempt: Attempt, state: str) -> bool:
    """Whether a state says more than what is known."""
    if attempt.status == states.UNKNOWN:
        return True
    if attempt.status in _FINAL:
        # What we concluded without the provider's word, its word overturns.
        return not _is_last_word(attempt) and state in (states.AUTHORIZED, states.CAPTURED)
    return _PLACES[state] > _PLACES[attempt.status]


def _is_last_word(attempt: Attempt) -> bool:
    return attempt.status in _FINAL and attempt.provider_reference is not None


def _is_done(attempt: Attempt, report: Report, state: str) -> bool:
    """Whether what was asked of the provider besides the payment itself is seen done."""
    if attempt.asked_act is None:
        return False
    if state in _FINAL:
        return True
    return (
        attempt.asked_act == CAPTURE
        and not attempt.asked_is_final
        and report.captured_minor >= (attempt.asked_until_minor or 0)
    )


def _counts(intent: PaymentIntent, attempt: Attempt, state: str, *, now: datetime, origin: Origin) -> bool:
    """Whether the payment is still wanted: its intent is open, waits for this attempt, and the order owes the money."""
    if intent.status in (states.SUCCEEDED, states.CANCELED) or intent.latest_attempt_id != attempt.pk:
        return False
    if state not in (states.AUTHORIZED, states.CAPTURED):
        return True
    if intent.amount_minor != attempt.amount_minor or intent.currency != attempt.currency:
        return False
    order = intent.order
    if order.status != OPEN or order.owed_minor < attempt.amount_minor - attempt.captured_minor:
        return False
    if not order.awaits_tenders:
        return True
    try:
        # Held since the payment began; held again where it was taken for failed and did not.
        tenders.secure(order=order, amount_minor=attempt.amount_minor, now=now, origin=origin)
    except TenderGone:
        return False
    return True


def _facts(attempt: Attempt, report: Report) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "provider_reference": report.reference,
        "authorized_minor": max(attempt.authorized_minor, report.authorized_minor),
        "authentication": dict(report.authentication) or attempt.authentication,
        "network": dict(report.network) or attempt.network,
        "challenge_url": report.challenge_url or attempt.challenge_url,
        "expires_at": report.expires_at or attempt.expires_at,
        "due_at": None,
        "asked_count": 0,
    }
    if report.status == "declined":
        facts |= {
            "failure_code": report.code or "card_declined",
            "decline_code": report.decline_code or (None if report.code != "card_declined" else "generic_decline"),
        }
    return facts


# --- what it changes -------------------------------------------------------------------


def _post_capture(attempt: Attempt, grown_minor: int, *, mode: str, now: datetime) -> dict[str, Any]:
    """The ledger entry of what was captured since the last: to the merchant, the fee from it.

    The fee is computed on all that is captured so far, so that several captures cost
    together what one would.
    """
    captured = attempt.captured_minor + grown_minor
    # The plan as it was at the first capture: a plan that changes between two changes no payment under way.
    # The platform takes no fee from itself.
    if attempt.captures_count:
        rate_ppm = attempt.fee_rate_ppm
    else:
        rate_ppm = 0 if merchants.is_platforms(attempt.book_id) else fees.rate_for(attempt.method)
    fee_minor = fees.fee(captured, rate_ppm)
    fee_grown = fee_minor - attempt.fee_minor
    merchant = chart.merchant(attempt.book_id, attempt.currency, mode)
    receivable = chart.acquirer(attempt.book_id, attempt.currency, mode)
    platform_fees = chart.fees(attempt.book_id, attempt.currency, mode)
    lines = [ledger.Line(receivable, merchant, grown_minor)]
    if fee_grown:
        lines.append(ledger.Line(merchant, platform_fees, fee_grown))
    number = attempt.captures_count + 1
    entry = ledger.Draft(
        id=ids.new(now),
        reference=f"capture:{ids.show('ch', attempt.pk)}:{number}",
        kind="charge",
        lines=lines,
        unit=money.unit(attempt.currency),
        effective_at=now,
        amount_minor=grown_minor,
        fee_minor=fee_grown,
        source_id=attempt.pk,
    )
    ledger.post(entry, opening=[merchant, receivable, platform_fees])
    return {
        "captured_minor": captured,
        "captures_count": number,
        "fee_rate_ppm": rate_ppm,
        "fee_minor": fee_minor,
        "entry_id": attempt.entry_id or entry.id,
    }


def _write(attempt: Attempt, state: str, facts: dict[str, Any], *, into: Writes) -> None:
    """Move the attempt and write facts, in one compare-and-set; where it stays in its place, the facts alone."""
    if state != attempt.status and _moves(attempt, state):
        advance(attempt, to=state, moves=states.ATTEMPT_MOVES, into=into, **facts)
    else:
        into.update(attempt, where={"status": attempt.status}, **facts)


def _move_intent(
    intent: PaymentIntent,
    attempt: Attempt,
    *,
    before: str,
    is_canceling: bool,
    now: datetime,
    origin: Origin,
    into: Writes,
) -> list[EventRow]:
    """Let the intent follow its attempt. This will write its state and give the events that tell of it."""
    is_asking = attempt.asked_act is not None and attempt.status not in _FINAL
    to = intent.status if is_asking else _intent_state(attempt, before, is_canceling=is_canceling)
    is_held = to == states.REQUIRES_CAPTURE or (is_asking and attempt.status == states.AUTHORIZED)
    fields: dict[str, Any] = {
        "received_minor": attempt.captured_minor,
        "capturable_minor": (attempt.authorized_minor or attempt.amount_minor) - attempt.captured_minor
        if is_held and attempt.is_manual
        else 0,
        "next_action": _next_action(attempt) if to == states.REQUIRES_ACTION else None,
    }
    if to == states.REQUIRES_PAYMENT_METHOD:
        fields |= {"last_error": payment_error(attempt, before, origin=origin), "payment_method_id": None}
    elif to == states.CANCELED:
        reason = intent.cancellation_reason if is_canceling else "automatic"
        fields |= {"canceled_at": now, "cancellation_reason": reason, "last_error": None}
    elif to in (states.SUCCEEDED, states.REQUIRES_CAPTURE):
        fields |= {"last_error": None, "payment_method_id": attempt.payment_method_id}
    if to != states.CANCELED and is_canceling and not is_asking:
        fields["cancellation_reason"] = None  # The money was taken before it could be released.
    was = (intent.status, intent.received_minor, intent.capturable_minor)
    if to == intent.status:
        into.update(intent, where={"status": to}, **fields)
    else:
        advance(intent, to=to, moves=states.INTENT_MOVES, into=into, **fields)
    if to == states.CANCELED:
        orders.cancel_bare(intent.order, into=into)
    if to in (states.CANCELED, states.REQUIRES_PAYMENT_METHOD) and intent.order.tendered_minor:
        # Known to have failed: what is not known yet keeps its tenders.
        tenders.release(order=intent.order, now=now, origin=origin)
    if to in (states.SUCCEEDED, states.REQUIRES_CAPTURE) and intent.setup_future_usage:
        _save_for_later(intent, attempt, now=now, origin=origin)
    if was == (intent.status, intent.received_minor, intent.capturable_minor):
        return []
    name = {
        states.PROCESSING: "payment_intent.processing",
        states.REQUIRES_ACTION: "payment_intent.requires_action",
        states.REQUIRES_CAPTURE: "payment_intent.amount_capturable_updated",
        states.SUCCEEDED: "payment_intent.succeeded",
        states.REQUIRES_PAYMENT_METHOD: "payment_intent.payment_failed",
        states.CANCELED: "payment_intent.canceled",
    }[intent.status]
    return [_intent_row(name, intent, now=now, origin=origin)]


def _intent_state(attempt: Attempt, before: str, *, is_canceling: bool) -> str:
    if attempt.status == states.VOIDED:
        is_over = before == states.AUTHORIZED or is_canceling
        return states.CANCELED if is_over else states.REQUIRES_PAYMENT_METHOD
    if attempt.status == states.AUTHORIZED:
        return states.REQUIRES_CAPTURE if attempt.is_manual else states.PROCESSING
    return {
        states.AUTHORIZING: states.PROCESSING,
        states.UNKNOWN: states.PROCESSING,
        states.AUTHENTICATING: states.REQUIRES_ACTION,
        states.CAPTURED: states.SUCCEEDED,
        states.DECLINED: states.CANCELED if is_canceling else states.REQUIRES_PAYMENT_METHOD,
    }[attempt.status]


def _next_action(attempt: Attempt) -> dict[str, Any]:
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"url": attempt.challenge_url, "return_url": attempt.return_url},
    }


def _save_for_later(intent: PaymentIntent, attempt: Attempt, *, now: datetime, origin: Origin) -> None:
    """What was paid with is kept with the customer, as the intent was told."""
    saved = PaymentMethod.objects.get(pk=attempt.payment_method_id)
    if intent.customer_id and saved.customer_id is None and saved.detached_at is None:
        customers.attach(method_id=saved.pk, customer_id=intent.customer_id, now=now, origin=origin)


def _conclude(attempt_id: UUID, state: str, *, from_: frozenset[str], now: datetime, origin: Origin) -> PaymentIntent:
    """Our own conclusion, without a provider's word: it leaves no reference, so that word may still overturn it."""
    intent, attempt = _lock(attempt_id)
    before = attempt.status
    if before not in from_ or attempt.provider_reference is not None:
        return intent  # Somebody heard of it in the meantime.
    with writing(None) as writes:
        advance(attempt, to=state, moves=states.ATTEMPT_MOVES, into=writes, failure_code="processing_error")
        told = [row("charge.failed", objects.charge(attempt, livemode=origin.livemode), now=now, **origin.tags)]
        if _counts(intent, attempt, state, now=now, origin=origin):
            told += _move_intent(
                intent, attempt, before=before, is_canceling=False, now=now, origin=origin, into=writes
            )
        publish(*told, into=writes)
    return intent


# --- what is told ----------------------------------------------------------------------


def payment_error(attempt: Attempt, before: str, *, origin: Origin) -> dict[str, Any]:
    """Stripe's error object for a refused card payment, as the intent keeps it in `last_payment_error`."""
    saved = PaymentMethod.objects.get(pk=attempt.payment_method_id)
    code = attempt.failure_code or "processing_error"
    if before == states.AUTHENTICATING and attempt.status == states.VOIDED:
        code = "payment_intent_authentication_failure"
    error: dict[str, Any] = {
        "charge": ids.show("ch", attempt.pk),
        "code": code,
        "doc_url": objects.failure_page(code, attempt.decline_code),
        "message": objects.failure_message(code, attempt.decline_code),
        "payment_method": customer_objects.payment_method(saved, livemode=origin.livemode),
        "type": "card_error" if code != "payment_intent_authentication_failure" else "invalid_request_error",
    }
    if attempt.decline_code:
        error["decline_code"] = attempt.decline_code
    return error


def _told_of_charge(attempt: Attempt, *, before: str, grown: int, now: datetime, origin: Origin) -> list[EventRow]:
    names = []
    if attempt.status != before and attempt.status == states.DECLINED:
        names.append("charge.failed")
    elif attempt.status != before and attempt.status == states.VOIDED:
        names.append("charge.expired" if before == states.AUTHORIZED else "charge.failed")
    elif before != states.AUTHORIZED and attempt.status in (states.AUTHORIZED, states.CAPTURED):
        names.append("charge.succeeded")
    elif grown > 0 and attempt.is_manual:
        names.append("charge.captured")
    return [row(name, objects.charge(attempt, livemode=origin.livemode), now=now, **origin.tags) for name in names]


def _intent_row(name: str, intent: PaymentIntent, *, now: datetime, origin: Origin) -> EventRow:
    return row(name, objects.payment_intent(intent, livemode=origin.livemode), now=now, **origin.tags)


def _lock(attempt_id: UUID) -> tuple[PaymentIntent, Attempt]:
    """Intent first, then attempt, then order: as everybody locks them. One statement, which locks in the order of `of`.

    Whoever waited for a lock gets the row as it then is, and so what was read of the others with it.
    """
    attempt = (
        Attempt.objects.select_related("intent__order")
        .select_for_update(of=("intent", "self", "intent__order"))
        .filter(pk=attempt_id)
        .first()
    )
    if attempt is None:
        raise missing("charge", ids.show("ch", attempt_id))
    assert attempt.book_id == tenancy.book_id(), "row-level security shows no other book's"
    return attempt.intent, attempt
