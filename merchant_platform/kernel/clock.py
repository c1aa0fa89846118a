"""Two times. Wall time is the world's; effective time is a book's, given by the door as `now`.

Rooms read only the `now` they are given. Keys, limits, sessions, codes, signatures and
webhooks use wall time always.
"""

from datetime import UTC, datetime


def wall() -> datetime:
    """The world's time, aware, in UTC."""
    return datetime.now(UTC)


def effective(frozen_at: datetime | None) -> datetime:
    """A book's time: where its test clock stands, or the world's time where it has none."""
    return frozen_at or wall()


def unix(at: datetime) -> int:
    """Whole seconds since 1970, as the wire format has them."""
    return int(at.timestamp())


def from_unix(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
