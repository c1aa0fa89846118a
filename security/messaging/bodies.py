"""Bodies of messages at rest: sealed like the secrets of second factors, since most of them are codes."""

import base64
import os
from functools import cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_KEY_BYTES, _NONCE_BYTES = 32, 12
_INFO = b"security.messaging.bodies v1"


def seal(body: str) -> str:
    """A body as it is stored."""
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, body.encode(), _INFO)).decode()


def unseal(sealed: str) -> str:
    """The body again. Raises cryptography's InvalidTag under another SECRET_KEY."""
    raw = base64.b64decode(sealed)
    return AESGCM(_key(settings.SECRET_KEY)).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _INFO).decode()


@cache
def _key(secret_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO).derive(secret_key.encode())
