"""API keys: made, rotated with overlap, revoked. `sk_test_…`, `sk_live_…`, `pk_…`, `rk_…`."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Invalid, WrongState
from security.credentials.models import PUBLISHABLE, RESTRICTED, SECRET, ApiKey, CredentialsVersion
from security.merchants.models import Book

PREFIXES = {SECRET: "sk", PUBLISHABLE: "pk", RESTRICTED: "rk"}
_ENTROPY_BYTES = 32
OVERLAP_MAX = timedelta(days=7)


class AlreadyRevoked(WrongState):
    """The key does not work any more, so there is nothing to rotate."""

    code = "api_key_revoked"


def digest(text: str) -> bytes:
    """What is kept of a key. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode()).digest()


def make(
    *, book: Book, kind: str, name: str = "", permissions: dict[str, str] | None = None, now: datetime
) -> tuple[ApiKey, str]:
    """Make a key. This will write its digest and return the row with the text, which nobody can read again.

    Raises Invalid for permissions on a key that is not restricted, or none on one that is.
    """
    if (kind == RESTRICTED) != bool(permissions):
        raise Invalid("A restricted key has permissions, the others have none.", param="permissions")
    if any(verb not in ("read", "write") for verb in (permissions or {}).values()):
        raise Invalid("A permission is 'read' or 'write'.", param="permissions")
    mode = "live" if book.livemode else "test"
    text = f"{PREFIXES[kind]}_{mode}_{secrets.token_urlsafe(_ENTROPY_BYTES).replace('-', 'x').replace('_', 'y')}"
    key = ApiKey.objects.create(
        id=ids.new(now),
        book=book,
        kind=kind,
        name=name,
        digest=digest(text),
        last_four=text[-4:],
        permissions=permissions or {},
        created_at=now,
    )
    return key, text


def rotate(*, key: ApiKey, overlap: timedelta, now: datetime) -> tuple[ApiKey, str]:
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
        made = make(book=key.book, kind=key.kind, name=key.name, permissions=key.permissions or None, now=now)
        ApiKey.objects.filter(pk=made[0].pk).update(networks=key.networks)
        return made


def revoke(*, key: ApiKey, now: datetime) -> None:
    """Stop a key. This will refuse it everywhere within a second. Raises AlreadyRevoked."""
    with transaction.atomic():
        if not ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
            raise AlreadyRevoked("This key was revoked before.")
        bump_version()


def bump_version() -> None:
    """Make every web process forget the keys it remembers, within a second."""
    CredentialsVersion.bump()
