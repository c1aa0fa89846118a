"""The life of an approval: asked for, decided once, and what was approved is done once, or cannot be any more."""

from merchant_platform.kernel.states import Moves

REQUESTED, APPROVED, REFUSED, EXPIRED = "requested", "approved", "refused", "expired"
DONE, FAILED = "done", "failed"

MOVES = Moves(
    {
        REQUESTED: [APPROVED, REFUSED, EXPIRED],
        APPROVED: [DONE, FAILED],
        REFUSED: [],
        EXPIRED: [],
        DONE: [],
        FAILED: [],
    }
)
