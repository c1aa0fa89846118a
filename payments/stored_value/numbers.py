"""Numbers and PINs of stored-value cards: what is printed, and what recognises it. Neither is kept in the clear."""

import hmac
import re
import secrets
from uuid import UUID

from django.conf import settings
from stdnum import luhn

# Not a range of any bank's cards (ISO/IEC 7812: 9 is for national use), so that the two are never taken for another.
PREFIX = "98"
LENGTH, PIN_LENGTH = 16, 6
_PRINTED = re.compile(r"[0-9]{16}")


def new_number() -> str:
    """A new number: the prefix, 13 random digits, and the check digit that finds a slip of the pen."""
    digits = PREFIX + "".join(secrets.choice("0123456789") for _ in range(LENGTH - len(PREFIX) - 1))
    return digits + luhn.calc_check_digit(digits)


def new_pin() -> str:
    return "".join(secrets.choice("0123456789") for _ in range(PIN_LENGTH))


def read(text: str) -> str | None:
    """The number that somebody typed, without its gaps; None for what is no number of ours."""
    digits = re.sub(r"[\s-]", "", text)[: LENGTH + 1]
    if not digits.isascii() or not _PRINTED.fullmatch(digits) or not digits.startswith(PREFIX):
        return None
    return digits if luhn.is_valid(digits) else None


def number_digest(book_id: UUID, number: str) -> str:
    """What a number is found by in its book."""
    return _digest(b"number:" + book_id.bytes, number)


def pin_digest(card_id: UUID, pin: str) -> str:
    """What a PIN is recognised by. Bound to its card, so that equal PINs look different."""
    return _digest(b"pin:" + card_id.bytes, pin)


def is_pin(card_id: UUID, pin: str, digest: str) -> bool:
    """Whether a PIN is the card's, in the same time for every wrong one."""
    return hmac.compare_digest(pin_digest(card_id, pin), digest)


def _digest(about: bytes, text: str) -> str:
    # A key outside the database: who has its rows alone cannot try all of 10 ** 13 numbers.
    return hmac.digest(settings.STORED_VALUE_SECRET.encode(), about + b":" + text.encode(), "sha256").hex()
