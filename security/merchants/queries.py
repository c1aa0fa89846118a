"""Questions about merchants and their books."""

from functools import lru_cache
from uuid import UUID

from security.merchants.models import LIVE, Book, Merchant, Store


def platform_book_id(*, mode: str) -> UUID:
    """The platform's own book of a mode, where entries without another merchant go."""
    return _platform_book_ids(Merchant.objects.filter(is_platform=True).values_list("pk", flat=True).get(), mode)


@lru_cache(maxsize=16)
def _platform_book_ids(merchant_id: UUID, mode: str) -> UUID:
    return Book.objects.values_list("pk", flat=True).get(merchant_id=merchant_id, mode=mode)


@lru_cache(maxsize=10_000)
def is_live(book_id: UUID) -> bool:
    """Whether a book is a live one. A book never changes its mode, so this is asked once. Raises Book.DoesNotExist."""
    return Book.objects.values_list("mode", flat=True).get(pk=book_id) == LIVE


def book(book_id: UUID) -> Book:
    """A book with its merchant. Raises Book.DoesNotExist."""
    return Book.objects.select_related("merchant").get(pk=book_id)


def open_stores(merchant_id: UUID) -> list[Store]:
    """The stores of a merchant that sell, by name."""
    return list(Store.objects.filter(merchant_id=merchant_id, closed_at__isnull=True).order_by("name"))
