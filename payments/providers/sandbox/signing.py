"""Signatures between the platform and the sandbox acquirer: HMAC-SHA256 with a time, both ways.

    Sandbox-Signature: t=1767225600,v1=<hex of HMAC-SHA256 over "t.METHOD.path.body">

A notice is signed over "t.NOTICE.<account>.body": its way to us may pass proxies that change
the path. The time is the world's; what is older than TOLERANCE_SECONDS is refused.
"""

import hmac

HEADER = "Sandbox-Signature"
TOLERANCE_SECONDS = 300
_FORM_LENGTH_MAX = 200


class BadSignature(ValueError):
    """The signature is missing, malformed, too old or wrong."""


def sign(secret: str, *, method: str, path: str, body: bytes, at: int) -> str:
    """The header's value for a message sent at `at` (Unix seconds)."""
    return f"t={at},v1={_digest(secret, method, path, body, at)}"


def verify(secret: str, header: str, *, method: str, path: str, body: bytes, at: int) -> None:
    """Compare a header with what it should say at `at` (Unix seconds). Raises BadSignature."""
    if len(header) > _FORM_LENGTH_MAX or not header.isascii():
        raise BadSignature("The signature is malformed.")
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    sent_at, given = parts.get("t", ""), parts.get("v1", "")
    if not sent_at.isdigit() or not given:
        raise BadSignature("The signature is malformed.")
    if abs(int(sent_at) - at) > TOLERANCE_SECONDS:
        raise BadSignature("The signature is too old.")
    if not hmac.compare_digest(given, _digest(secret, method, path, body, int(sent_at))):
        raise BadSignature("The signature is wrong.")


def _digest(secret: str, method: str, path: str, body: bytes, at: int) -> str:
    return hmac.digest(secret.encode(), f"{at}.{method}.{path}.".encode() + body, "sha256").hex()
