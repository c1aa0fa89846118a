"""Eighteen digits that nobody can guess, and what is kept of them. Pure."""

import hashlib
import hmac
import secrets

from django.conf import settings

LENGTH = 18
# What a till tells our codes by from those of other wallets.
PREFIX = "88"
_RANDOM = LENGTH - len(PREFIX)


def new() -> str:
    """A fresh code."""
    return f"{PREFIX}{secrets.randbelow(10**_RANDOM):0{_RANDOM}d}"


def is_code(text: str) -> bool:
    """Whether a text has the form of a code."""
    return len(text) == LENGTH and text.isascii() and text.isdigit() and text.startswith(PREFIX)


def digest(code: str) -> bytes:
    """What is stored of a code: the digits alone could be tried out."""
    return hmac.new(settings.SECRET_KEY.encode(), f"payment code:{code}".encode(), hashlib.sha256).digest()


def grouped(code: str) -> str:
    """A code as a person reads it aloud: in fours."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))
