"""The life of a payment intent: create, update, cancel, and what has to hold before one is paid.

How it is paid has a road each: hot_path.py and wallet_road.py for a wallet, provider_road.py for a card.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Sum

from merchant_platform.kernel import ids, money, tenancy
from merchant_platform.kernel.errors import Invalid, WrongState, missing
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.rows import unsaved
from merchant_platform.kernel.states import advance
from merchant_platform.kernel.writes import Writes, writing
from payments.customers.models import Customer, PaymentMethod
from payments.intents import objects, states
from payments.intents.models import Attempt, PaymentIntent
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.orders import operations as orders
from payments.orders.models import Order
from payments.orders.states import CANCELED, OPEN
from payments.origin import Origin
from payments.pricing import fees
from payments.search import terms


class UnexpectedState(WrongState):
    """The intent's status does not allow what was asked."""

    code = "payment_intent_unexpected_state"


class MissingMethod(Invalid):
    """There is nothing to pay with yet."""

    code = "parameter_missing"


class MethodUnusable(Invalid):
    """The payment method is detached, or belongs to another customer."""

    code = "payment_method_unexpected_state"


class CaptureUnsupported(Invalid):
    """The payment method takes the money at once or not at all."""

    code = "capture_method_unsupported"


class TypeNotAllowed(Invalid):
    """The intent names the types it may be paid with, and this is none of them."""

    code = "payment_intent_incompatible_payment_method"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request says of a payment. Text fields keep the wire's difference of null and empty."""

    amount_minor: int
    currency: str
    customer_id: UUID | None = None
    payment_method_id: UUID | None = None
    order_reference: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    # Columns of the intent that are shown and copied, never acted on here.
    details: dict[str, Any] = field(default_factory=dict)


def draft(terms_: Terms, *, order_id: UUID, now: datetime, book_id: UUID) -> PaymentIntent:
    """The intent of a request, unsaved: pure, so that every road writes the same row."""
    return unsaved(
        PaymentIntent,
        id=ids.new(now),
        book_id=book_id,
        order_id=order_id,
        customer_id=terms_.customer_id,
        payment_method_id=terms_.payment_method_id,
        status=states.REQUIRES_CONFIRMATION if terms_.payment_method_id else states.REQUIRES_PAYMENT_METHOD,
        amount_minor=terms_.amount_minor,
        currency=terms_.currency,
        order_reference=terms_.order_reference,
        metadata=terms_.metadata,
        created_at=now,
        **terms_.details,
    )


def draft_attempt(intent: PaymentIntent, *, method: str, now: datetime) -> Attempt:
    """An attempt at an intent, unsaved: pure."""
    return unsaved(
        Attempt,
        id=ids.new(now),
        book_id=intent.book_id,
        intent_id=intent.pk,
        customer_id=intent.customer_id,
        payment_method_id=intent.payment_method_id,
        method=method,
        status=states.CREATED,
        amount_minor=intent.amount_minor,
        currency=intent.currency,
        description=intent.description,
        receipt_email=intent.receipt_email,
        statement_descriptor=intent.statement_descriptor,
        statement_descriptor_suffix=intent.statement_descriptor_suffix,
        transfer_group=intent.transfer_group,
        shipping=intent.shipping,
        metadata=intent.metadata,
        created_at=now,
    )


def draft_capture(attempt: Attempt, *, source: chart.AccountRef | None, mode: str, now: datetime) -> ledger.Draft:
    """The ledger entry of a captured payment: the amount to the merchant, the fee from it. Sets the attempt's fee.

    Without a `source` the first transfer is left to the database, which knows the wallet.
    """
    rate_ppm = fees.rate_for(attempt.method)
    fee_minor = fees.fee(attempt.amount_minor, rate_ppm)
    merchant = chart.merchant(attempt.book_id, attempt.currency, mode)
    lines = [] if source is None else [ledger.Line(source, merchant, attempt.amount_minor)]
    if fee_minor:
        lines.append(ledger.Line(merchant, chart.fees(attempt.book_id, attempt.currency, mode), fee_minor))
    entry = ledger.Draft(
        id=ids.new(now),
        reference=f"capture:{ids.show('ch', attempt.pk)}",
        kind="charge",
        lines=lines,
        unit=money.unit(attempt.currency),
        effective_at=now,
        amount_minor=attempt.amount_minor,
        fee_minor=fee_minor,
        source_id=attempt.pk,
    )
    attempt.fee_rate_ppm, attempt.fee_minor = rate_ppm, fee_minor
    return entry


