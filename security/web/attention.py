"""What needs somebody's attention: each app says, through a port, what waits at a desk."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from security.web.desk import Desk


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that waits for a person: `count` of a `kind`, and the page where it is dealt with."""

    kind: str
    title: Any
    url: str
    count: int


def waiting(desk: Desk) -> list[Attention]:
    """What every app says, in the order of the settings; nothing is left out that has a count."""
    found = [each for name in settings.DASHBOARD_ATTENTION for each in import_string(name)(desk)]
    return [each for each in found if each.count]
