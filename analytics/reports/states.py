"""The states of a report and of a schedule, and their moves."""

from merchant_platform.kernel.states import Moves

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELED, EXPIRED = (
    *("queued", "running", "succeeded", "failed", "canceled", "expired"),
)
# Asked for again, a report is made anew, of the book as it is then. What succeeded is kept until its file is old.
MOVES = Moves(
    {
        QUEUED: [RUNNING, CANCELED],
        RUNNING: [SUCCEEDED, QUEUED, FAILED, CANCELED],
        SUCCEEDED: [EXPIRED],
        FAILED: [QUEUED],
        CANCELED: [QUEUED],
        EXPIRED: [QUEUED],
    }
)
UNFINISHED = (QUEUED, RUNNING)

ACTIVE, PAUSED, ENDED = "active", "paused", "ended"
SCHEDULE_MOVES = Moves({ACTIVE: [PAUSED, ENDED], PAUSED: [ACTIVE, ENDED], ENDED: []})
