"""Where allauth asks us: how a login is named, where it goes, how its secrets are kept."""

import time
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest

from security.authentication import secrets
from security.identity.models import User

# Who proved who they are this lately may add a factor without proving it again.
FRESH_SECONDS = 300


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in as this platform has it."""

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """Nobody has a user name."""

    def is_reauthentication_required(self, *, app: str, **options: object) -> bool:
        """A sign-in of a moment ago is as good as a repeated one."""
        request = context.request
        records = get_authentication_records(request, request.user)
        return not records or time.time() - records[-1]["at"] > FRESH_SECONDS


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors as this platform has them."""

    def encrypt(self, text: str) -> str:
        return secrets.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.unseal(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the platform's public address, whatever address a request names."""
        return {"id": urlsplit(settings.PUBLIC_URL).hostname or "localhost", "name": settings.MFA_TOTP_ISSUER}
