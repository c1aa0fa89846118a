"""The palette: what a text may mean, in the order of how surely it is meant: objects, pages, actions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from security.merchants.models import LIVE, TEST
from security.web import navigation
from security.web import search as searching
from security.web.desk import Desk, address

# So many objects at the most; the search page shows all that were found.
OBJECTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Option:
    title: Any
    url: str
    icon: str
    detail: Any = ""
    # What a person typed somewhere, which no browser is to translate.
    is_typed: bool = False


@dataclass(frozen=True, slots=True)
class OptionGroup:
    title: str
    options: list[Option]


def find(desk: Desk, text: str) -> list[OptionGroup]:
    """What a text finds, in groups; without a text, the pages and the actions."""
    groups = [
        OptionGroup(_("Objects"), _objects(desk, text)),
        OptionGroup(pgettext("of the dashboard", "Pages"), _named(text, _pages(desk))),
        OptionGroup(_("Actions"), _named(text, _actions(desk))),
    ]
    return [group for group in groups if group.options]


def _objects(desk: Desk, text: str) -> list[Option]:
    hits = searching.find(desk, text)
    shown = [
        Option(hit.title, hit.url, "arrow-right", f"{hit.kind} · {hit.detail}", True) for hit in hits[:OBJECTS_MAX]
    ]
    if len(hits) > OBJECTS_MAX:
        shown.append(Option(_("All that was found"), searching.address(desk, text), "search"))
    return shown


def _pages(desk: Desk) -> Iterable[Option]:
    for group in navigation.groups():
        for item in group.items:
            if item.is_open_to(desk):
                yield Option(item.title, desk.url(item.name), item.icon, group.title)


def _actions(desk: Desk) -> Iterable[Option]:
    for item, url in navigation.actions(desk):
        yield Option(item.title, url, item.icon)
    other, title = (LIVE, _("To live mode")) if desk.is_test else (TEST, _("To test mode"))
    yield Option(title, address("home", merchant=desk.merchant.slug, mode=other), "flask")
    yield Option(_("Sign-in and security"), reverse("account_email"), "shield-lock")
    yield Option(_("Docs"), reverse("guide"), "book")


def _named(text: str, options: Iterable[Option]) -> list[Option]:
    """Those whose name has every word of the text."""
    words = text.casefold().split()
    return [each for each in options if all(word in f"{each.title} {each.detail}".casefold() for word in words)]
