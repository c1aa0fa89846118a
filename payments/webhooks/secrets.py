"""Signing secrets: `whsec_` and base64 of 24 random bytes. At rest they are sealed with AES-256-GCM.

The key follows from SECRET_KEY by HKDF (RFC 5869), so a copy of the database alone signs nothing.
"""

import base64
import os
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "whsec_"
_SECRET_BYTES = 24
_KEY_BYTES, _NONCE_BYTES = 32, 12
_INFO = b"payments.webhooks.secrets v1"


def new() -> str:
    """A secret that nobody had before."""
    return PREFIX + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()


def seal(secret: str, *, endpoint_id: UUID) -> str:
    """A secret as it is stored: base64 of a nonce and the ciphertext, bound to its endpoint."""
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(
        nonce + AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, secret.encode(), endpoint_id.bytes)
    ).decode()


def unseal(sealed: str, *, endpoint_id: UUID) -> str:
    """The secret again. Raises cryptography's InvalidTag under another SECRET_KEY or for another endpoint."""
    raw = base64.b64decode(sealed)
    return AESGCM(_key(settings.SECRET_KEY)).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], endpoint_id.bytes).decode()


@cache
def _key(secret_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO).derive(secret_key.encode())
