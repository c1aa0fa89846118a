"""Codes of six digits from an authenticator app (RFC 6238), and recovery codes: each opens once.

A step (30 seconds) before or after counts too, since clocks differ. The last step that was used
stands with the seed and is moved under its row's lock: a code that somebody looked over a
shoulder, or that was sent twice at once, opens nothing.
"""

import base64
import hmac
import struct
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import transaction

from merchant_platform.kernel import clock
from security.authentication import secrets
from security.identity.models import User

PERIOD_SECONDS = 30
DIGITS = 6
TOLERANCE_STEPS = 1


def code_at(seed: str, step: int) -> str:
    """What an app with this seed (base32) shows in a step."""
    key = base64.b32decode(seed, casefold=True)
    mac = hmac.digest(key, struct.pack(">Q", step), "sha1")
    offset = mac[-1] & 0xF
    value = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{value % 10**DIGITS:0{DIGITS}}"


def step_at(now: datetime) -> int:
    """The step that a moment is in."""
    return clock.unix(now) // PERIOD_SECONDS


def use(*, user: User, code: str, now: datetime) -> Authenticator | None:
    """Try a code as the app's and as a recovery code. This will spend it and return the factor that it belongs to."""
    code = "".join(code.split())
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    with transaction.atomic():
        held = {
            factor.type: factor
            for factor in Authenticator.objects.select_for_update().filter(user=user, type__in=kinds).order_by("pk")
        }
        app, recovery = (held.get(kind) for kind in kinds)
        if app and _spend_step(app, code, now):
            return app
        if recovery and RecoveryCodes(recovery).validate_code(code):
            return recovery
    return None


def matching_step(*, seed: str, code: str, now: datetime, after: int = -1) -> int | None:
    """The step whose code this is, among those that count now and come after the last one used."""
    present = step_at(now)
    for step in range(present - TOLERANCE_STEPS, present + TOLERANCE_STEPS + 1):
        if step > after and hmac.compare_digest(code_at(seed, step).encode(), code.encode()):
            return step
    return None


def _spend_step(app: Authenticator, code: str, now: datetime) -> bool:
    seed = secrets.unseal(app.data["secret"])
    step = matching_step(seed=seed, code=code, now=now, after=app.data.get("last_step", -1))
    if step is None:
        return False
    app.data["last_step"] = step
    app.save(update_fields=["data"])
    return True
