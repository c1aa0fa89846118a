"""What is due of sessions in all books: time ran out, money came, a receipt is to be written.

The page does the same for the session that it shows; this does it where nobody looks.
Each session is a unit of work of its own, and doing it twice changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connections

from merchant_platform.kernel import tenancy
from payments.checkout import joining, operations
from payments.checkout.models import CheckoutSession
from payments.checkout.moments import Moment
from payments.origin import Origin
from payments.receipts import operations as receipts
from security.merchants import queries as merchants

BATCH = 500


class Due(NamedTuple):
    id: UUID
    book_id: UUID


def look_after_due(*, recorded: datetime) -> int:
    """Settle every open session whose time ran out or whose payment ended. This will return how many it looked at."""
    due = _ask(
        "SELECT s.id, s.book_id FROM payments_checkoutsession s JOIN security_book b ON b.id = s.book_id"
        " LEFT JOIN payments_paymentintent i ON i.book_id = s.book_id AND i.id = s.intent_id"
        " WHERE s.status = 'open' AND (s.expires_at <= COALESCE(b.clock_at, %s)"
        " OR i.status IN ('succeeded', 'canceled')) ORDER BY s.expires_at LIMIT %s",
        [recorded, BATCH],
    )
    for session_id, book_id in due:
        moment, origin = _of(book_id, recorded)
        with tenancy.within(book_id):
            operations.look_after(session_id=session_id, moment=moment, origin=origin)
    return len(due)


def write_receipts(*, recorded: datetime) -> int:
    """Write the receipt of every paid session that has none. This will return how many it wrote."""
    due = _ask(
        "SELECT id, book_id FROM payments_checkoutsession WHERE status = 'complete' AND NOT has_receipt"
        " ORDER BY paid_at LIMIT %s",
        [BATCH],
    )
    for session_id, book_id in due:
        moment, _ = _of(book_id, recorded)
        write_receipt(session_id=session_id, book_id=book_id, moment=moment)
    return len(due)


def write_receipt(*, session_id: UUID, book_id: UUID, moment: Moment) -> None:
    """Write the receipt of a paid session, in a unit of work of its own. Once it is there, nothing changes."""
    with tenancy.within(book_id):
        session = operations.lock(session_id)
        if not session.is_complete or session.has_receipt:
            return
        assert session.paid_at is not None
        receipts.issue(
            intent_id=session.intent_id,
            order_id=None if session.intent_id else session.order_id,
            email=operations.email_of(session),
            language=session.language,
            paid_at=session.paid_at,
            now=moment.now,
        )
        joining.remember_payer(session)
        joining.accept(session, now=moment.now)
        CheckoutSession.objects.filter(pk=session.pk).update(has_receipt=True)


def _ask(statement: str, parameters: Sequence[datetime | int]) -> list[Due]:
    with connections["platform"].cursor() as cursor:
        cursor.execute(statement, parameters)
        return [Due(*found) for found in cursor.fetchall()]


def _of(book_id: UUID, recorded: datetime) -> tuple[Moment, Origin]:
    book = merchants.book(book_id)
    return Moment(now=book.clock_at or recorded, recorded=recorded), Origin(livemode=book.livemode)
