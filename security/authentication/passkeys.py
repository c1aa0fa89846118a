"""What of a passkey's answer is checked beside its signature: where it was given, how long ago, by which copy.

The library behind sign-in checks type, challenge, relying party, presence, verification and
signature. It accepts every port and sub-domain, a challenge of any age, and looks at no counter.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from fido2.webauthn import AuthenticatorData

from merchant_platform.kernel.errors import Invalid

CHALLENGE_LIVES = timedelta(minutes=5)
# Where the counter stands in what an authenticator signs (WebAuthn, section 6.1).
_COUNT_KEY = "sign_count"


class Refused(Invalid):
    """The passkey's answer does not count."""

    code = "passkey_refused"


def check_answer(*, credential: Any, asked_at: datetime | None, now: datetime) -> None:
    """Check where and when an answer was given. Raises Refused for another origin or a stale question."""
    if asked_at is None or not timedelta(0) <= now - asked_at <= CHALLENGE_LIVES:
        raise Refused("The question was asked too long ago. Load the page again.")
    if _client_data(credential).get("origin") != settings.PUBLIC_URL:
        raise Refused("The passkey was asked by another site.")


def check_counter(*, factor: Authenticator, credential: Mapping[str, Any]) -> None:
    """Compare an answer's counter with the last one. This will keep it. Raises Refused where it does not grow.

    Two copies of one key betray themselves by it. Passkeys that are kept on several devices always say 0.
    """
    answered = AuthenticatorData(_bytes(credential["response"]["authenticatorData"])).counter
    with transaction.atomic():
        kept = Authenticator.objects.select_for_update().get(pk=factor.pk)
        last = kept.data.get(_COUNT_KEY)
        if last is None:
            last = kept.wrap().authenticator_data.counter
        if last > 0 and answered <= last:
            raise Refused("This passkey was copied: its counter fell.")
        kept.data[_COUNT_KEY] = answered
        kept.save(update_fields=["data"])


def _client_data(credential: Any) -> Mapping[str, Any]:
    try:
        said = json.loads(_bytes(credential["response"]["clientDataJSON"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Refused("The passkey's answer cannot be read.") from error
    if not isinstance(said, dict):
        raise Refused("The passkey's answer cannot be read.")
    return said


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise Refused("The passkey's answer cannot be read.") from error
