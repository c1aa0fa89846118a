"""Setup intents: save a card for later. The provider verifies it by holding nothing (an amount of zero).

The same shape as a payment: begin, ask, conclude, and one gate (`record`) for answer,
notice and sweep. A setup moves no money, so nothing is posted.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import WrongState, missing
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.rows import unsaved
from merchant_platform.kernel.states import advance
from merchant_platform.kernel.writes import Writes, writing
from payments.customers import objects as customer_objects
from payments.customers import operations as customers
from payments.customers.models import PaymentMethod
from payments.intents import objects, operations, parking, provider_road, states
from payments.intents.models import SetupIntent
from payments.intents.provider_road import AUTHORISE, Heard, Question
from payments.origin import Origin
from payments.providers import port
from payments.providers.port import Authorisation, Report, Unanswered, Unreachable
from security.vault.cards import ClearCard

FAILED_AUTHENTICATION = "setup_intent_authentication_failure"
VERIFIED_MINOR = 0


class UnexpectedState(WrongState):
    """The setup intent's status does not allow what was asked."""

    code = "setup_intent_unexpected_state"


def create(
    *,
    customer_id: UUID | None,
    method_id: UUID | None,
    details: Mapping[str, Any],
    metadata: dict[str, str],
    currency: str,
    now: datetime,
    origin: Origin,
    method: PaymentMethod | None = None,
    into: Writes | None = None,
) -> SetupIntent:
    """Create a setup intent. This will write it and tell `setup_intent.created`.

    The setup that comes back knows its `payment_method`; `method` is that one where it is
    at hand. Raises NotFound and operations.MethodUnusable.
    """
    method = method or operations.find_method(method_id)
    setup = unsaved(
        SetupIntent,
        id=ids.new(now),
        book_id=tenancy.book_id(),
        customer_id=operations.payer(customer_id, method_id, method),
        payment_method_id=method_id,
        status=states.REQUIRES_CONFIRMATION if method_id else states.REQUIRES_PAYMENT_METHOD,
        metadata=metadata,
        currency=currency,
        created_at=now,
        **details,
    )
    if method is not None:
        setup.payment_method = method
    with writing(into) as writes:
        writes.insert(setup)
        _tell("setup_intent.created", setup, now=now, origin=origin, into=writes)
    return setup


def update(*, setup_id: UUID, changes: dict[str, Any], metadata: dict[str, str | None] | None) -> SetupIntent:
    """Change a setup intent that waits for its confirmation. This will write the given columns.

    Raises NotFound, UnexpectedState and operations.MethodUnusable.
    """
    setup = lock(setup_id)
    if setup.status not in states.CONFIRMABLE:
        raise _unexpected(setup, "updated")
    if "customer_id" in changes or "payment_method_id" in changes:
        method_id = changes.get("payment_method_id", setup.payment_method_id)
        changes["customer_id"] = operations.payer(
            changes.get("customer_id", setup.customer_id), method_id, operations.find_method(method_id)
        )
        changes["status"] = states.REQUIRES_CONFIRMATION if method_id else states.REQUIRES_PAYMENT_METHOD
        changes["last_error"] = None
    if metadata is not None:
        changes["metadata"] = merge(setup.metadata, metadata)
    for name, value in changes.items():
        setattr(setup, name, value)
    setup.save(update_fields=list(changes))
    return setup


def method_for(setup: SetupIntent, named: UUID | None, *, method: PaymentMethod | None = None) -> PaymentMethod:
    """The card to verify: the named one, else the setup's own; `method` is that one, where it is at hand.

    Reads only. Raises NotFound, UnexpectedState, operations.MissingMethod and operations.MethodUnusable.
    """
    if setup.status not in states.CONFIRMABLE:
        raise _unexpected(setup, "confirmed")
    chosen = named or setup.payment_method_id
    if chosen is None:
        raise operations.MissingMethod(
            "You cannot confirm this SetupIntent because it's missing a payment method.", param="payment_method"
        )
    return method if method is not None and method.pk == chosen else operations.usable_method(chosen)


