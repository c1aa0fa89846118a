"""Ways to reach somebody: written one way, whoever typed them, and masked where they are only shown."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import phonenumbers

from members.directory.models import EMAIL, PHONE, Contact
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid
from merchant_platform.kernel.rows import unsaved
from security.vault import operations as vault
from security.vault.boxes import Box

PURPOSE = "member contacts"
EMAIL_LENGTH_MAX, PHONE_LENGTH_MAX = 320, 30
ENDING_LENGTH = 4
_NO_PHONE, _NO_EMAIL = "This is no telephone number.", "This is no e-mail address."


class ContactInvalid(Invalid):
    """What was given reaches nobody."""


class PhoneInvalid(ContactInvalid):
    """This is no telephone number."""

    code = "phone_invalid"


class EmailInvalid(ContactInvalid):
    """This is no e-mail address."""

    code = "email_invalid"


def read(kind: str, text: str, *, country: str) -> str:
    """A contact in its one form: E.164, or lower case. `country` is the one of numbers without a code.

    Raises ContactInvalid.
    """
    return _phone(text, country) if kind == PHONE else _email(text)


def mask(kind: str, value: str) -> str:
    """Enough of a contact to recognise it by, and not enough to use it."""
    if kind == PHONE:
        # The code of the country and the last four digits.
        return f"{value[:3]}{'*' * max(len(value) - 7, 3)}{value[-4:]}"
    local, _, domain = value.partition("@")
    return f"{local[:1]}***@{domain}"


def box(*, now: datetime) -> Box:
    """What contacts of the open book are sealed and found with."""
    return vault.box(PURPOSE, now=now)


def digests(values: Iterable[tuple[str, str]], *, using: Box) -> list[str]:
    """What contacts are found by; each given as (kind, value in its one form)."""
    return [using.digest(f"{kind}:{value}") for kind, value in values]


def draft(member_id: UUID, kind: str, value: str, *, using: Box, now: datetime) -> Contact:
    """The row of a contact, unsaved."""
    identifier = ids.new(now)
    sealed = using.seal(value, row_id=identifier)
    return unsaved(
        Contact,
        id=identifier,
        book_id=tenancy.book_id(),
        member_id=member_id,
        kind=kind,
        nonce=sealed.nonce,
        ciphertext=sealed.text,
        digest=digests([(kind, value)], using=using)[0],
        mask=mask(kind, value),
        ending=value[-ENDING_LENGTH:] if kind == PHONE else "",
        created_at=now,
    )


def opened(rows: Iterable[Contact], *, using: Box) -> dict[str, str]:
    """Contacts of one member in the clear, by kind."""
    return {row.kind: using.open(row.nonce, row.ciphertext, row_id=row.pk) for row in rows}


def _phone(text: str, country: str) -> str:
    if len(text) > PHONE_LENGTH_MAX:
        raise PhoneInvalid(_NO_PHONE, param=PHONE)
    try:
        number: Any = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise PhoneInvalid(_NO_PHONE, param=PHONE) from error
    if not phonenumbers.is_possible_number(number):
        raise PhoneInvalid(_NO_PHONE, param=PHONE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(text: str) -> str:
    value = text.strip().lower()
    local, at, domain = value.rpartition("@")
    if not (at and local and "." in domain) or len(value) > EMAIL_LENGTH_MAX or any(each.isspace() for each in value):
        raise EmailInvalid(_NO_EMAIL, param=EMAIL)
    return value
