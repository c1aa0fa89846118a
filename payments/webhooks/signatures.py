"""Signatures of a delivery, two kinds, so that the verifiers of both ecosystems accept it.

Stripe: hex HMAC-SHA256 over `t.body`, keyed with the secret's whole text. Standard
Webhooks: base64 HMAC-SHA256 over `id.t.body`, keyed with the decoded part after
`whsec_`. While a secret rotates there is one signature a secret, the new one first.
"""

import base64
import hmac
from collections.abc import Sequence

from payments.webhooks.secrets import PREFIX


def headers(*, event_id: str, body: bytes, secrets: Sequence[str], timestamp: int) -> dict[str, str]:
    """The headers that prove a body. `timestamp` is in Unix seconds."""
    return {
        "Stripe-Signature": ",".join([f"t={timestamp}", *(f"v1={stripe(s, body, timestamp)}" for s in secrets)]),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{standard(s, event_id, body, timestamp)}" for s in secrets),
    }


def stripe(secret: str, body: bytes, timestamp: int) -> str:
    """The `v1` of Stripe-Signature."""
    return hmac.digest(secret.encode(), b"%d.%s" % (timestamp, body), "sha256").hex()


def standard(secret: str, event_id: str, body: bytes, timestamp: int) -> str:
    """What stands after `v1,` in webhook-signature (standardwebhooks.com, symmetric scheme)."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.digest(key, b"%s.%d.%s" % (event_id.encode(), timestamp, body), "sha256")
    return base64.b64encode(signed).decode()
