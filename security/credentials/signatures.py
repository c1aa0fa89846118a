"""A key whose every request is signed: RFC 9421 with Ed25519, so that a key that leaked is of no use by itself.

The integrator keeps a private key, we its public half. A signature covers the method, the
address as PUBLIC_URL has it, the body by its digest (RFC 9530), and the idempotency key
where there is one; it is young, and its nonce is good for once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings
from django.db import transaction
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from merchant_platform.kernel.errors import Invalid, Unauthenticated, Unavailable
from security.credentials.limits import server
from security.credentials.models import ApiKey, CredentialsVersion

# How old a signature may be; a nonce is remembered for longer than that.
WINDOW = timedelta(minutes=5)
_REMEMBERED_SECONDS = 2 * int(WINDOW.total_seconds())
NONCE_LENGTH_MIN, NONCE_LENGTH_MAX = 8, 200
PEM_LENGTH_MAX = 2_000
COVERED = ("@method", "@target-uri")


class SignatureRequired(Unauthenticated):
    """The key works with signed requests alone, and this one is not signed."""

    code = "signature_required"


class SignatureInvalid(Unauthenticated):
    """The signature is not over this request, not by the key's other half, or not young enough."""

    code = "signature_invalid"


class SignatureReplayed(Unauthenticated):
    """The same signed request came before."""

    code = "signature_replayed"


@dataclass(frozen=True, slots=True)
class _Message:
    """A request as the verifier reads it."""

    method: str
    url: str
    headers: Mapping[str, str]


class _One(HTTPSignatureKeyResolver):
    """Whatever the signature calls its key: there is one."""

    def __init__(self, public: Ed25519PublicKey) -> None:
        self._public = public

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        return self._public


def require(*, key: ApiKey, public_pem: str) -> None:
    """Take signed requests alone from a key, or any again for an empty text. This will hold within a second.

    Raises Invalid for what is no Ed25519 public key in PEM.
    """
    if public_pem:
        _load(public_pem)
    with transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(signing_key=public_pem.strip())
        CredentialsVersion.bump()
    key.signing_key = public_pem.strip()


def check(public_pem: str, request: Any, *, key_id: Any) -> None:
    """Verify a request's signature where its key requires one. Raises SignatureRequired, SignatureInvalid and
    SignatureReplayed; Unavailable where nobody can say whether it came before.
    """
    if not public_pem:
        return
    headers = request.headers
    if "Signature" not in headers or "Signature-Input" not in headers:
        raise SignatureRequired("This key takes signed requests alone: send Signature and Signature-Input (RFC 9421).")
    query = request.META.get("QUERY_STRING", "")
    url = f"{settings.PUBLIC_URL}{quote(request.path)}" + (f"?{query}" if query else "")
    covered = [*COVERED, *(["idempotency-key"] if "Idempotency-Key" in headers else [])]
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=_One(_load(public_pem)))
    try:
        (found,) = verifier.verify(
            _Message(request.method, url, dict(headers)),
            max_age=WINDOW,
            require_components=covered,
            body=request.body,
        )
    except (InvalidSignature, HTTPMessageSignaturesException, ValueError) as error:
        said = str(error)[:200] or "it is not over this request"
        raise SignatureInvalid(f"The signature does not hold: {said}") from error
    nonce = found.nonce or ""
    if "created" not in found.parameters or not NONCE_LENGTH_MIN <= len(nonce) <= NONCE_LENGTH_MAX:
        raise SignatureInvalid(
            f"A signature has `created` and a `nonce` of {NONCE_LENGTH_MIN} to {NONCE_LENGTH_MAX} characters."
        )
    _once(f"signed:{key_id}:{hashlib.sha256(nonce.encode()).hexdigest()}")


def _once(name: str) -> None:
    try:
        is_first = server().set(name, 1, nx=True, ex=_REMEMBERED_SECONDS)
    except redis.RedisError as error:
        raise Unavailable("Nobody can say just now whether this request came before. Try again.") from error
    if not is_first:
        raise SignatureReplayed("This signed request came before. Sign each one anew, with a nonce of its own.")


def _load(pem: str) -> Ed25519PublicKey:
    try:
        public = load_pem_public_key(pem[:PEM_LENGTH_MAX].encode())
    except ValueError as error:
        raise Invalid("This is no public key in PEM.", param="signing_key") from error
    if not isinstance(public, Ed25519PublicKey):
        raise Invalid("The public key is not an Ed25519 one.", param="signing_key")
    return public
