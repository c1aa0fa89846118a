"""Tries: how often somebody may guess, counted in the cache and in wall time.

A count belongs to one kind of guess and to whoever guesses; it ends by itself, so nothing
grows. It is counted before the answer is looked up, or many guesses at once would all be
let through, and taken back where the answer was right.
"""

import hashlib
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis
from django.core.cache import cache

from merchant_platform.kernel.errors import TooMany, Unavailable

# What one household or one server is given of IPv6: each of its addresses would be a new guesser.
_IPV6_PREFIX = 64


class TooManyTries(TooMany):
    """Somebody is guessing, or has forgotten."""


class CannotCount(Unavailable):
    """Tries cannot be counted just now. Who asks decides whether nobody may try, or everybody."""


@dataclass(slots=True)
class Guess:
    """A try whose answer is looked up. It counts if it `is_wrong`."""

    is_wrong: bool = False


@contextmanager
def guess(kind: str, who: str, *, limit: int, seconds: int) -> Iterator[Guess]:
    """Count a try around its answer, and take back in the end what was not said to be wrong.

    Nothing is taken back that was not counted. Raises TooManyTries and CannotCount.
    """
    count(kind, who, limit=limit, seconds=seconds)
    made = Guess()
    try:
        yield made
    finally:
        if not made.is_wrong:
            _take_back(kind, who)


def count(kind: str, who: str, *, limit: int, seconds: int) -> None:
    """Count a try. This will write the count, which ends after some seconds. Raises TooManyTries and CannotCount."""
    key = _key(kind, who)
    try:
        cache.add(key, 0, seconds)
        tries = cache.incr(key)
    except ValueError:  # it ran out between the two
        return
    except redis.RedisError as error:
        raise CannotCount("Tries cannot be counted just now. Try again in a moment.") from error
    if tries > limit:
        raise TooManyTries("Too many tries. Wait, then try again.", retry_after=seconds)


def forget(kind: str, who: str) -> None:
    """The answer was right, and nobody else is counted here. This will start the count anew."""
    cache.delete(_key(kind, who))


def network(address: str) -> str:
    """Who guesses from a network address: an address of IPv4, a network of IPv6. Pure."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed, _IPV6_PREFIX), strict=False))


def _take_back(kind: str, who: str) -> None:
    try:
        cache.decr(_key(kind, who))
    except (ValueError, redis.RedisError):  # it ran out, or is counted in vain
        return


def _key(kind: str, who: str) -> str:
    return f"{kind}:{hashlib.sha256(who.encode()).hexdigest()}"
