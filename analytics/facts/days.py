"""Days of a merchant's zone: each is the time between two midnights, never a number of hours."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins in a zone. Where the clocks skip midnight, it is the first moment after it."""
    return datetime.combine(day, time(), zone)
