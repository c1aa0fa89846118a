"""Public codes: addresses that anybody may open who was given them, and that lead a door to its book."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import connections
from django.db.models import Model

from merchant_platform.kernel.ids import ALPHABET
from security.merchants.models import Book, Merchant, PublicCode

# 62 ** 22 > 2 ** 128: as hard to guess as a key.
LENGTH = 22


@cache
def _names(model: type[Model]) -> list[str]:
    return [column.attname for column in model._meta.concrete_fields]


# Every page that somebody was sent begins with it, so its text is put together once.
_FIND = (
    "SELECT c.object_id, "
    + ", ".join([*(f"b.{name}" for name in _names(Book)), *(f"m.{name}" for name in _names(Merchant))])
    + " FROM security_publiccode c JOIN security_book b ON b.id = c.book_id"
    " JOIN security_merchant m ON m.id = b.merchant_id WHERE c.code = %s AND c.kind = %s"
)


def make(*, kind: str, book_id: UUID, object_id: UUID, now: datetime) -> str:
    """Give an object a public address. This will write its code into the directory and return it."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    PublicCode.objects.create(code=code, kind=kind, book_id=book_id, object_id=object_id, created_at=now)
    return code


@dataclass(frozen=True, slots=True)
class Found:
    """What a code opens: the book, with its merchant, and what in it."""

    book: Book
    object_id: UUID


def find(*, kind: str, code: str) -> Found | None:
    """What a code of a kind opens, if it opens anything. One statement."""
    if len(code) != LENGTH or not code.isascii():
        return None
    with connections["default"].cursor() as cursor:
        cursor.execute(_FIND, [code, kind])
        found = cursor.fetchone()
    if found is None:
        return None
    object_id, *columns = found
    book = Book.from_db("default", _names(Book), columns[: len(_names(Book))])
    book.merchant = Merchant.from_db("default", _names(Merchant), columns[len(_names(Book)) :])
    return Found(book, object_id)