def create(
    *,
    terms_: Terms,
    now: datetime,
    origin: Origin,
    method: PaymentMethod | None = None,
    into: Writes | None = None,
) -> PaymentIntent:
    """Create a payment intent. This will write it, its order where it names none, and tell `payment_intent.created`.

    The intent that comes back knows its `order`, locked or new, and its `payment_method`;
    `method` is that one where the caller has it at hand. Raises NotFound for an unknown
    customer or payment method, MethodUnusable, and orders.NothingOwed where the order it
    names is covered already.
    """
    method = method or find_method(terms_.payment_method_id)
    customer_id = payer(terms_.customer_id, terms_.payment_method_id, method)
    if customer_id != terms_.customer_id:
        terms_ = replace(terms_, customer_id=customer_id)
    with writing(into) as writes:
        order = _order_for(terms_, now=now, into=writes)
        intent = draft(terms_, order_id=order.pk, now=now, book_id=tenancy.book_id())
        intent.order = order
        if method is not None:
            intent.payment_method = method
        writes.insert(intent)
        terms.add("payment_intent", intent.pk, intent.metadata, into=writes)
        _tell("payment_intent.created", intent, now=now, origin=origin, into=writes)
    return intent


def update(
    *,
    intent_id: UUID,
    changes: dict[str, Any],
    metadata: dict[str, str | None] | None,
    now: datetime,
    origin: Origin,
) -> PaymentIntent:
    """Change an intent that nobody has paid yet. This will write the given columns.

    Raises NotFound, UnexpectedState once it was paid or canceled, and orders.NothingOwed.
    """
    intent = lock(intent_id)
    is_open = intent.status in states.CONFIRMABLE
    if not is_open and set(changes) - {"description", "receipt_email", "shipping"}:
        raise unexpected(intent, "updated", origin)
    if "customer_id" in changes or "payment_method_id" in changes:
        customer_id = changes.get("customer_id", intent.customer_id)
        if intent.customer_id and customer_id != intent.customer_id:
            raise Invalid("The customer of a payment intent cannot be changed once it is set.", param="customer")
        method_id = changes.get("payment_method_id", intent.payment_method_id)
        changes["customer_id"] = payer(customer_id, method_id, find_method(method_id))
        if is_open:
            changes["status"] = states.REQUIRES_CONFIRMATION if method_id else states.REQUIRES_PAYMENT_METHOD
        if changes.get("payment_method_id"):
            changes["last_error"] = None  # It told of the method before.
    if {"amount_minor", "currency"} & set(changes):
        _resize(intent, changes.get("amount_minor", intent.amount_minor), changes.get("currency", intent.currency))
    if metadata is not None:
        changes["metadata"] = merge(intent.metadata, metadata)
        terms.write("payment_intent", intent.pk, changes["metadata"])
    for name, value in changes.items():
        setattr(intent, name, value)
    intent.save(update_fields=list(changes))
    return intent


def cancel(*, intent_id: UUID, reason: str | None, now: datetime, origin: Origin) -> PaymentIntent:
    """Give an intent up. This will cancel it and its implicit order, and tell `payment_intent.canceled`.

    Raises NotFound and UnexpectedState.
    """
    intent = lock(intent_id)
    if intent.status not in states.CANCELABLE:
        raise unexpected(intent, "canceled", origin)
    with writing(None) as writes:
        advance(
            intent,
            to=states.CANCELED,
            moves=states.INTENT_MOVES,
            into=writes,
            cancellation_reason=reason,
            canceled_at=now,
        )
        orders.cancel_bare(intent.order, into=writes)
        _tell("payment_intent.canceled", intent, now=now, origin=origin, into=writes)
    return intent


