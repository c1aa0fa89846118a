"""What only the two ends read: parts of a request, and whole answers, as JWE (RFC 7516, compact).

Between an integrator and us stand proxies that open TLS. To keep a card's number or a
customer's contact from them, an integrator puts `{"jwe": "…"}` in the place of any object
of a JSON body, or of the body itself, encrypted to the key at /v1/encryption_key; and
whoever registered a key of their own with their API key gets the answer encrypted, by
sending `Accept: application/jose`.

One algorithm, and no compression: a small text that unpacks to a large one is not read.
`apu` names whom the text is from, the SHA-256 of the API key: what was copied on the way
opens for nobody else.
"""

import base64
import hmac
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from merchant_platform.kernel.api import bodies
from merchant_platform.kernel.errors import Invalid
from merchant_platform.kernel.wire import dump

ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]
MEDIA = "application/jose"
NAME = "jwe"
# Each costs a multiplication on the curve.
PARTS_MAX = 8
_INFO = b"merchant_platform.kernel.api.sealed v1"
# Of P-256: how many points, so that a derived number names one.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class NotOpened(Invalid):
    """An encrypted part is not for us, not from this key, or was changed on its way."""

    code = "jwe_invalid"


class _Registry(jwe.JWERegistry):
    # A body is bounded as a whole; an answer may be a page of a hundred objects.
    max_ciphertext_length = 8 * 1024 * 1024


def public_jwk() -> dict[str, Any]:
    """Our public key, for whoever encrypts to us."""
    return _public(settings.SECRET_KEY)


def show(request: HttpRequest) -> HttpResponse:
    """GET /v1/encryption_key, open to all."""
    return HttpResponse(dump(public_jwk()), content_type="application/jwk+json")


def party(key_digest: bytes) -> str:
    """How `apu` names the owner of an API key, by the SHA-256 of its text."""
    return base64.urlsafe_b64encode(key_digest).rstrip(b"=").decode()


def opened(data: dict[str, Any], *, key_digest: bytes) -> dict[str, Any]:
    """The parameters with every encrypted part in the clear. Raises NotOpened, and what bodies.parse_json raises."""
    left = PARTS_MAX

    def walk(value: Any) -> Any:
        nonlocal left
        if isinstance(value, list):
            return [walk(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {NAME} and isinstance(value[NAME], str):
            left -= 1
            if left < 0:
                raise NotOpened(f"A request has {PARTS_MAX} encrypted parts at the most.")
            return bodies.parse_json(_decrypt(value[NAME], key_digest))
        return {name: walk(each) for name, each in value.items()}

    return walk(data)


def seal(body: bytes, jwk: Mapping[str, Any]) -> bytes:
    """A body that the owner of a public key alone reads."""
    key = ECKey.import_key(dict(jwk))
    header = {"alg": ALGORITHMS[0], "enc": ALGORITHMS[1], "cty": "json"}
    if kid := jwk.get("kid"):
        header["kid"] = kid
    return jwe.encrypt_compact(header, body, key, registry=_Registry(algorithms=ALGORITHMS)).encode()


def checked(jwk: Mapping[str, Any]) -> dict[str, str]:
    """A public key as it is kept. Raises Invalid for what is no public P-256 key."""
    kept = {name: jwk[name] for name in ("kty", "crv", "x", "y", "kid") if isinstance(jwk.get(name), str)}
    try:
        if kept.get("kty") != "EC" or kept.get("crv") != "P-256" or "d" in jwk or len(kept.get("kid", "")) > 100:
            raise ValueError
        ECKey.import_key(dict(kept)).public_key  # noqa: B018  (only now the point is put on the curve)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Invalid("An encryption key is a public JWK of type EC, curve P-256.", param="encryption_key") from error
    return kept


def _decrypt(text: str, key_digest: bytes) -> bytes:
    try:
        found = jwe.decrypt_compact(text, _private(settings.SECRET_KEY), registry=_Registry(algorithms=ALGORITHMS))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise NotOpened(
            "An encrypted part cannot be opened. Encrypt it to the key at /v1/encryption_key, "
            f"with {ALGORITHMS[0]} and {ALGORITHMS[1]}."
        ) from error
    if not hmac.compare_digest(str(found.headers().get("apu", "")).encode(), party(key_digest).encode()):
        raise NotOpened("An encrypted part names another sender. `apu` is the SHA-256 of the API key that sends it.")
    return found.plaintext or b""


@cache
def _private(secret_key: str) -> ECKey:
    """Derived, so that every process has it and nothing is stored; it changes with SECRET_KEY."""
    drawn = HKDF(algorithm=SHA256(), length=48, salt=None, info=_INFO).derive(secret_key.encode())
    number = int.from_bytes(drawn) % (_ORDER - 1) + 1
    return ECKey.import_key(ec.derive_private_key(number, ec.SECP256R1()))


@cache
def _public(secret_key: str) -> dict[str, Any]:
    key = _private(secret_key)
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "enc", "alg": ALGORITHMS[0]}
