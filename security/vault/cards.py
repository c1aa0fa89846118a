"""A card's number in the clear, for the length of one call."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClearCard:
    """What stands on a card. It is never logged, stored or put in a queue: what is kept is a token of it.

    Its `repr` shows nothing, so that no traceback and no log line can.
    """

    number: str = field(repr=False)
    exp_month: int = field(repr=False)
    exp_year: int = field(repr=False)
    holder: str | None = field(default=None, repr=False)
