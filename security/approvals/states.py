"""The life of an approval: asked for, decided once, and what was approved is done once."""

from merchant_platform.kernel.states import Moves

REQUESTED, APPROVED, REFUSED, EXPIRED, DONE = "requested", "approved", "refused", "expired", "done"

MOVES = Moves(
    {
        REQUESTED: [APPROVED, REFUSED, EXPIRED],
        APPROVED: [DONE],
        REFUSED: [],
        EXPIRED: [],
        DONE: [],
    }
)
