"""The life of a checkout session: open until it is paid for or too late."""

from merchant_platform.kernel.states import Moves

OPEN, COMPLETE, EXPIRED = "open", "complete", "expired"
MOVES = Moves({OPEN: [COMPLETE, EXPIRED], COMPLETE: [], EXPIRED: []})

PAID, UNPAID = "paid", "unpaid"
