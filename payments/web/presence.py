"""A consumer is there: a signed cookie of one checkout's address says so, and ends by itself. No session is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse

from payments.checkout.models import CheckoutSession
from security.identity.models import User

COOKIE = "payer"
LASTS_SECONDS = 10 * 60
_SALT = "payments.web.presence"


@dataclass(frozen=True, slots=True)
class Presence:
    user_id: UUID
    email: str
    # The classes of factor that they showed here.
    factors: tuple[str, ...]


def remember(
    response: HttpResponse, request: HttpRequest, session: CheckoutSession, user: User, *, factors: Sequence[str]
) -> None:
    """Let the browser show for ten minutes, at this session's address alone, who signed in there."""
    said = {
        "user": user.pk.hex,
        "session": session.pk.hex,
        "password": user.get_session_auth_hash(),
        "factors": list(factors),
    }
    response.set_cookie(
        COOKIE,
        signing.dumps(said, salt=_SALT),
        max_age=LASTS_SECONDS,
        path=_path(session),
        httponly=True,
        samesite="Strict",
        secure=request.is_secure(),
    )


def forget(response: HttpResponse, session: CheckoutSession) -> None:
    """Leave nothing of the sign-in behind."""
    response.delete_cookie(COOKIE, path=_path(session), samesite="Strict")


def of(request: HttpRequest, session: CheckoutSession) -> Presence | None:
    """Who signed in for this session, as long as that lasts and their password is the one they gave."""
    try:
        said = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LASTS_SECONDS)
    except signing.BadSignature:
        return None
    if said["session"] != session.pk.hex:
        return None
    user = User.objects.filter(pk=UUID(said["user"]), is_active=True).first()
    if user is None or said["password"] != user.get_session_auth_hash():
        return None
    return Presence(user.pk, user.email, tuple(said["factors"]))


def _path(session: CheckoutSession) -> str:
    return f"/pay/{session.code}"
