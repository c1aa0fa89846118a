"""What the directory asks of rooms that it does not know; settings name who answers, as dotted names.

MEMBER_MERGE: each room moves what is its own from one member to another, by new rows, in
the transaction of the merge, and takes it back where the merge is undone.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from members.directory.models import Member


class Merging(Protocol):
    """A room's part of a merge; `undo` takes back what the same two moved before."""

    def __call__(self, *, loser: Member, winner: Member, now: datetime, undo: bool) -> None: ...


def mergings() -> Iterator[Merging]:
    """Who moves something when two members become one, in the order of the settings."""
    return map(_load, settings.MEMBER_MERGE)


@cache
def _load(name: str) -> Any:
    return import_string(name)
