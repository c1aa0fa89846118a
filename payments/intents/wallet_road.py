"""The general road of a payment whose value stands in the ledger already: from a wallet, in one transaction.

The commonest one, created and confirmed at once, takes hot_path.py, which writes the same
rows in one call; this road takes every other, and says why where one is declined.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from merchant_platform.kernel import ids
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.errors import doc_url
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.states import advance
from merchant_platform.kernel.writes import writing
from payments.customers import objects as customer_objects
from payments.customers.models import PaymentMethod
from payments.intents import objects, operations, states
from payments.intents.models import Attempt, PaymentIntent
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.methods import port as methods
from payments.methods.decisions import ALLOWED
from payments.orders import operations as orders
from payments.origin import Origin
from payments.search import terms
from payments.tenders import operations as tenders


def confirm(
    *,
    intent_id: UUID,
    mode: str,
    now: datetime,
    origin: Origin,
    payment_method_id: UUID | None = None,
    details: dict[str, Any] | None = None,
    authentication: dict[str, Any] | None = None,
) -> PaymentIntent:
    """Try to take the money. This will write an attempt and its outcome; the intent then says how it went.

    `authentication` is what the payer showed of themselves (factors.py), where they are there.
    A decline is an outcome, not an error: the intent is back in
    `requires_payment_method` with `last_error`. Raises NotFound, UnexpectedState,
    MissingMethod and MethodUnusable.
    """
    intent = operations.lock(intent_id)
    saved = operations.method_for(intent, payment_method_id, origin=origin)
    return take(
        intent=intent, saved=saved, mode=mode, now=now, origin=origin, details=details, authentication=authentication
    )


def take(
    *,
    intent: PaymentIntent,
    saved: PaymentMethod,
    mode: str,
    now: datetime,
    origin: Origin,
    details: dict[str, Any] | None = None,
    authentication: dict[str, Any] | None = None,
) -> PaymentIntent:
    """`confirm` for a locked intent and the method that `method_for` gave."""
    operations.check_type(intent, saved.type)
    if intent.capture_method == "manual":
        raise operations.CaptureUnsupported(
            "A wallet payment cannot be captured later: use 'automatic' or 'automatic_async'.", param="capture_method"
        )
    if intent.order.awaits_tenders:
        tenders.secure(order=intent.order, amount_minor=intent.amount_minor, now=now, origin=origin)
    with writing(None) as writes:
        paid_with = {
            "customer_id": operations.payer(intent.customer_id, saved.pk, saved),
            "payment_method_id": saved.pk,
        }
        writes.update(intent, where={"status": intent.status}, **paid_with, **(details or {}))
        attempt = operations.draft_attempt(intent, method=saved.type, now=now)
        attempt.billing_details = saved.billing_details
        attempt.authentication = authentication
        writes.insert(attempt)
        terms.add("charge", attempt.pk, attempt.metadata, into=writes)
    method = methods.find(saved.type)
    readiness = method.prepare(saved, methods.Payment(attempt.amount_minor, attempt.currency, now))
    facts = readiness.facts
    if rules.evaluate(method.rule, facts).verdict == ALLOWED:
        try:
            _capture(intent, attempt, readiness.source, mode=mode, now=now, origin=origin)
        except ledger.InsufficientFunds:
            facts = {**facts, "has_funds": False}
        else:
            return intent
    _, verdict = rules.record(method.rule, facts, subject_id=attempt.pk, now=now)
    _decline(intent, attempt, saved, verdict.reasons[0].code, now=now, origin=origin)
    return intent


def _capture(
    intent: PaymentIntent,
    attempt: Attempt,
    source: chart.AccountRef,
    *,
    mode: str,
    now: datetime,
    origin: Origin,
) -> None:
    entry = operations.draft_capture(attempt, source=source, mode=mode, now=now)
    # Everybody locks intent or charge, then order, then balance, so nobody waits in a circle.
    # A savepoint: where the money is not there, the decline is written instead.
    with transaction.atomic():
        ledger.post(
            entry,
            opening=[
                chart.merchant(attempt.book_id, attempt.currency, mode),
                chart.fees(attempt.book_id, attempt.currency, mode),
            ],
        )
    with writing(None) as writes:
        advance(
            attempt,
            to=states.CAPTURED,
            moves=states.ATTEMPT_MOVES,
            into=writes,
            captured_minor=attempt.amount_minor,
            fee_rate_ppm=attempt.fee_rate_ppm,
            fee_minor=attempt.fee_minor,
            entry_id=entry.id,
        )
        advance(
            intent,
            to=states.SUCCEEDED,
            moves=states.INTENT_MOVES,
            into=writes,
            received_minor=attempt.amount_minor,
            latest_attempt_id=attempt.pk,
            last_error=None,
        )
        orders.record_paid(intent.order, amount_minor=attempt.amount_minor, into=writes)
        if intent.order.tendered_minor:
            tenders.complete(order=intent.order, now=now, origin=origin, into=writes)
        publish(
            row("charge.succeeded", objects.charge(attempt, livemode=origin.livemode), now=now, **origin.tags),
            row(
                "payment_intent.succeeded",
                objects.payment_intent(intent, livemode=origin.livemode),
                now=now,
                **origin.tags,
            ),
            into=writes,
        )


def _decline(
    intent: PaymentIntent, attempt: Attempt, saved: PaymentMethod, code: str, *, now: datetime, origin: Origin
) -> None:
    if intent.order.tendered_minor:
        tenders.release(order=intent.order, now=now, origin=origin)
    error = objects.decline_error(
        decline_code=code,
        charge_id=ids.show("ch", attempt.pk),
        payment_method=customer_objects.payment_method(saved, livemode=origin.livemode),
        doc_url=doc_url(code),
    )
    declined = {"payment_method_id": None, "latest_attempt_id": attempt.pk, "last_error": error}
    with writing(None) as writes:
        advance(attempt, to=states.DECLINED, moves=states.ATTEMPT_MOVES, into=writes, decline_code=code)
        if intent.status == states.REQUIRES_PAYMENT_METHOD:
            writes.update(intent, where={"status": intent.status}, **declined)
        else:
            advance(intent, to=states.REQUIRES_PAYMENT_METHOD, moves=states.INTENT_MOVES, into=writes, **declined)
        publish(
            row("charge.failed", objects.charge(attempt, livemode=origin.livemode), now=now, **origin.tags),
            row(
                "payment_intent.payment_failed",
                objects.payment_intent(intent, livemode=origin.livemode),
                now=now,
                **origin.tags,
            ),
            into=writes,
        )
