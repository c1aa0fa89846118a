"""Join a merchant by an invitation without having a login yet: who holds the link reads the address."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction

from merchant_platform.kernel.errors import Conflict
from security.authentication.operations import vouch_for_email
from security.identity.models import User
from security.merchants import invitations
from security.merchants.models import Staff


class HasLogin(Conflict):
    """The address has a login: its owner signs in to accept."""


def join(*, secret: str, name: str, password: str, now: datetime) -> Staff:
    """Make a login for who was invited and take the place. This will write both, and the address as verified.

    Raises Unusable, HasLogin, and Django's ValidationError for a password that is too weak.
    """
    invitation = invitations.find(secret, now=now)
    validate_password(password, User(email=invitation.email, name=name))
    with transaction.atomic():
        try:
            with transaction.atomic():
                user = User.objects.create_user(invitation.email, password, name=name)
        except IntegrityError as error:
            raise HasLogin("There is a login for this address. Sign in to accept.") from error
        vouch_for_email(users=[user])
        return invitations.accept(secret=secret, user=user, now=now)
