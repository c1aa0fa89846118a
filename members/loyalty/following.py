"""What happened to orders and members, and what points make of it. Every handler may run twice, in any order."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connections

from members.directory.models import Member
from members.loyalty import accruals, bonuses
from members.loyalty.bonuses import Bonus
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.arrays import literal
from merchant_platform.kernel.events import router
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from payments.intents.models import PaymentIntent
from payments.origin import Origin
from security.merchants import queries as merchants

# Orders of who joins that are looked at: those of the hour before.
ORDERS_MAX = 20
_LATEST_ORDERS = """
SELECT o.id, o.created_at
FROM unnest(%(customers)s::uuid[], %(sinces)s::uuid[]) AS joined (customer_id, since)
CROSS JOIN LATERAL (
    SELECT id, created_at FROM payments_order
    WHERE book_id = %(book)s AND customer_id = joined.customer_id AND id >= joined.since
    ORDER BY id DESC LIMIT %(limit)s
) AS o
"""


def books() -> Iterable[UUID]:
    """The books whose payments are followed: those with a programme that gives points."""
    with connections["platform"].cursor() as cursor:
        cursor.execute("SELECT DISTINCT book_id FROM members_programme WHERE is_active")
        return [book_id for (book_id,) in cursor.fetchall()]


@router.together
def earn(events: Sequence[Event]) -> None:
    """React to payments that succeeded: once their orders are paid, they earn."""
    paid_at = {ids.parse("pi", load(event.data)["id"]): event.created_at for event in events}
    paid: dict[UUID, datetime] = {}
    for order_id, intent_id in PaymentIntent.objects.filter(pk__in=paid_at).values_list("order_id", "pk"):
        # Paid in several parts: by the last of them.
        paid[order_id] = max(paid_at[intent_id], paid.get(order_id, paid_at[intent_id]))
    _accrue(paid)


def take_back(event: Event) -> None:
    """React to a refund, or to one that failed: what the order earned follows what of it was refunded."""
    order_id = _order_of(load(event.data)["payment_intent"])
    if order_id is not None:
        _take_back(order_id)


def earn_tendered(event: Event) -> None:
    """React to tenders that paid the rest of an order: where no payment was beside them, it earns now."""
    _accrue({ids.parse("ord", load(event.data)["order"]): event.created_at})


def take_back_tendered(event: Event) -> None:
    """React to a tender that was given back: what the order earned follows."""
    _take_back(ids.parse("ord", load(event.data)["order"]))


def grant_bonus(event: Event) -> None:
    """React to an offer that was used: what it promises in points is granted, or why not is remembered."""
    told = load(event.data)
    if not told["bonus_points"]:
        return
    bonus = Bonus(
        redemption=told["id"],
        order_id=ids.parse("ord", told["order"]),
        customer_id=ids.parse("cus", told["customer"]) if told["customer"] else None,
        currency=told["currency"].upper(),
        points=told["bonus_points"],
        paid_at=event.created_at,
    )
    book = merchants.book(tenancy.book_id())
    bonuses.grant(bonus=bonus, now=book.now, origin=Origin(livemode=book.livemode))


@router.together
def join(events: Sequence[Event]) -> None:
    """React to new members: the purchases at which they joined earn."""
    joined = Member.objects.filter(pk__in=[ids.parse("mem", load(event.data)["id"]) for event in events])
    known = list(joined.values_list("customer_id", "joined_at"))
    with connections["default"].cursor() as cursor:
        cursor.execute(
            _LATEST_ORDERS,
            {
                "book": tenancy.book_id(),
                "customers": literal(customer_id for customer_id, _ in known),
                "sinces": literal(ids.first_at(joined_at - accruals.JOINING) for _, joined_at in known),
                "limit": ORDERS_MAX,
            },
        )
        _accrue(dict(cursor.fetchall()))


def _accrue(paid: dict[UUID, datetime]) -> None:
    if paid:
        book = merchants.book(tenancy.book_id())
        accruals.accrue(paid=paid, now=book.now, origin=Origin(livemode=book.livemode))


def _take_back(order_id: UUID) -> None:
    book = merchants.book(tenancy.book_id())
    origin = Origin(livemode=book.livemode)
    accruals.take_back(order_id=order_id, now=book.now, origin=origin)
    bonuses.take_back(order_id=order_id, now=book.now, origin=origin)


def _order_of(intent: str) -> UUID | None:
    found = PaymentIntent.objects.filter(pk=ids.parse("pi", intent))
    return found.values_list("order_id", flat=True).first()
