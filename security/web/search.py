"""Search over every object: each app says, through a port, what it finds for a text."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.module_loading import import_string

from security.web.desk import Desk


@dataclass(frozen=True, slots=True)
class Hit:
    """An object that was found. `kind` is the word for what it is; `detail` tells it from others like it."""

    kind: Any
    title: str
    detail: str
    url: str
    # The object is the very one that was named: by its id, not by something it has in common.
    is_exact: bool = False


def address(desk: Desk, text: str) -> str:
    """The page of all that a text finds."""
    return f"{desk.url('search')}?{urlencode({'q': text})}"


def find(desk: Desk, text: str) -> list[Hit]:
    """What every app finds, the exact ones alone where there are any."""
    text = " ".join(text.split())
    if not text:
        return []
    hits = [hit for name in settings.DASHBOARD_SEARCH for hit in import_string(name)(desk, text)]
    return [hit for hit in hits if hit.is_exact] or hits
