"""From an Authorization header to a book, without a round trip in the common case.

A process remembers a key for 30 seconds and asks once a second whether any key changed.
Wall time always: a test clock does not make a key older.
"""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from rest_framework.authentication import BaseAuthentication

from merchant_platform.kernel import clock
from merchant_platform.kernel.errors import Forbidden, Unauthenticated
from security.credentials import certificates, keys, networks, signatures
from security.credentials.models import RESTRICTED, SECRET, ApiKey, CredentialsVersion
from security.credentials.networks import Network
from security.merchants.models import LIVE

REMEMBERED_SECONDS = 30
POLL_SECONDS = 1
REMEMBERED_KEYS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who asks: an API key and the book it opens."""

    key_id: UUID
    book_id: UUID
    merchant_id: UUID
    mode: str
    kind: str
    permissions: Mapping[str, str]
    clock_at: datetime | None
    expires_at: datetime | None
    default_currency: str
    merchant_name: str
    digest: bytes = b""
    networks: tuple[Network, ...] = ()
    certificates: tuple[str, ...] = ()
    signing_key: str = ""
    encryption_key: Mapping[str, Any] | None = None

    @property
    def livemode(self) -> bool:
        return self.mode == LIVE

    @property
    def now(self) -> datetime:
        return clock.effective(self.clock_at)

    def may(self, permission: str) -> bool:
        """Whether the key opens `resource:verb`. Write includes read."""
        if self.kind == SECRET:
            return True
        if self.kind == RESTRICTED:
            resource, _, verb = permission.partition(":")
            return self.permissions.get(resource) in ({"write"} if verb == "write" else {"read", "write"})
        return False


@dataclass
class _Memory:
    """What one process remembers of keys. Losing it costs a query."""

    holders: dict[bytes, tuple[float, KeyHolder]] = field(default_factory=dict)
    version: int = 0
    polled_at: float = float("-inf")

    def find(self, digest: bytes) -> KeyHolder | None:
        now = time.monotonic()
        if now - self.polled_at > POLL_SECONDS:
            version = CredentialsVersion.objects.values_list("number", flat=True).filter(pk=1).first() or 0
            if version != self.version:
                self.holders.clear()
                self.version = version
            self.polled_at = now
        remembered = self.holders.get(digest)
        if remembered and now - remembered[0] < REMEMBERED_SECONDS:
            return remembered[1]
        version = self.version
        holder = _look_up(digest)
        # Another thread may have learnt meanwhile that keys changed: what was read before that is not kept.
        if holder and version == self.version:
            if len(self.holders) >= REMEMBERED_KEYS_MAX:
                self.holders.clear()
            self.holders[digest] = (now, holder)
        return holder


memory = _Memory()


class ApiKeyAuthentication(BaseAuthentication):
    """HTTP Basic with the key as user name, or a Bearer token."""

    def authenticate(self, request) -> tuple[None, KeyHolder] | None:
        headers = request._request.META
        header = headers.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        if headers.get("HTTP_STRIPE_ACCOUNT"):
            raise Forbidden("Connected accounts do not exist here: use the merchant's own key, not Stripe-Account.")
        holder = authenticate(_key_text(header))
        networks.check(holder.networks, headers)
        certificates.check(holder.certificates, headers)
        signatures.check(holder.signing_key, request._request, key_id=holder.key_id)
        return None, holder


def authenticate(text: str) -> KeyHolder:
    """The holder of a key. Raises Unauthenticated, with one message for every reason."""
    holder = memory.find(keys.digest(text))
    if holder is None or (holder.expires_at and holder.expires_at <= clock.wall()):
        raise Unauthenticated(f"Invalid API key provided: {_masked(text)}")
    return holder


def _key_text(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except ValueError as error:  # not base64, not ASCII, or not UTF-8 inside
            raise Unauthenticated("The Authorization header is not valid HTTP Basic.") from error
    raise Unauthenticated("Use HTTP Basic or Bearer authentication with your secret key.")


def _look_up(digest: bytes) -> KeyHolder | None:
    key = ApiKey.objects.select_related("book__merchant").filter(digest=digest, revoked_at__isnull=True).first()
    if key is None:
        return None
    return KeyHolder(
        key_id=key.pk,
        book_id=key.book_id,
        merchant_id=key.book.merchant_id,
        mode=key.book.mode,
        kind=key.kind,
        permissions=key.permissions,
        clock_at=key.book.clock_at,
        expires_at=key.expires_at,
        default_currency=key.book.merchant.default_currency,
        merchant_name=key.book.merchant.name,
        digest=bytes(key.digest),
        networks=networks.parse(key.networks),
        certificates=tuple(key.certificates),
        signing_key=key.signing_key,
        encryption_key=key.encryption_key,
    )


def _masked(text: str) -> str:
    return f"{text[:8]}***{text[-4:]}" if len(text) > 20 else "***"
