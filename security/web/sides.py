"""A session is of one side: of somebody's work, or of their own wallet, never of both.

A person who works for a merchant and has a wallet signs in for each. So nothing that is
left open at work spends what is theirs, and nothing of theirs opens the till.
"""

from django.http import HttpRequest

from security.authentication import trail

SIDE, WALLET = "side", "wallet"
WALLET_PREFIX = "/wallet"


def is_of_wallet(request: HttpRequest) -> bool:
    """Whether a session was opened for the wallet."""
    return request.session.get(SIDE) == WALLET


def choose_wallet(request: HttpRequest) -> None:
    """From now on this session is of the wallet. This will write it into the session."""
    request.session[SIDE] = WALLET


def may_enter_wallet(request: HttpRequest) -> bool:
    """Whether who is signed in acts as a consumer here. Who works nowhere does; this will mark their session."""
    if is_of_wallet(request):
        return True
    if trail.needs_second_factor(request.user):  # type: ignore[arg-type]
        return False
    choose_wallet(request)
    return True