def update_charge(
    *, attempt_id: UUID, changes: dict[str, Any], metadata: dict[str, str | None] | None, now: datetime, origin: Origin
) -> Attempt:
    """Change what is said of a charge. This will write it and tell `charge.updated`. Raises NotFound."""
    attempt = Attempt.objects.select_for_update().filter(pk=attempt_id).first()
    if attempt is None:
        raise missing("charge", ids.show("ch", attempt_id))
    if metadata is not None:
        changes["metadata"] = merge(attempt.metadata, metadata)
        terms.write("charge", attempt.pk, changes["metadata"])
    for name, value in changes.items():
        setattr(attempt, name, value)
    attempt.save(update_fields=list(changes))
    publish(row("charge.updated", objects.charge(attempt, livemode=origin.livemode), now=now, **origin.tags))
    return attempt


def method_for(
    intent: PaymentIntent, named: UUID | None, *, origin: Origin, method: PaymentMethod | None = None
) -> PaymentMethod:
    """What an intent is to be paid with: the named method, else its own; `method` is that one, where it is at hand.

    Reads only. Raises UnexpectedState for an intent that cannot be confirmed, MissingMethod,
    NotFound and MethodUnusable.
    """
    if intent.status not in states.CONFIRMABLE:
        raise unexpected(intent, "confirmed", origin)
    method_id = named or intent.payment_method_id
    if method_id is None:
        raise _missing_method()
    if method is not None and method.pk == method_id:
        return method
    return usable_method(method_id)


def check_type(intent: PaymentIntent, type_: str) -> None:
    """Raises TypeNotAllowed where the intent may not be paid with a payment method of this type."""
    if intent.payment_method_types and type_ not in intent.payment_method_types:
        allowed = ", ".join(intent.payment_method_types)
        raise TypeNotAllowed(
            f"The PaymentMethod provided ({type_}) is not allowed for this PaymentIntent, which accepts: {allowed}.",
            param="payment_method",
        )


def check_owed_still(intent: PaymentIntent) -> None:
    """Raises orders.NothingOwed where the locked order of an intent was canceled, or paid by another intent."""
    order = intent.order
    if order.status != OPEN or intent.amount_minor > order.owed_minor:
        raise orders.NothingOwed(
            f"The order '{order.reference or ids.show('ord', order.pk)}' does not owe {intent.amount_minor} any more.",
            param="payment_intent",
        )


def is_asked_for(order_id: UUID) -> bool:
    """Whether money for an order is on its way: a provider holds it, or was asked for it. Reads only.

    Exact under the order's lock, which everybody has who begins to ask.
    """
    return PaymentIntent.objects.filter(order_id=order_id, status__in=states.ASKED_FOR).exists()


def lock(intent_id: UUID) -> PaymentIntent:
    """The intent and its order, locked in this order until the unit of work ends. Raises NotFound."""
    locked = PaymentIntent.objects.select_related("order").select_for_update(of=("self", "order"))
    intent = locked.filter(pk=intent_id).first()
    if intent is None:
        raise missing("payment_intent", ids.show("pi", intent_id))
    return intent


def payer(customer_id: UUID | None, method_id: UUID | None, method: PaymentMethod | None) -> UUID | None:
    """The customer of a payment: the one that is named, else the payment method's, whose row is given.

    Raises NotFound for a customer or a method that is not there, MethodUnusable where they
    do not go together.
    """
    owner = method.customer if method is not None and method.customer_id else None
    is_owner = owner is not None and owner.pk == customer_id and owner.deleted_at is None
    if customer_id and not is_owner and not Customer.objects.filter(pk=customer_id, deleted_at__isnull=True).exists():
        raise missing("customer", ids.show("cus", customer_id), param="customer")
    if method_id is None:
        return customer_id
    saved = _usable(method_id, method)
    if customer_id and saved.customer_id and saved.customer_id != customer_id:
        raise MethodUnusable("The payment method belongs to another customer.", param="payment_method")
    return customer_id or saved.customer_id


def usable_method(method_id: UUID) -> PaymentMethod:
    """A payment method that may be paid with, and its customer. Reads only.

    Raises NotFound, and MethodUnusable for a detached one.
    """
    return _usable(method_id, find_method(method_id))


