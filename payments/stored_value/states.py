"""The life of a stored-value card: inactive until its first load is paid; expired until something comes back."""

from merchant_platform.kernel.states import Moves

INACTIVE, ACTIVE, FROZEN, EXPIRED = "inactive", "active", "frozen", "expired"
MOVES = Moves({INACTIVE: [ACTIVE, FROZEN], ACTIVE: [FROZEN, EXPIRED], FROZEN: [INACTIVE, ACTIVE], EXPIRED: [ACTIVE]})

# A load waits for its order to be paid, and is on the card from then on.
PENDING, LOADED = "pending", "loaded"
LOAD_MOVES = Moves({PENDING: [LOADED], LOADED: []})
