"""Where an operation comes from, as events remember it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """The mode of the book, and the request behind an operation, if there is one."""

    livemode: bool
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def tags(self) -> dict[str, Any]:
        """What an event says of its request."""
        return {"request_id": self.request_id, "idempotency_key": self.idempotency_key}
