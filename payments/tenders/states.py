"""The life of a tender: chosen by the payer, reserved while money is asked for, then taken, or chosen again."""

from merchant_platform.kernel.states import Moves

CHOSEN, RESERVED, COMPLETED, DROPPED = "chosen", "reserved", "completed", "dropped"

# A failure gives the reserve back, and the payer may try again with another card.
MOVES = Moves({CHOSEN: [RESERVED, DROPPED], RESERVED: [CHOSEN, COMPLETED], COMPLETED: [], DROPPED: []})
