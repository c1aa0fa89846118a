"""A new key's text is shown once: by the answer that makes it, also where a browser sent the form twice.

The answer is stored under the form's own token, with the text sealed (AES-256-GCM, the
key from SECRET_KEY by HKDF). A repetition within minutes, by the same person, opens it
again; after that nobody can, and the key itself is kept as a digest only.
"""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from merchant_platform.kernel import clock, idempotency, ids
from merchant_platform.kernel.wire import dump, load
from security.credentials.models import ApiKey

SHOWN_AGAIN = timedelta(minutes=10)
_NONCE_BYTES = 12
_INFO = b"security.credentials.showing v1"


@dataclass(frozen=True, slots=True)
class Made:
    """What a form made: the key, and its text while that can be shown."""

    key_id: UUID
    text: str | None


def once(
    *,
    book_id: UUID,
    staff_id: UUID,
    token: str,
    form: dict[str, str],
    make: Callable[[], tuple[ApiKey, str]],
    now: datetime,
) -> Made:
    """Make a key once a form. This will run `make` in the book's unit of work, or repeat what it answered.

    Raises what `make` raises, and idempotency.KeyReused where the token came with another form.
    """

    def operation() -> idempotency.Answer:
        key, text = make()
        shown = ids.show("key", key.pk)
        return idempotency.Answer(
            status=200, body=dump({"key": shown, "text": _seal(text, shown), "made_at": clock.unix(now)})
        )

    request = idempotency.Request(
        key=f"dashboard:{staff_id}:{token}"[: idempotency.KEY_LENGTH_MAX],
        fingerprint=idempotency.fingerprint("POST", "dashboard/keys", form),
        request_id="",
    )
    answer = idempotency.run_once(book_id, request, operation)
    said = load(answer.body)
    is_fresh = now - clock.from_unix(said["made_at"]) <= SHOWN_AGAIN
    return Made(key_id=ids.parse("key", said["key"]), text=_unseal(said["text"], said["key"]) if is_fresh else None)


def _seal(text: str, key: str) -> str:
    nonce = os.urandom(_NONCE_BYTES)
    return base64.b64encode(
        nonce + AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, text.encode(), key.encode())
    ).decode()


def _unseal(sealed: str, key: str) -> str:
    raw = base64.b64decode(sealed)
    return AESGCM(_key(settings.SECRET_KEY)).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], key.encode()).decode()


@cache
def _key(secret_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(secret_key.encode())
