"""The commonest payment in one round trip: created and confirmed at once, from a wallet.

The rules run here, in Python, on the same drafts as the general road (operations.py);
the rows of all tables go to the database in one function call in autocommit
(sql/pay_wallets_v3.sql), together with those of payments that wait at that moment
(lane.py). It commits a success or nothing. Where the database finds the payment
otherwise, the caller takes the general road, which writes the decline and says why. A
test holds the rows of both roads against each other.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DatabaseError

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.outbox import row
from merchant_platform.kernel.idempotency import Answer, LockTimeout, Request
from merchant_platform.kernel.wire import dump
from payments.customers.models import PaymentMethod
from payments.intents import objects, operations, states
from payments.intents.lane import Lane
from payments.intents.operations import Terms
from payments.ledger import chart
from payments.ledger.operations import FOREIGN_CLUSTER, LACKS_AMOUNT
from payments.orders import operations as orders
from payments.origin import Origin

GENERAL_ROAD = frozenset({"PW001", LACKS_AMOUNT, FOREIGN_CLUSTER})
LOCK_NOT_AVAILABLE = frozenset({"55P03", "40P01"})

_CALL = "SELECT pay_wallets_v3(%s::wallet_payment_v2[], %s, %s, %s)"

# A payment as the call takes it: the literal of wallet_payment_v2, and the JSON of its three events.
Row = tuple[str, str, str, str]


def pay(
    *, book_id: UUID, mode: str, terms_: Terms, now: datetime, origin: Origin, idempotency: Request | None
) -> Answer | None:
    """Create and confirm a wallet payment in one call. This will write all of it, or nothing and return None.

    None says: take the general road. Raises LockTimeout.
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
    # In the order of the type's columns (sql/types/wallet_payment_v2.sql). What can be any text is quoted.
    payment = [
        book_id.hex, now.isoformat(),
        _quoted(idempotency.key if idempotency else None),
        _quoted(f"\\x{idempotency.fingerprint.hex()}" if idempotency else None),
        _quoted(origin.request_id),
        customer_id.hex, method_id.hex, str(intent.amount_minor), intent.currency, entry.unit,
        order.pk.hex, line.pk.hex, _quoted(line.description),
        intent.pk.hex, _quoted(dump(intent.payment_method_types)), intent.capture_method,
        _quoted(intent.description), _quoted(intent.receipt_email), _quoted(intent.statement_descriptor),
        _quoted(intent.statement_descriptor_suffix), _quoted(intent.transfer_group),
        _quoted(dump(intent.shipping) if intent.shipping is not None else None), _quoted(dump(intent.metadata)),
        attempt.pk.hex, str(attempt.fee_rate_ppm), str(attempt.fee_minor),
        entry.id.hex, entry.reference, ids.new(now).hex, ids.new(now).hex,
        chart.merchant(book_id, intent.currency, mode).id.hex, chart.fees(book_id, intent.currency, mode).id.hex,
        *[event.id.hex for event in events],
        _array([ids.new(now).hex for _ in owed]), _array([event.id.hex for event, _ in owed]),
        _array([target for _, target in owed]),
    ]  # fmt: skip
    try:
        is_paid = wallets.go((f"({','.join(payment)})", events[0].data, events[1].data, events[2].data))
    except DatabaseError as error:
        if _code(error) in LOCK_NOT_AVAILABLE:
            raise LockTimeout("Another request on the same object is still at work. Try again.") from error
        raise
    # Otherwise, or with a key that was used before, the general road knows what to answer.
    return Answer(status=200, body=response, moved_money=True) if is_paid else None


def _write(connection: BaseDatabaseWrapper, payments: Sequence[Row]) -> bool:
    """Whether all were written now; False where one of them is for the general road, and nothing was written."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_CALL, [list(column) for column in zip(*payments, strict=True)])
    except DatabaseError as error:
        if _code(error) in GENERAL_ROAD:
            return False
        raise
    return True


wallets = Lane(_write)


def _code(error: DatabaseError) -> str | None:
    return getattr(error.__cause__, "pgcode", None)


def _quoted(value: str | None) -> str:
    """Any text as a column of a composite literal; nothing at all is null."""
    if value is None:
        return ""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _array(words: Sequence[str]) -> str:
    """An array of ids or dotted names, which need no quotes of their own, as a column of a composite literal."""
    return f'"{{{",".join(words)}}}"'


def _customer_of(book_id: UUID, method_id: UUID | None) -> UUID | None:
    if method_id is None:
        return None
    with tenancy.within(book_id):
        return PaymentMethod.objects.filter(pk=method_id).values_list("customer_id", flat=True).first()
