"""An order's life: owed, then paid, or given up; one given up unpaid may be wanted again."""

from merchant_platform.kernel.states import Moves

OPEN, PAID, CANCELED = "open", "paid", "canceled"

MOVES = Moves({OPEN: [PAID, CANCELED], PAID: [], CANCELED: [OPEN]})
