"""How an offer lives, and how one use of it does."""

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
