"""The page of roles: what each lets somebody do, made of the table itself."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from security.access import words
from security.access.roles import MERCHANT_ROLES, NAMES, may
from security.web.desk import Desk, desk_page


@dataclass(frozen=True, slots=True)
class Line:
    """An action in words, and for each role whether it may."""

    words: Any
    marks: tuple[tuple[Any, bool], ...]


@require_safe
@desk_page()
def matrix(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Who may do what. Four statements, the desk's own."""
    return desk.render(
        request,
        "staff/roles.html",
        {
            "roles": [(NAMES[role], words.ROLES[role], role == desk.role) for role in MERCHANT_ROLES],
            "groups": [(title, lines) for title, actions in words.GROUPS if (lines := _lines(actions))],
        },
    )


def _lines(actions: dict[str, Any]) -> list[Line]:
    """The actions of a group that anybody at a merchant may do: operators' own are no merchant's matter."""
    return [
        Line(said, tuple((NAMES[role], may(role, action)) for role in MERCHANT_ROLES))
        for action, said in actions.items()
        if any(may(role, action) for role in MERCHANT_ROLES)
    ]
