"""Errors that are answers: each has a stable code, a sentence for a person, and no secret.

A room raises one of these kinds; the doors decide what a kind looks like (a status in
the API, a message on a page). Exceptions live beside the function that raises them and
inherit from a kind here.
"""

from django.conf import settings


def doc_url(code: str) -> str:
    """The address of our own page on how to mend an error."""
    return f"{settings.PUBLIC_URL}/docs/errors/{code}"


class PlatformError(Exception):
    """An expected refusal. `code` is stable, `param` names the parameter it is about, if one is."""

    code = "api_error"

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.param = param
        self.details = details


class Invalid(PlatformError):
    """What was asked cannot be done as it was asked."""

    code = "parameter_invalid"


class WrongState(Invalid):
    """The object is in a state that does not allow the move."""

    code = "unexpected_state"


class Declined(PlatformError):
    """Nothing is wrong with the request: what it would pay with is refused."""

    code = "card_declined"


class NotFound(PlatformError):
    """There is no such object here. Another tenant's object is no different from none."""

    code = "resource_missing"


class Unauthenticated(PlatformError):
    """Nobody knows who asks."""

    code = "api_key_invalid"


class Forbidden(PlatformError):
    """Who asks is known and may not."""

    code = "permission_denied"


class Conflict(PlatformError):
    """Somebody else was faster, or is still at it: ask again."""

    code = "conflict"


class TooMany(PlatformError):
    """Asked too often. `retry_after` seconds are in the details."""

    code = "rate_limit"


class Unavailable(PlatformError):
    """It cannot be done just now, and that is not the caller's doing."""

    code = "service_unavailable"


def missing(kind: str, identifier: str, *, param: str | None = None) -> NotFound:
    """The one way to say that an object is not here. `param` is set where the id came in a parameter."""
    return NotFound(f"No such {kind}: '{identifier}'", param=param)
