"""Who is told of which event. The table itself is the roof's one page of reactions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

Handler = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Follower:
    """A handler that is owed an event after its commit, in some books: nothing of it stands in the event's transaction.

    `books_of` is the dotted name of what tells those books, over all of them.
    """

    type: str
    target: str
    books_of: str

    def books(self) -> Iterable[UUID]:
        return import_string(self.books_of)()


@cache
def _table() -> Mapping[str, Sequence[str]]:
    return import_string(settings.EVENT_REACTIONS)


def targets(event_type: str) -> Sequence[str]:
    """The dotted names of the handlers that react to an event type."""
    return _table().get(event_type, ())


@cache
def followers() -> Sequence[Follower]:
    """The handlers that are owed events after their commit."""
    return tuple(import_string(settings.EVENT_FOLLOWERS))


@cache
def public_types() -> Sequence[str]:
    """Every type that merchants are told of, in the order of their names."""
    return tuple(sorted(import_string(settings.EVENT_TYPES)))


def handler(target: str) -> Handler:
    """The function behind a target's name. Raises ImportError for one that is gone."""
    return import_string(target)


def together(handler: Handler) -> Handler:
    """Mark a handler that takes a list of one book's events. They are done all, or each is tried alone."""
    handler.takes_many = True  # type: ignore[attr-defined]
    return handler


def takes_many(target: str) -> bool:
    """Whether the handler behind a name takes a list of events. One that is gone does not."""
    try:
        return getattr(handler(target), "takes_many", False)
    except ImportError:
        return False


def hand_over(target: str, events: Sequence[Any]) -> None:
    """Run the handler behind a name with events of one book: all together where it takes many, else its one."""
    found = handler(target)
    if getattr(found, "takes_many", False):
        found(events)
    else:
        found(*events)


def reset() -> None:
    """Read the table anew: tests bring reactions of their own."""
    _table.cache_clear()
    followers.cache_clear()
