"""The café's stored-value and gift cards: issued and loaded by the very operations that make real ones."""

from datetime import datetime, timedelta
from uuid import UUID

from merchant_platform.demo.shops import CAFE
from merchant_platform.kernel import tenancy
from payments.customers.models import Customer
from payments.origin import Origin
from payments.stored_value import operations
from payments.stored_value.models import GIFT, STORED, StoredValueCard
from security.merchants.models import TEST, Book

_ORIGIN = Origin(livemode=False)
# What people paid for, and what the café put on top.
_STORED = ((30_000, 3_000), (50_000, 6_000), (30_000, 3_000), (10_000, 0))
_GIFTS = (10_000, 20_000, 5_000)


def make(*, now: datetime) -> int:
    """Let people carry the café's cards, if there are none. This will return how many were made.

    Stored-value cards belong to the people who can sign in, so that they are offered on the
    pay page; of the gift cards one is frozen.
    """
    book = Book.objects.get(merchant__slug=CAFE.slug, mode=TEST)
    with tenancy.within(book.pk):
        if StoredValueCard.objects.exists():
            return 0
        owners = Customer.objects.filter(consumer__user__isnull=False).order_by("pk").values_list("pk", flat=True)
        for customer_id, (paid, bonus) in zip(owners, _STORED, strict=False):
            _issue(STORED, paid, bonus, customer_id=customer_id, now=now)
        gifts = [_issue(GIFT, paid, 0, customer_id=None, now=now) for paid in _GIFTS]
        operations.freeze(card_id=gifts[-1], now=now, origin=_ORIGIN)
        return StoredValueCard.objects.count()


def _issue(kind: str, paid: int, bonus: int, *, customer_id: UUID | None, now: datetime) -> UUID:
    card, _, _ = operations.issue(
        kind=kind,
        currency=CAFE.currency,
        customer_id=customer_id,
        expires_at=now + timedelta(days=3 * 365) if kind == GIFT else None,
        metadata=None,
        now=now,
        origin=_ORIGIN,
    )
    operations.load(card_id=card.pk, amount_minor=paid, bonus_minor=bonus, now=now, origin=_ORIGIN)
    return card.pk
