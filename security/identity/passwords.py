"""Who somebody is, by e-mail address and password, with guessing slowed down.

Tries are counted in the cache, by address of the login and by where they come from, in
wall time. Without the cache nobody is let in by a password: guessing would be free.
"""

import logging

from django.contrib.auth.hashers import check_password, make_password

from merchant_platform.kernel import tries
from merchant_platform.kernel.errors import Invalid
from security.identity.models import User

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 15 * 60
TRIES_MAX = {"email": 10, "origin": 100}


class NotRecognised(Invalid):
    """No login has this address and this password."""


def check(*, email: str, password: str, origin: str) -> User:
    """The login behind an address and its password; `origin` is the network address that asks.

    Takes as long for an unknown address as for a known one. Raises NotRecognised,
    tries.TooManyTries and tries.CannotCount.
    """
    email = User.objects.normalize(email)
    _count("email", email)
    _count("origin", tries.network(origin))
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        make_password(password)
        raise NotRecognised("The e-mail address or the password is wrong.")
    if not check_password(password, user.password):
        raise NotRecognised("The e-mail address or the password is wrong.")
    tries.forget("sign_in:email", email)
    return user


def _count(kind: str, who: str) -> None:
    try:
        tries.count(f"sign_in:{kind}", who, limit=TRIES_MAX[kind], seconds=WINDOW_SECONDS)
    except tries.CannotCount:
        logger.warning("nobody can sign in: Valkey does not answer")
        raise
