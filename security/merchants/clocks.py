"""The clock of a test book: it stands where it was put, and moves forward only."""

from datetime import datetime, timedelta
from uuid import UUID

from merchant_platform.kernel.errors import Invalid, WrongState
from security.merchants.models import LIVE, Book

# One step: what falls due on the way is worked off after it, not day by day.
STEP_MAX = timedelta(days=366)


class LiveHasNoClock(Invalid):
    """A live book has the world's time."""

    code = "test_clock_live"


class ClockExists(WrongState):
    """The book has a clock already."""

    code = "test_clock_exists"


class NoClock(WrongState):
    """The book has the world's time."""

    code = "test_clock_missing"


class NotForward(Invalid):
    """The clock stands there already, or beyond; or the step is longer than a year."""

    code = "test_clock_not_forward"


class AheadOfTheWorld(WrongState):
    """Without its clock the book would go back in time."""

    code = "test_clock_ahead"


def start(*, book_id: UUID, now: datetime) -> None:
    """Give a test book a clock. This will stop its time at `now`. Raises LiveHasNoClock and ClockExists."""
    _refuse_live(book_id)
    if not Book.objects.filter(pk=book_id, clock_at__isnull=True).update(clock_at=now):
        raise ClockExists("This book has a test clock already.")


def advance(*, book_id: UUID, to: datetime) -> None:
    """Move a test book's time forward. This will set its clock. Raises LiveHasNoClock, NoClock and NotForward."""
    _refuse_live(book_id)
    stands_at = Book.objects.filter(pk=book_id).values_list("clock_at", flat=True).get()
    is_a_step = stands_at is not None and stands_at < to and to - stands_at <= STEP_MAX
    # Compared again where it is written: somebody else may have moved it meanwhile.
    if is_a_step and Book.objects.filter(pk=book_id, clock_at=stands_at).update(clock_at=to):
        return
    if stands_at is None:
        raise NoClock("This book has no test clock.")
    raise NotForward(f"A test clock moves forward, {STEP_MAX.days} days at a time at most.", param="to")


def remove(*, book_id: UUID, now: datetime) -> None:
    """Give a test book the world's time again. This will take its clock away.

    Raises LiveHasNoClock, NoClock, and AheadOfTheWorld while the clock is later than `now`.
    """
    _refuse_live(book_id)
    if Book.objects.filter(pk=book_id, clock_at__lte=now).update(clock_at=None):
        return
    if Book.objects.filter(pk=book_id, clock_at__isnull=True).exists():
        raise NoClock("This book has no test clock.")
    raise AheadOfTheWorld("The clock is ahead of the world: time does not go back.")


def _refuse_live(book_id: UUID) -> None:
    if Book.objects.filter(pk=book_id, mode=LIVE).exists():
        raise LiveHasNoClock("Live mode has the world's time.")
