"""Codes that people scan to join: one of the merchant, and one of each store, which says where they joined."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from security.merchants import codes
from security.merchants.models import Merchant, PublicCode, Store

KIND = "join"
PLACES_MAX = 200


@dataclass(frozen=True, slots=True)
class Place:
    """The merchant as a whole (no store), or one of its stores, and its code if it has one."""

    object_id: UUID
    store: Store | None
    code: str


def places(merchant: Merchant, *, book_id: UUID) -> list[Place]:
    """Where people can join: two statements."""
    stores = list(Store.objects.filter(merchant=merchant, closed_at=None).order_by("name", "pk")[:PLACES_MAX])
    wanted = [merchant.pk, *(store.pk for store in stores)]
    known = dict(
        PublicCode.objects.filter(kind=KIND, book_id=book_id, object_id__in=wanted).values_list("object_id", "code")
    )
    return [
        Place(merchant.pk, None, known.get(merchant.pk, "")),
        *(Place(store.pk, store, known.get(store.pk, "")) for store in stores),
    ]


def make_all(merchant: Merchant, *, book_id: UUID, now: datetime) -> None:
    """Give every place a code that has none yet. This will write them; of two who do so at once, one wins."""
    for place in places(merchant, book_id=book_id):
        if not place.code:
            codes.make(kind=KIND, book_id=book_id, object_id=place.object_id, now=now)


def store_of(object_id: UUID, merchant: Merchant) -> Store | None:
    """The store that a code's object is; None for the merchant as a whole, or a store that is closed."""
    return Store.objects.filter(pk=object_id, merchant=merchant, closed_at=None).first()
