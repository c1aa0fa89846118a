"""Who is told of which event. The table itself is the roof's one page of reactions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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


def reset() -> None:
    """Read the table anew: tests bring reactions of their own."""
    _table.cache_clear()
    followers.cache_clear()
