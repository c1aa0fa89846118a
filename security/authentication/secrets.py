"""What a second factor must keep and read again: seeds of authenticator apps and of recovery codes.

Sealed with AES-256-GCM under a key that follows from SECRET_KEY by HKDF (RFC 5869), so a copy of
the database alone lets nobody in. The vault's keys guard cards and are nobody else's.
"""

import base64
import os
from functools import cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_KEY_BYTES, _NONCE_BYTES = 32, 12
_INFO = b"security.authentication.secrets v1"


def seal(secret: str) -> str:
    """A secret as it is stored: base64 of a nonce and the ciphertext."""
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, secret.encode(), _INFO)).decode()


def unseal(sealed: str) -> str:
    """The secret again. Raises cryptography's InvalidTag under another SECRET_KEY."""
    raw = base64.b64decode(sealed)
    return AESGCM(_key(settings.SECRET_KEY)).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _INFO).decode()


@cache
def _key(secret_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO).derive(secret_key.encode())