def find_method(method_id: UUID | None) -> PaymentMethod | None:
    """A payment method of the open book with its customer, if there is one. Reads only."""
    if method_id is None:
        return None
    return PaymentMethod.objects.select_related("customer").filter(pk=method_id).first()


def _usable(method_id: UUID, saved: PaymentMethod | None) -> PaymentMethod:
    if saved is None:
        raise missing("payment method", ids.show("pm", method_id), param="payment_method")
    if saved.detached_at is not None:
        raise MethodUnusable(
            "This payment method was detached from its customer and cannot be used again.", param="payment_method"
        )
    return saved


def _missing_method() -> MissingMethod:
    return MissingMethod(
        "You cannot confirm this PaymentIntent because it's missing a payment method. Update it with a payment "
        "method, or pass one to confirm.",
        param="payment_method",
    )


def _order_for(terms_: Terms, *, now: datetime, into: Writes) -> Order:
    reference = terms_.order_reference
    order = orders.find_by_reference(reference) if reference else None
    if order is None:
        if reference and reference.startswith("ord_"):
            raise missing("order", reference, param="payment_details[order_reference]")
        order, line = orders.bare(
            amount_minor=terms_.amount_minor,
            currency=terms_.currency,
            description=terms_.details.get("description"),
            now=now,
            book_id=tenancy.book_id(),
            customer_id=terms_.customer_id,
            reference=reference,
        )
        orders.write_bare(order, line, into=into)
        return order
    if order.is_implicit and order.status == CANCELED and not order.paid_minor:
        # Given up with its payment, and now wanted again under the same reference.
        orders.reopen_bare(order=order, amount_minor=terms_.amount_minor, currency=terms_.currency)
        return order
    _check_owed(order, terms_.amount_minor, terms_.currency, besides=None)
    return order


def _check_owed(order: Order, amount_minor: int, currency: str, *, besides: UUID | None) -> None:
    """Under the order's lock: its live intents never ask for more than it owes."""
    if order.currency != currency:
        raise Invalid(f"The order is in {order.currency.lower()}.", param="currency")
    live = PaymentIntent.objects.filter(order_id=order.pk).exclude(status__in=[states.SUCCEEDED, states.CANCELED])
    if besides is not None:
        live = live.exclude(pk=besides)
    covered = live.aggregate(total=Sum("amount_minor"))["total"] or 0
    # What tenders are to pay is covered too; once they did, it is not owed any more.
    left = order.owed_minor - covered - (0 if order.paid_minor else order.tendered_minor)
    if order.status != OPEN or amount_minor > left:
        raise orders.NothingOwed(
            f"The order '{order.reference or ids.show('ord', order.pk)}' still owes {max(left, 0)} that no other "
            f"payment covers; {amount_minor} is more.",
            param="amount",
        )


def _resize(intent: PaymentIntent, amount_minor: int, currency: str) -> None:
    if amount_minor % money.step(currency):
        raise Invalid(
            f"Amounts in {currency} must be a multiple of {money.step(currency)}.",
            code="parameter_invalid_integer",
            param="amount",
        )
    order = intent.order
    is_alone = not PaymentIntent.objects.filter(order=order).exclude(pk=intent.pk).exists()
    if order.is_implicit and is_alone:
        orders.resize_bare(order=order, amount_minor=amount_minor, currency=currency)
    else:
        _check_owed(order, amount_minor, currency, besides=intent.pk)


def unexpected(intent: PaymentIntent, verb: str, origin: Origin) -> UnexpectedState:
    """The refusal to do something to an intent in its present state, with the intent inside."""
    return UnexpectedState(
        f"This PaymentIntent's status is {intent.status}, so it cannot be {verb}.",
        payment_intent=objects.payment_intent(intent, livemode=origin.livemode),
    )


def _tell(event_type: str, intent: PaymentIntent, *, now: datetime, origin: Origin, into: Writes | None = None) -> None:
    shown = objects.payment_intent(intent, livemode=origin.livemode)
    publish(row(event_type, shown, now=now, **origin.tags), into=into)
