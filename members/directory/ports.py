"""What the directory asks of rooms that it does not know; settings name who answers, as dotted names.

MEMBER_MERGE: each room moves what is its own from one member to another, by new rows, in
the transaction of the merge, and takes it back where the merge is undone.
MEMBER_TIMELINE: what happened to a member, newest first, before a key.
MEMBER_PANELS: what a room has to say of a member on its page: balances, tiers, coupons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from members.directory.models import Member


class Merging(Protocol):
    """A room's part of a merge; `undo` takes back what the same two moved before."""

    def __call__(self, *, loser: Member, winner: Member, now: datetime, undo: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a member. `key` is a UUID of version 7 that sorts as it happened."""

    key: UUID
    at: datetime
    title: Any
    icon: str = "circle-dashed"
    # What somebody typed, or a word of the room.
    detail: str = ""
    amount_minor: int | None = None
    currency: str = ""
    # The page that tells more: its name, and the name and the value of what is in its address.
    page: tuple[str, str, str] | None = None


class Timeline(Protocol):
    """What a room knows of a member, the newest `limit` with a key below `before`. Reads only."""

    def __call__(
        self, *, member: Member, customer_ids: Sequence[UUID], before: UUID | None, limit: int
    ) -> list[Happening]: ...


@dataclass(frozen=True, slots=True)
class Panel:
    """A few facts under a title, and the page that tells more."""

    title: Any
    facts: Sequence[tuple[Any, Any]]
    # The page that tells more: its name, and the name and the value of what is in its address.
    page: tuple[str, str, str] | None = None


class Panels(Protocol):
    """What a room shows of a member; None where there is nothing. Reads only."""

    def __call__(self, *, member: Member, now: datetime) -> Panel | None: ...


def timelines() -> Iterator[Timeline]:
    """Who tells what happened to a member."""
    return map(_load, settings.MEMBER_TIMELINE)


def panels(*, member: Member, now: datetime) -> list[Panel]:
    """What other rooms show of a member."""
    shown = (_load(name)(member=member, now=now) for name in settings.MEMBER_PANELS)
    return [panel for panel in shown if panel is not None]


def mergings() -> Iterator[Merging]:
    """Who moves something when two members become one, in the order of the settings."""
    return map(_load, settings.MEMBER_MERGE)


@cache
def _load(name: str) -> Any:
    return import_string(name)
