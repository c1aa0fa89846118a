"""What lets somebody in: addresses that are known to be theirs, second factors that they hold."""

import base64
import os
from collections.abc import Iterable

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction

from security.authentication import secrets
from security.identity.models import User

_SEED_BYTES = 20


def vouch_for_email(*, users: Iterable[User]) -> None:
    """Take people's addresses for theirs without a mail. This will write them as verified. Only for who knows it."""
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users],
        update_conflicts=True,
        unique_fields=["user", "email"],
        update_fields=["verified", "primary"],
    )


def give_app(*, user: User) -> str:
    """Give a person an authenticator app. This will replace the one before and return the new one's seed (base32)."""
    seed = base64.b32encode(os.urandom(_SEED_BYTES)).decode()
    with transaction.atomic():
        Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": secrets.seal(seed)})
    return seed