def begin(
    *,
    setup: SetupIntent,
    saved: PaymentMethod,
    cvc: str | None,
    return_url: str | None,
    payee: str,
    mode: str,
    now: datetime,
    card: ClearCard | None = None,
    into: Writes | None = None,
) -> Question:
    """Begin to verify a card. This will set the setup intent `processing` and return what to ask.

    The setup is locked, or still to be written by `into`; `saved` is what `method_for` gave,
    `card` what stands on it where that is at hand. Raises operations.TypeNotAllowed,
    operations.MethodUnusable and provider_road.ProviderNotConfigured.
    """
    provider = provider_road.provider_for(mode)
    if saved.type != "card":
        raise operations.TypeNotAllowed("Only cards can be set up.", param="payment_method")
    attempt_id = ids.new(now)
    with writing(into) as writes:
        advance(
            setup,
            to=states.PROCESSING,
            moves=states.SETUP_MOVES,
            into=writes,
            payment_method_id=saved.pk,
            customer_id=operations.payer(setup.customer_id, saved.pk, saved),
            latest_attempt_id=attempt_id,
            provider=provider,
            provider_reference=None,
            return_url=return_url or setup.return_url,
            last_error=None,
            due_at=None,
            asked_count=0,
        )
    key = ids.show("setatt", attempt_id)
    return Question(
        book_id=setup.book_id,
        intent_id=setup.pk,
        attempt_id=attempt_id,
        provider=provider,
        act=AUTHORISE,
        key=key,
        account=setup.book_id.hex,
        authorisation=Authorisation(
            key=key,
            account=setup.book_id.hex,
            amount_minor=VERIFIED_MINOR,
            currency=setup.currency,
            card=card or customers.open_card(saved),
            captures=False,
            is_off_session=False,
            payee=payee,
            return_url=setup.return_url or "",
            now=now,
            cvc=cvc,
        ),
    )


def conclude(question: Question, heard: Heard, *, now: datetime, origin: Origin) -> SetupIntent:
    """Write what came of a verification, and return the setup intent as it then is."""
    if isinstance(heard, Report):
        return record(attempt_id=question.attempt_id, report=heard, now=now, origin=origin)
    setup = _lock_by_attempt(question.attempt_id)
    if heard is Unreachable and setup.status == states.PROCESSING:
        _fail(setup, "processing_error", None, now=now, origin=origin)
    return setup


def record(*, attempt_id: UUID, report: Report, now: datetime, origin: Origin) -> SetupIntent:
    """Write down what a provider says of a verification. The one gate of setups: once, in any order.

    Raises NotFound.
    """
    setup = _lock_by_attempt(attempt_id)
    if setup.latest_attempt_id != attempt_id or setup.status not in (states.PROCESSING, states.REQUIRES_ACTION):
        return setup
    reason = _mismatch(setup, report)
    if reason is not None:
        parking.park(key=report.key, reason=reason, report=asdict(report), now=now)
        return setup
    if report.status in ("authorized", "captured"):
        _succeed(setup, report, now=now, origin=origin)
    elif report.status == "challenge" and setup.status == states.PROCESSING:
        action = {"url": report.challenge_url, "return_url": setup.return_url}
        advance(
            setup,
            to=states.REQUIRES_ACTION,
            moves=states.SETUP_MOVES,
            provider_reference=report.reference,
            next_action={"type": "redirect_to_url", "redirect_to_url": action},
            due_at=None,
        )
        _tell("setup_intent.requires_action", setup, now=now, origin=origin)
    elif report.status in ("declined", "voided"):
        code = report.code or FAILED_AUTHENTICATION
        if code == "payment_intent_authentication_failure":
            code = FAILED_AUTHENTICATION
        _fail(setup, code, report.decline_code, now=now, origin=origin)
    return setup


def cancel(*, setup_id: UUID, reason: str | None, now: datetime, origin: Origin) -> SetupIntent:
    """Give a setup up. This will cancel it and tell `setup_intent.canceled`. Raises NotFound and UnexpectedState.

    A challenge that the payer still answers verifies a card that nobody saves.
    """
    setup = lock(setup_id)
    if setup.status not in states.CONFIRMABLE | {states.REQUIRES_ACTION}:
        raise _unexpected(setup, "canceled")
    advance(
        setup,
        to=states.CANCELED,
        moves=states.SETUP_MOVES,
        cancellation_reason=reason,
        canceled_at=now,
        next_action=None,
    )
    _tell("setup_intent.canceled", setup, now=now, origin=origin)
    return setup


