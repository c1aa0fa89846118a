"""Two times at once: a step of a payer is remembered by the book's clock and by the world's."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """`now` is the book's time, `recorded` the world's."""

    now: datetime
    recorded: datetime

    def columns(self, step: str) -> dict[str, datetime]:
        """The two columns of a step: `opened` is opened_at and opened_recorded_at."""
        return {f"{step}_at": self.now, f"{step}_recorded_at": self.recorded}
