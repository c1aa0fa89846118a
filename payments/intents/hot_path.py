"""The commonest payment in one round trip: created and confirmed at once, from a wallet.

The rules run here, in Python, on the same drafts as the general road (operations.py);
the rows of all tables go to the database in one function call in autocommit
(sql/pay_wallet_v1.sql). It commits a success or nothing. Where the database finds the
payment otherwise, the caller takes the general road, which writes the decline and says
why. A test holds the rows of both roads against each other.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import connections
from django.db.utils import DatabaseError

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.outbox import row
from merchant_platform.kernel.idempotency import Answer, LockTimeout, Request, replay_of
from merchant_platform.kernel.wire import dump
from payments.customers.models import PaymentMethod
from payments.intents import objects, operations, states
from payments.intents.operations import Terms
from payments.ledger import chart
from payments.ledger.operations import FOREIGN_CLUSTER, LACKS_AMOUNT
from payments.orders import operations as orders
from payments.origin import Origin

GENERAL_ROAD = frozenset({"PW001", LACKS_AMOUNT, FOREIGN_CLUSTER, "23503"})  # 23503: an account is not open yet
LOCK_NOT_AVAILABLE = frozenset({"55P03", "40P01"})

_CALL = (
    "SELECT outcome, fingerprint, status, body, request_id FROM pay_wallet_v1("
    + ", ".join(
        ["%s::uuid", "%s::timestamptz", "%s", "%s::bytea", "%s", "%s", "%s::uuid", "%s::uuid", "%s", "%s", "%s"]
        + ["%s::uuid", "%s::uuid", "%s", "%s::uuid"]
        + ["%s"] * 9
        + ["%s::uuid", "%s", "%s", "%s::uuid", "%s", "%s::uuid[]", "%s::uuid", "%s::uuid"]
        + ["%s::uuid[]", "%s::text[]", "%s::text[]", "%s::uuid[]", "%s::uuid[]", "%s::text[]"]
    )
    + ")"
)


def pay(
    *, book_id: UUID, mode: str, terms_: Terms, now: datetime, origin: Origin, idempotency: Request | None
) -> Answer | None:
    """Create and confirm a wallet payment in one call. This will write all of it, or nothing and return None.

    None says: take the general road. Raises KeyReused and LockTimeout.
    """
    if terms_.details.get("setup_future_usage") is not None:
        return None  # rare with a wallet, and the function does not write it
    method_id = terms_.payment_method_id
    customer_id = terms_.customer_id or _customer_of(book_id, method_id)
    if method_id is None or customer_id is None:
        return None
    terms_ = replace(terms_, customer_id=customer_id)
    order, line = orders.bare(
        amount_minor=terms_.amount_minor,
        currency=terms_.currency,
        description=terms_.details.get("description"),
        now=now,
        book_id=book_id,
        customer_id=customer_id,
    )
    intent = operations.draft(terms_, order_id=order.pk, now=now, book_id=book_id)
    created = objects.payment_intent(intent, livemode=origin.livemode)
    attempt = operations.draft_attempt(intent, method="wallet", now=now)
    entry = operations.draft_capture(attempt, source=None, mode=mode, now=now)
    attempt.status, attempt.captured_minor, attempt.entry_id = states.CAPTURED, attempt.amount_minor, entry.id
    intent.status, intent.received_minor = states.SUCCEEDED, attempt.amount_minor
    intent.latest_attempt_id = attempt.pk
    charge = objects.charge(attempt, livemode=origin.livemode)
    # The same object as rendering the intent again, without the cost of that.
    response = dump(
        {
            **created,
            "amount_received": intent.received_minor,
            "latest_charge": charge["id"],
            "status": intent.status,
        }
    )
    events = [
        row("payment_intent.created", created, now=now),
        row("charge.succeeded", charge, now=now),
        row("payment_intent.succeeded", response, now=now),
    ]
    owed = [(event, target) for event in events for target in event.targets]
    metadata = dump(intent.metadata)
    arguments = [
        book_id.hex, now,
        idempotency.key if idempotency else None,
        idempotency.fingerprint if idempotency else None,
        origin.request_id, response,
        customer_id.hex, method_id.hex, intent.amount_minor, intent.currency, entry.unit,
        order.pk.hex, line.pk.hex, line.description,
        intent.pk.hex, dump(intent.payment_method_types), intent.capture_method, intent.description,
        intent.receipt_email, intent.statement_descriptor, intent.statement_descriptor_suffix, intent.transfer_group,
        dump(intent.shipping) if intent.shipping is not None else None, metadata,
        attempt.pk.hex, attempt.fee_rate_ppm, attempt.fee_minor,
        entry.id.hex, entry.reference, _array([ids.new(now), ids.new(now)]),
        chart.merchant(book_id, intent.currency, mode).id.hex, chart.fees(book_id, intent.currency, mode).id.hex,
        _array([event.id for event in events]),
        [event.type for event in events], [event.data for event in events],
        _array([ids.new(now) for _ in owed]), _array([event.id for event, _ in owed]),
        [target for _, target in owed],
    ]  # fmt: skip
    found = _call(arguments)
    if found is None:
        return None
    outcome, fingerprint, status, body, request_id = found
    if outcome == "replay":
        assert idempotency is not None, "only a key can be replayed"
        return replay_of(idempotency, fingerprint, status, body, request_id)
    return Answer(status=200, body=response, moved_money=True)


def _call(arguments: list) -> tuple | None:
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(_CALL, arguments)
            return cursor.fetchone()
    except DatabaseError as error:
        code = getattr(error.__cause__, "pgcode", None)
        if code in GENERAL_ROAD:
            return None
        if code in LOCK_NOT_AVAILABLE:
            raise LockTimeout("Another request on the same object is still at work. Try again.") from error
        raise


def _array(identifiers: Sequence[UUID]) -> str:
    """A uuid[] literal. Ids go as text: the driver's adapter for UUID takes longer than all else in the call."""
    return "{" + ",".join([identifier.hex for identifier in identifiers]) + "}"


def _customer_of(book_id: UUID, method_id: UUID | None) -> UUID | None:
    if method_id is None:
        return None
    with tenancy.within(book_id):
        return PaymentMethod.objects.filter(pk=method_id).values_list("customer_id", flat=True).first()
