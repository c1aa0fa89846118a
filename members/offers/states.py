"""How an offer lives, and how one use of it does."""

from datetime import datetime

from merchant_platform.kernel.states import Moves

DRAFT, ACTIVE, PAUSED, ENDED = "draft", "active", "paused", "ended"
MOVES = Moves(
    {
        DRAFT: [ACTIVE, ENDED],
        ACTIVE: [PAUSED, ENDED],
        PAUSED: [ACTIVE, ENDED],
        ENDED: [],
    }
)

HELD, TAKEN, RELEASED = "held", "taken", "released"
USES = Moves({HELD: [TAKEN, RELEASED], TAKEN: [], RELEASED: []})


def problem(*, status: str, starts_at: datetime, ends_at: datetime, is_deleted: bool, now: datetime) -> str | None:
    """Why an offer does not run at a time, in a word; None where it does."""
    if status == ENDED or is_deleted or ends_at <= now:
        return "ended"
    if status != ACTIVE:
        return status
    return "not_started" if starts_at > now else None
