"""When a delivery is tried again: the schedule that Standard Webhooks recommends, about three days in all."""

import random
from datetime import datetime, timedelta

# Before each attempt, counted from the one before; the first is made at once.
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
ATTEMPTS_MAX = len(DELAYS)
# Up to a tenth more, by chance: what failed together must not come back together.
JITTER_PERCENT = 10
RETRY_AFTER_MAX = timedelta(hours=24)
# An endpoint that answered nothing but failures for so long is switched off.
SWITCHED_OFF_AFTER = timedelta(days=5)


def next_at(*, attempts_count: int, now: datetime, retry_after: timedelta | None = None) -> datetime | None:
    """When to try again after so many attempts; None after the last one.

    `retry_after` is what the endpoint asked for: it makes the wait longer, never shorter, and a day at most.
    """
    if attempts_count >= ATTEMPTS_MAX:
        return None
    delay = DELAYS[attempts_count]
    delay += delay * random.randrange(JITTER_PERCENT * 100) // 10_000  # noqa: S311  (no secret depends on it)
    return now + max(delay, min(retry_after or timedelta(0), RETRY_AFTER_MAX))
