"""The values that the parts of a page take: templates/parts/{tabs,filters,pagination}.html."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tab:
    """A state of a list, and how many rows are in it (None: nobody counted; "100+": more than anybody counts)."""

    title: Any
    url: str
    count: int | str | None = None
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter of a list that is set: what it says, and the address without it."""

    title: Any
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Ways:
    """The addresses of newer and of older rows; empty where there are none."""

    newer: str = ""
    older: str = ""