def look(*, setup_id: UUID, book_id: UUID, now: datetime, origin: Origin, gives_up: bool = False) -> SetupIntent:
    """Ask the provider what became of a verification, outside any transaction, and write what it says.

    With `gives_up` a question that never arrived ends the try. Raises NotFound.
    """
    with tenancy.within(book_id):
        setup = lock(setup_id)
    if setup.status not in (states.PROCESSING, states.REQUIRES_ACTION) or setup.latest_attempt_id is None:
        return setup
    key = ids.show("setatt", setup.latest_attempt_id)
    try:
        report = port.find(setup.provider or "").query(key=key, account=book_id.hex, now=now)
    except (Unanswered, Unreachable):
        return setup
    with tenancy.within(book_id):
        if report is not None:
            return record(attempt_id=setup.latest_attempt_id, report=report, now=now, origin=origin)
        fresh = lock(setup_id)
        if gives_up and fresh.status == states.PROCESSING and fresh.latest_attempt_id == setup.latest_attempt_id:
            _fail(fresh, "processing_error", None, now=now, origin=origin)
        return fresh


def lock(setup_id: UUID) -> SetupIntent:
    """The setup intent, locked until the unit of work ends. Raises NotFound."""
    setup = SetupIntent.objects.select_for_update().filter(pk=setup_id).first()
    if setup is None:
        raise missing("setup_intent", ids.show("seti", setup_id))
    return setup


def _lock_by_attempt(attempt_id: UUID) -> SetupIntent:
    setup = SetupIntent.objects.select_for_update().filter(latest_attempt_id=attempt_id).first()
    if setup is None:
        raise missing("setup attempt", ids.show("setatt", attempt_id))
    return setup


def _mismatch(setup: SetupIntent, report: Report) -> str | None:
    if report.account != setup.book_id.hex:
        return "another_merchant"
    if report.currency.upper() != setup.currency:
        return "another_currency"
    if report.amount_minor != VERIFIED_MINOR or report.captured_minor:
        return "another_amount"
    return None


def _succeed(setup: SetupIntent, report: Report, *, now: datetime, origin: Origin) -> None:
    advance(
        setup,
        to=states.SUCCEEDED,
        moves=states.SETUP_MOVES,
        provider_reference=report.reference,
        next_action=None,
        last_error=None,
        due_at=None,
    )
    saved = _saved(setup)
    if setup.customer_id and saved.customer_id is None and saved.detached_at is None:
        customers.attach(method_id=saved.pk, customer_id=setup.customer_id, now=now, origin=origin)
    _tell("setup_intent.succeeded", setup, now=now, origin=origin)


def _fail(setup: SetupIntent, code: str, decline_code: str | None, *, now: datetime, origin: Origin) -> None:
    saved = _saved(setup)
    error: dict[str, Any] = {
        "code": code,
        "doc_url": objects.failure_page(code, decline_code),
        "message": objects.failure_message(code, decline_code),
        "payment_method": customer_objects.payment_method(saved, livemode=origin.livemode),
        "type": "invalid_request_error" if code == FAILED_AUTHENTICATION else "card_error",
    }
    if decline_code:
        error["decline_code"] = decline_code
    advance(
        setup,
        to=states.REQUIRES_PAYMENT_METHOD,
        moves=states.SETUP_MOVES,
        payment_method_id=None,
        next_action=None,
        last_error=error,
        due_at=None,
    )
    _tell("setup_intent.setup_failed", setup, now=now, origin=origin)


def _saved(setup: SetupIntent) -> PaymentMethod:
    assert setup.payment_method_id is not None, "a verification has a card"
    return PaymentMethod.objects.get(pk=setup.payment_method_id)


def _unexpected(setup: SetupIntent, verb: str) -> UnexpectedState:
    return UnexpectedState(f"This SetupIntent's status is {setup.status}, so it cannot be {verb}.")


def _tell(event_type: str, setup: SetupIntent, *, now: datetime, origin: Origin, into: Writes | None = None) -> None:
    shown = objects.setup_intent(setup, livemode=origin.livemode)
    publish(row(event_type, shown, now=now, **origin.tags), into=into)
