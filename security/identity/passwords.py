"""Who somebody is, by e-mail address and password, with guessing slowed down.

Tries are counted in the cache, by address of the login and by where they come from, in
wall time. Without the cache nobody is let in by a password: guessing would be free.
"""

import hashlib
import logging

import redis
from django.contrib.auth.hashers import check_password, make_password
from django.core.cache import cache

from merchant_platform.kernel.errors import Invalid, TooMany, Unavailable
from security.identity.models import User

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 15 * 60
TRIES_MAX = {"email": 10, "origin": 100}


class NotRecognised(Invalid):
    """No login has this address and this password."""


class TooManyTries(TooMany):
    """Somebody is guessing, or has forgotten."""


class CannotCount(Unavailable):
    """The tries cannot be counted just now."""


def check(*, email: str, password: str, origin: str) -> User:
    """The login behind an address and its password; `origin` is the network address that asks.

    Takes as long for an unknown address as for a known one. Raises NotRecognised,
    TooManyTries and CannotCount.
    """
    email = User.objects.normalize(email)
    _count("email", email)
    _count("origin", origin)
    user = User.objects.filter(email=email, is_active=True).first()
    if user is None:
        make_password(password)
        raise NotRecognised("The e-mail address or the password is wrong.")
    if not check_password(password, user.password):
        raise NotRecognised("The e-mail address or the password is wrong.")
    cache.delete(_key("email", email))
    return user


def _count(kind: str, who: str) -> None:
    key = _key(kind, who)
    try:
        cache.add(key, 0, WINDOW_SECONDS)
        tries = cache.incr(key)
    except ValueError:  # it ran out between the two
        return
    except redis.RedisError as error:
        logger.warning("nobody can sign in: Valkey does not answer")
        raise CannotCount("Signing in is not possible just now. Try again in a moment.") from error
    if tries > TRIES_MAX[kind]:
        raise TooManyTries("Too many tries. Wait a quarter of an hour, then try again.", retry_after=WINDOW_SECONDS)


def _key(kind: str, who: str) -> str:
    return f"sign_in:{kind}:{hashlib.sha256(who.encode()).hexdigest()}"
