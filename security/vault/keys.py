"""Envelope encryption: key-encryption keys from the environment wrap data keys, data keys seal cards.

AES-256-GCM (NIST SP 800-38D) by the `cryptography` package. Nonces are 96 random bits:
safe for 2^32 texts under one key, and a unique constraint stands behind them. What a text
belongs to is authenticated with it, so that a row moved elsewhere opens nothing.
"""

import base64
import binascii
import hmac
import os
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from merchant_platform.kernel.errors import Unavailable

KEY_BYTES, NONCE_BYTES = 32, 12
FINGERPRINT_LENGTH = 32


class Tampered(RuntimeError):
    """A text does not open: it, its row or its key is not what was sealed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A text under seal, and its nonce."""

    nonce: bytes
    text: bytes


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key-encryption keys by their ids. New data keys are wrapped by the current one."""

    current_id: str
    keys: dict[str, bytes]

    def wrap(self, data_key: bytes, *, book_id: UUID, key_id: UUID) -> Sealed:
        """A book's data key under the current key."""
        return seal(self.keys[self.current_id], data_key, about=_about_key(book_id, key_id, self.current_id))

    def unwrap(self, sealed: Sealed, *, book_id: UUID, key_id: UUID, wrapped_by: str) -> bytes:
        """A book's data key in the clear. Raises Tampered, and Unavailable for a wrapping key that is gone."""
        if wrapped_by not in self.keys:
            raise Unavailable(f"The vault's key '{wrapped_by}' is missing from VAULT_KEYS.")
        return unseal(self.keys[wrapped_by], sealed, about=_about_key(book_id, key_id, wrapped_by))


def ring() -> KeyRing:
    """The keys of settings.VAULT_KEYS. Raises Unavailable where there are none or they cannot be read."""
    return _read(settings.VAULT_KEYS)


def new_key() -> bytes:
    """256 random bits."""
    return AESGCM.generate_key(KEY_BYTES * 8)


def as_setting(key_id: str, key: bytes) -> str:
    """A key as VAULT_KEYS carries it."""
    return f"{key_id}:{base64.b64encode(key).decode()}"


def seal(key: bytes, text: bytes, *, about: bytes) -> Sealed:
    """Encrypt under a fresh nonce; `about` is authenticated and not kept."""
    nonce = os.urandom(NONCE_BYTES)
    return Sealed(nonce, AESGCM(key).encrypt(nonce, text, about))


def unseal(key: bytes, sealed: Sealed, *, about: bytes) -> bytes:
    """Decrypt. Raises Tampered where key, nonce, text or `about` is another than at the sealing."""
    try:
        return AESGCM(key).decrypt(sealed.nonce, sealed.text, about)
    except InvalidTag as error:
        raise Tampered("A sealed text does not open.") from error


def fingerprint(data_key: bytes, number: str) -> str:
    """What a card is known by in one book: HMAC-SHA256 under a key derived from the book's own."""
    return digest(derive(data_key, b"card fingerprint"), number)[:FINGERPRINT_LENGTH]


def derive(data_key: bytes, purpose: bytes) -> bytes:
    """A key for one purpose that follows from a book's own (RFC 5869)."""
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=purpose).derive(data_key)


def digest(key: bytes, text: str) -> str:
    """HMAC-SHA256: equal texts are equal, and without the key nobody can try texts."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def about_card(book_id: UUID, token_id: UUID) -> bytes:
    """What a sealed card is bound to."""
    return b"card:" + book_id.bytes + token_id.bytes


def about_text(book_id: UUID, row_id: UUID) -> bytes:
    """What a sealed text is bound to."""
    return b"text:" + book_id.bytes + row_id.bytes


def _about_key(book_id: UUID, key_id: UUID, wrapped_by: str) -> bytes:
    return b"data key:" + book_id.bytes + key_id.bytes + wrapped_by.encode()


@cache
def _read(text: str) -> KeyRing:
    keys: dict[str, bytes] = {}
    for said in filter(None, (part.strip() for part in text.split(","))):
        key_id, _, encoded = said.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not key_id or key_id in keys or len(key) != KEY_BYTES:
            # Which one is wrong, and nothing of what it says.
            raise Unavailable(f"Key number {len(keys) + 1} of VAULT_KEYS is not `id:` and 32 bytes in base64.")
        keys[key_id] = key
    if not keys:
        raise Unavailable("The card vault has no keys: set VAULT_KEYS.")
    return KeyRing(next(iter(keys)), keys)
