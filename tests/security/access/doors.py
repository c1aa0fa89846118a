"""Every address of the platform, read from the resolver: no door can be left out by forgetting it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

_PART = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclass(frozen=True)
class Door:
    """One address, and what stands behind it."""

    route: str
    name: str
    view: Any
    defaults: dict[str, Any]

    @property
    def is_of_desk(self) -> bool:
        """Whether it is a page of the dashboard, which says itself who may see it."""
        return hasattr(self.view, "desk_action")

    @property
    def action(self) -> str | None:
        """What a role must be allowed, to be let in at a page of the dashboard. None lets all staff in."""
        return self.view.desk_action

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """What an address has to be filled with: `("product", "price")`."""
        return tuple(name for _, name in _PART.findall(self.route) if name != "merchant")

    def url(self, **parts: str) -> str:
        """The address with its parts filled in."""
        return "/" + _PART.sub(lambda found: parts[found[2]], self.route)


def doors() -> list[Door]:
    """All of them, in the order in which the resolver tries them."""
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: Any, prefix: str) -> Iterator[Door]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield Door(route, pattern.name or "", pattern.callback, pattern.default_args)
