"""Who is told of which event. The table itself is the roof's one page of reactions."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

Handler = Callable[..., None]


@cache
def _table() -> Mapping[str, Sequence[str]]:
    return import_string(settings.EVENT_REACTIONS)


def targets(event_type: str) -> Sequence[str]:
    """The dotted names of the handlers that react to an event type."""
    return _table().get(event_type, ())


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
