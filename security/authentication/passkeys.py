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

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.db import transaction
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import AuthenticatorData, PublicKeyCredentialRpEntity, UserVerificationRequirement

from merchant_platform.kernel.errors import Invalid
from security.identity.models import User

CHALLENGE_LIVES = timedelta(minutes=5)
# Where the counter stands in what an authenticator signs (WebAuthn, section 6.1).
_COUNT_KEY = "sign_count"


class Refused(Invalid):
    """The passkey's answer does not count."""


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


def ask(*, user: User, challenge: bytes) -> dict[str, Any]:
    """What a browser is told, so that a passkey of this person signs this challenge."""
    options, _ = _server().authenticate_begin(
        credentials=webauthn.get_credentials(user),
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
    )
    return dict(options)


def verify(*, user: User, credential: Any, challenge: bytes, asked_at: datetime, now: datetime) -> Authenticator:
    """The passkey of this person that signed this challenge. This will keep its counter. Raises Refused."""
    check_answer(credential=credential, asked_at=asked_at, now=now)
    state = {"challenge": websafe_encode(challenge), "user_verification": UserVerificationRequirement.REQUIRED}
    try:
        signed = _server().authenticate_complete(state, webauthn.get_credentials(user), credential)
    except (KeyError, TypeError, ValueError) as error:
        raise Refused("The passkey's answer does not fit the question.") from error
    factor = webauthn.get_authenticator_by_credential_id(user, signed.credential_id)
    if factor is None:
        raise Refused("This passkey is not yours.")
    check_counter(factor=factor, credential=credential)
    return factor


def _server() -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(**get_adapter().get_public_key_credential_rp_entity()))


def _client_data(credential: Any) -> Mapping[str, Any]:
    try:
        said = json.loads(_bytes(credential["response"]["clientDataJSON"]))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Refused("The passkey's answer cannot be read.") from error
    if not isinstance(said, dict):
        raise Refused("The passkey's answer cannot be read.")
    return said


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise Refused("The passkey's answer cannot be read.") from error
