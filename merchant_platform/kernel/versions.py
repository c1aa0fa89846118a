"""Versions of an object for people who edit it: what one person saw must still stand when the change arrives.

A version is a digest of the object as it is shown, so that no table needs a column for it
and whatever changes the object changes its version.
"""

import hashlib
from typing import Any

from merchant_platform.kernel.errors import Conflict
from merchant_platform.kernel.wire import dump

_LENGTH = 16


class ChangedMeanwhile(Conflict):
    """Somebody else changed the object after it was shown."""


def of(shown: Any) -> str:
    """The version of an object as it is shown."""
    return hashlib.sha256(dump(shown).encode()).hexdigest()[:_LENGTH]


def check_seen(seen: str | None, present: str) -> None:
    """Raises ChangedMeanwhile where the version that was seen is not the present one. None: the caller saw nothing."""
    if seen is not None and seen != present:
        raise ChangedMeanwhile("Somebody changed this meanwhile. Look at it again before you change it.")
