"""API keys: made, rotated with overlap, revoked. `sk_test_…`, `sk_live_…`, `pk_…`, `rk_…`."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from merchant_platform.kernel import ids
from merchant_platform.kernel.api import sealed
from merchant_platform.kernel.errors import Invalid, WrongState
from security.credentials.models import PUBLISHABLE, RESTRICTED, SECRET, ApiKey, CredentialsVersion
from security.merchants.models import LIVE, Book, Staff

PREFIXES = {SECRET: "sk", PUBLISHABLE: "pk", RESTRICTED: "rk"}
_ENTROPY_BYTES = 32
OVERLAP_MAX = timedelta(days=7)
NAME_LENGTH_MAX = 100
# Those that work, a book: a list that a person reads.
KEYS_MAX = 100


class TooManyKeys(Invalid):
    """The book has as many keys as it may have."""

    code = "api_key_limit"


class AlreadyRevoked(WrongState):
    """The key does not work any more, so there is nothing to rotate."""

    code = "api_key_revoked"


def digest(text: str) -> bytes:
    """What is kept of a key. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode()).digest()


def shown_prefix(*, kind: str, mode: str) -> str:
    """What the text of a key begins with: `sk_test_`."""
    return f"{PREFIXES[kind]}_{LIVE if mode == LIVE else 'test'}_"


def make(
    *,
    book: Book,
    kind: str,
    name: str = "",
    permissions: dict[str, str] | None = None,
    made_by: Staff | None = None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a key. This will write its digest and return the row with the text, which nobody can read again.

    A publishable key's text is no secret and is kept. Raises Invalid for permissions on a key that is not
    restricted, or none on one that is, and TooManyKeys.
    """
    if (kind == RESTRICTED) != bool(permissions):
        raise Invalid("A restricted key has permissions, the others have none.", param="permissions")
    if any(verb not in ("read", "write") for verb in (permissions or {}).values()):
        raise Invalid("A permission is 'read' or 'write'.", param="permissions")
    if made_by is not None and ApiKey.objects.filter(book=book, revoked_at__isnull=True).count() >= KEYS_MAX:
        raise TooManyKeys(f"A merchant has up to {KEYS_MAX} keys a mode: revoke one first.")
    drawn = secrets.token_urlsafe(_ENTROPY_BYTES).replace("-", "x").replace("_", "y")
    text = shown_prefix(kind=kind, mode=book.mode) + drawn
    key = ApiKey.objects.create(
        id=ids.new(now),
        book=book,
        kind=kind,
        name=name,
        digest=digest(text),
        last_four=text[-4:],
        public_text=text if kind == PUBLISHABLE else None,
        made_by=made_by,
        permissions=permissions or {},
        created_at=now,
    )
    return key, text


def rotate(*, key: ApiKey, overlap: timedelta, made_by: Staff | None = None, now: datetime) -> tuple[ApiKey, str]:
    """Replace a key. This will make a new one and let the old one work for `overlap` more.

    Raises AlreadyRevoked, and Invalid for an overlap over a week.
    """
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        raise Invalid("The old key can work beside the new one for a week at most.", param="overlap")
    with transaction.atomic():
        changed = ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True, expires_at__isnull=True).update(
            expires_at=now + overlap
        )
        if not changed:
            raise AlreadyRevoked("This key was rotated or revoked before.")
        bump_version()
        made = make(
            book=key.book,
            kind=key.kind,
            name=key.name,
            permissions=key.permissions or None,
            made_by=made_by,
            now=now,
        )
        ApiKey.objects.filter(pk=made[0].pk).update(
            networks=key.networks,
            certificates=key.certificates,
            signing_key=key.signing_key,
            encryption_key=key.encryption_key,
        )
        return made


def encrypt_to(*, key: ApiKey, jwk: dict[str, Any] | None) -> None:
    """Register the public key that answers are encrypted to, or take it back. This will hold within a second.

    Raises Invalid for what is no public P-256 key.
    """
    kept = sealed.checked(jwk) if jwk else None
    with transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(encryption_key=kept)
        bump_version()
    key.encryption_key = kept


def rename(*, key: ApiKey, name: str) -> None:
    """Call a key something else. This will write its name. Raises AlreadyRevoked, and Invalid for a long name."""
    if len(name) > NAME_LENGTH_MAX:
        raise Invalid(f"A name has up to {NAME_LENGTH_MAX} characters.", param="name")
    if not ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(name=name):
        raise AlreadyRevoked("This key was revoked before.")


def revoke(*, key: ApiKey, now: datetime) -> None:
    """Stop a key. This will refuse it everywhere within a second. Raises AlreadyRevoked."""
    with transaction.atomic():
        if not ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
            raise AlreadyRevoked("This key was revoked before.")
        bump_version()


def bump_version() -> None:
    """Make every web process forget the keys it remembers, within a second."""
    CredentialsVersion.bump()
