"""The telephone number of a login: proved by a code, kept sealed, found by a keyed hash.

A number belongs to one login. It lets a consumer in by a code, and tells staff of what
happened to theirs; it is no second factor.
"""

import hmac
from datetime import datetime
from functools import cache
from typing import Any

import phonenumbers
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError, transaction

from merchant_platform.kernel.errors import Conflict, Invalid
from security.authentication import secrets
from security.authentication.models import Phone
from security.identity.models import User

LENGTH_MAX = 30
_KEY_BYTES = 32
_INFO = b"security.authentication.phones v1"
_MOBILE = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}


class NumberInvalid(Invalid):
    """What was typed is no mobile number that we write to."""


class NumberTaken(Conflict):
    """The number belongs to another login."""


def read(text: str) -> str:
    """A number in its one form (E.164), from what somebody typed. Raises NumberInvalid.

    Mobile numbers alone, and of SMS_COUNTRIES where those are named: a text to an expensive number is how people
    make others pay.
    """
    if len(text) > LENGTH_MAX:
        raise NumberInvalid("This is no telephone number.")
    try:
        number: Any = phonenumbers.parse(text, settings.PHONE_COUNTRY)
    except phonenumbers.NumberParseException as error:
        raise NumberInvalid("This is no telephone number.") from error
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in _MOBILE:
        raise NumberInvalid("This is no mobile number.")
    if settings.SMS_COUNTRIES and phonenumbers.region_code_for_number(number) not in settings.SMS_COUNTRIES:
        raise NumberInvalid("No messages are sent to this country.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def number_of(user: User) -> str | None:
    """The number of a login, in the clear."""
    sealed = Phone.objects.filter(user=user, digest__isnull=False).values_list("sealed", flat=True).first()
    return secrets.unseal(sealed) if sealed else None


def holder(number: str) -> User | None:
    """Whose number it is, among those who may sign in."""
    found = Phone.objects.select_related("user").filter(digest=_digest(number), user__is_active=True).first()
    return found.user if found else None


def keep(*, user: User, number: str, now: datetime) -> None:
    """Give a login the number that it proved, in place of one before. This will write it. Raises NumberTaken."""
    try:
        with transaction.atomic():
            Phone.objects.update_or_create(
                user=user, defaults={"sealed": secrets.seal(number), "digest": _digest(number), "proved_at": now}
            )
    except IntegrityError as error:
        raise NumberTaken("This number belongs to another account.") from error


def forget(*, user: User) -> bool:
    """Take a login's number away. This will empty its row and say whether there was one."""
    held = Phone.objects.filter(user=user, digest__isnull=False)
    return bool(held.update(sealed="", digest=None, proved_at=None))


def _digest(number: str) -> bytes:
    return hmac.digest(_key(settings.SECRET_KEY), number.encode(), "sha256")


@cache
def _key(secret_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO).derive(secret_key.encode())
