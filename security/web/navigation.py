"""The navigation: what the merchant's pages are, in one table that settings name, and what of it a person sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from security.merchants.models import LIVE, TEST, Merchant
from security.web.desk import Desk, address

# As many pages as a phone's bar has room for beside "More".
BAR_MAX = 4


@dataclass(frozen=True, slots=True)
class Item:
    """A page: its route, what it is called, its icon, the action that a role needs (none: all staff), its keys."""

    name: str
    title: Any
    icon: str
    action: str | None = None
    keys: str = ""

    def is_open_to(self, desk: Desk) -> bool:
        return self.action is None or desk.may(self.action)


@dataclass(frozen=True, slots=True)
class Group:
    """Pages of one pillar, under its name; without a name they stand by themselves. Actions begin something new."""

    title: Any
    items: tuple[Item, ...]
    actions: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as a person at a desk sees it."""

    item: Item
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Section:
    title: Any
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A merchant that the person works for."""

    merchant: Merchant
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """All that stands around a page."""

    sections: tuple[Section, ...]
    places: tuple[Place, ...]
    # This page in the other mode; where it shows one object, the list that the object is in.
    other_mode_url: str

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(entry for section in self.sections for entry in section.entries)

    @property
    def bar(self) -> tuple[Entry, ...]:
        """What a phone's bar shows beside "More"."""
        return self.entries[:BAR_MAX]

    @property
    def current(self) -> Entry | None:
        return next((entry for entry in self.entries if entry.is_current), None)

    @property
    def is_beyond_bar(self) -> bool:
        """Whether the page is one of those behind "More"."""
        return any(entry.is_current for entry in self.entries[BAR_MAX:])


def groups() -> Sequence[Group]:
    """The table, from the page that settings name."""
    return import_string(settings.DASHBOARD_NAVIGATION)


def pages(desk: Desk) -> dict[str, str]:
    """The pages of the navigation that are open to who stands at the desk: name to address."""
    return {item.name: desk.url(item.name) for group in groups() for item in group.items if item.is_open_to(desk)}


def frame(desk: Desk, request: HttpRequest) -> Frame:
    """The frame of a page, for who stands at the desk. It asks the database nothing."""
    mine = [(group.title, [item for item in group.items if item.is_open_to(desk)]) for group in groups()]
    urls = {item.name: desk.url(item.name) for _, items in mine for item in items}
    here = _current(urls, request.path, home=desk.url("home"))
    sections = tuple(
        Section(title, tuple(Entry(item, urls[item.name], item.name == here) for item in items))
        for title, items in mine
        if items
    )
    return Frame(sections=sections, places=_places(desk), other_mode_url=in_other_mode(desk, request, here))


def actions(desk: Desk) -> list[tuple[Item, str]]:
    """What this person may begin, and where."""
    return [(item, desk.url(item.name)) for group in groups() for item in group.actions if item.is_open_to(desk)]


def _current(urls: Mapping[str, str], path: str, *, home: str) -> str | None:
    """The item of a page: the one at its address, or the longest that it lies under, as a payment under payments."""
    under = [name for name, url in urls.items() if path == url or (url != home and path.startswith(f"{url}/"))]
    return max(under, key=lambda name: len(urls[name]), default=None)


def in_other_mode(desk: Desk, request: HttpRequest, here: str | None) -> str:
    match = request.resolver_match
    # A page without an object has its own address there.
    is_alike = match is not None and set(match.kwargs) == {"merchant", "mode"}
    name = match.url_name if match and match.url_name and is_alike else here or "home"
    return address(name, merchant=desk.merchant.slug, mode=LIVE if desk.is_test else TEST)


def _places(desk: Desk) -> tuple[Place, ...]:
    return tuple(
        Place(
            staff.merchant,
            address("home", merchant=staff.merchant.slug, mode=desk.book.mode),
            staff.pk == desk.staff.pk,
        )
        for staff in desk.places
    )
