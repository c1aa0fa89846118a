"""States: a room's table of legal moves, and the one way to make a move.

A move compares and sets in one UPDATE, so that of two racers exactly one wins.
"""

from collections.abc import Iterable, Mapping

from django.db import models

from merchant_platform.kernel.errors import Conflict, WrongState
from merchant_platform.kernel.writes import Writes


class Moves:
    """A table of legal moves: state to the states it may become."""

    def __init__(self, table: Mapping[str, Iterable[str]]) -> None:
        self.table = {state: frozenset(to) for state, to in table.items()}
        unknown = set().union(*self.table.values()) - set(self.table)
        if unknown:
            raise ValueError(f"moves lead to states that the table does not list: {sorted(unknown)}")

    @property
    def states(self) -> frozenset[str]:
        return frozenset(self.table)

    def allows(self, state: str, to: str) -> bool:
        return to in self.table[state]

    def is_final(self, state: str) -> bool:
        return not self.table[state]


def advance(row: models.Model, *, to: str, moves: Moves, into: Writes | None = None, **fields: object) -> None:
    """Move a row to another state. This will write the state and `fields` in one compare-and-set UPDATE.

    With `into` it is written when that is sent, and a Conflict raised then.

    Raises WrongState where the table does not allow the move, Conflict where the row is
    no longer in the state that was read.
    """
    state = row.status  # type: ignore[attr-defined]
    if not moves.allows(state, to):
        raise WrongState(f"This {row._meta.verbose_name} is {state} and cannot become {to}.")
    if into is not None:
        into.update(row, where={"status": state}, status=to, **fields)
        return
    changed = type(row)._default_manager.filter(pk=row.pk, status=state).update(status=to, **fields)
    if not changed:
        raise Conflict(f"This {row._meta.verbose_name} was changed by another request at the same time. Try again.")
    for name, value in {"status": to, **fields}.items():
        setattr(row, name, value)
