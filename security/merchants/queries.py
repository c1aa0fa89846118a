"""Questions about merchants and their books."""

from functools import lru_cache
from uuid import UUID

from security.merchants.models import Book, Merchant


def platform_book_id(*, mode: str) -> UUID:
    """The platform's own book of a mode, where entries without another merchant go."""
    return _platform_book_ids(Merchant.objects.filter(is_platform=True).values_list("pk", flat=True).get(), mode)


@lru_cache(maxsize=16)
def _platform_book_ids(merchant_id: UUID, mode: str) -> UUID:
    return Book.objects.values_list("pk", flat=True).get(merchant_id=merchant_id, mode=mode)


def book(book_id: UUID) -> Book:
    """A book with its merchant. Raises Book.DoesNotExist."""
    return Book.objects.select_related("merchant").get(pk=book_id)
