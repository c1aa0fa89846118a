"""What customers are found by: columns of their own, since under row security only plain comparisons reach an index.

A name is found by how it begins and an e-mail address too; a telephone number by how it
ends, because nobody types the same beginning: its digits are kept backwards.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from merchant_platform.kernel import ids

# Fewer digits than this are no telephone number but part of a name.
PHONE_DIGITS_MIN = 4
KEY_LENGTH_MAX = 200
# Greater than any character that a key can go on with, in the order of code points (the columns' collation is C).
_LAST = "\U0010ffff"


def keys_of(fields: Mapping[str, Any]) -> dict[str, str | None]:
    """The columns to find a customer by, for those of the fields that have one."""
    make = {"name": name_key, "email": email_key, "phone": phone_key}
    return {f"{name}_key": make[name](fields[name]) for name in make if name in fields}


def name_key(name: str | None) -> str | None:
    """A name without regard to case and to how it is spaced."""
    return " ".join((name or "").split()).lower()[:KEY_LENGTH_MAX] or None


def email_key(email: str | None) -> str | None:
    """An e-mail address without regard to case."""
    return (email or "").lower() or None


def phone_key(phone: str | None) -> str | None:
    """The digits of a telephone number, the last one first."""
    return _digits(phone or "")[::-1] or None


def condition(text: str) -> tuple[Q, str | None]:
    """What was typed into the search, as a condition, and the column whose order the answer has: none for an id."""
    text = text.strip()
    try:
        return Q(pk=ids.parse("cus", text)), None
    except ids.MalformedId:
        pass
    if "@" in text:
        return _begins("email_key", text.lower()), "email_key"
    digits = _digits(text)
    if len(digits) >= PHONE_DIGITS_MIN and not any(character.isalpha() for character in text):
        return _begins("phone_key", digits[::-1]), "phone_key"
    return _begins("name_key", name_key(text) or ""), "name_key"


def _begins(column: str, start: str) -> Q:
    return Q(**{f"{column}__gte": start, f"{column}__lt": start + _LAST})


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal() and character.isascii())
