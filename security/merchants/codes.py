"""Public codes: addresses that anybody may open who was given them, and that lead a door to its book."""

import secrets
from datetime import datetime
from uuid import UUID

from merchant_platform.kernel.ids import ALPHABET
from security.merchants.models import PublicCode

# 62 ** 22 > 2 ** 128: as hard to guess as a key.
LENGTH = 22


def make(*, kind: str, book_id: UUID, object_id: UUID, now: datetime) -> str:
    """Give an object a public address. This will write its code into the directory and return it."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    PublicCode.objects.create(code=code, kind=kind, book_id=book_id, object_id=object_id, created_at=now)
    return code


def find(*, kind: str, code: str) -> PublicCode | None:
    """What a code of a kind opens, if it opens anything."""
    if len(code) != LENGTH or not code.isascii():
        return None
    return PublicCode.objects.filter(code=code, kind=kind).first()
