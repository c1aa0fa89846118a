"""Rate limits: a token bucket a key, in Valkey. None unless API_RATE_LIMIT says so."""

import logging
import math
import time
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.throttling import BaseThrottle

from merchant_platform.kernel.errors import TooMany

logger = logging.getLogger(__name__)

# One round trip, atomic: refill by the time passed, take one token or say how long to wait.
_TAKE = """
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local rate, now = tonumber(ARGV[1]), tonumber(ARGV[2])
local tokens = math.min(rate, (tonumber(bucket[1]) or rate) + (now - (tonumber(bucket[2]) or now)) * rate)
local wait = 0
if tokens < 1 then wait = (1 - tokens) / rate else tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', ARGV[2])
redis.call('EXPIRE', KEYS[1], 60)
return tostring(wait)
"""


@cache
def server() -> redis.Redis:
    # A request waits for its limit no longer than it can bear to.
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25, retry=Retry(NoBackoff(), 0)
    )


class KeyRateLimit(BaseThrottle):
    """Requests a second a key. Raises TooMany with the seconds to wait. Without Valkey nobody is stopped."""

    def allow_request(self, request, view) -> bool:
        if not settings.API_RATE_LIMIT or request.auth is None:
            return True
        key = f"rate:{request.auth.key_id}"
        try:
            wait = float(server().eval(_TAKE, 1, key, settings.API_RATE_LIMIT, time.time()))
        except redis.RedisError:
            logger.warning("a request went unlimited: Valkey does not answer")
            return True
        if wait > 0:
            raise TooMany(
                "Too many requests with this key: slow down, then try again.", retry_after=max(1, math.ceil(wait))
            )
        return True
