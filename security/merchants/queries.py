"""Questions about merchants and their books."""

from collections.abc import Collection
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


@lru_cache(maxsize=10_000)
def is_platforms(book_id: UUID) -> bool:
    """Whether a book is the platform's own. Asked once a book."""
    return Book.objects.filter(pk=book_id, merchant__is_platform=True).exists()


def books(book_ids: Collection[UUID]) -> dict[UUID, Book]:
    """Books with their merchants, by id, in one statement."""
    return Book.objects.select_related("merchant").in_bulk(book_ids)


def book(book_id: UUID) -> Book:
    """A book with its merchant. Raises Book.DoesNotExist."""
    return Book.objects.select_related("merchant").get(pk=book_id)


def open_stores(merchant_id: UUID) -> list[Store]:
    """The stores of a merchant that sell, by name."""
    return list(Store.objects.filter(merchant_id=merchant_id, closed_at__isnull=True).order_by("name"))
