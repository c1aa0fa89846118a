"""The acquirer's control endpoints: its faults, its hurry, and where its notices go."""

from typing import Any

from payments.providers.sandbox.wire import Wire


class Control:
    """What a test or a developer's page switches at the acquirer. Raises what `Wire.ask` raises."""

    def __init__(self) -> None:
        self._wire = Wire()

    def fail(
        self,
        name: str,
        *,
        count: int = 1,
        seed: int = 0,
        percent: int = 100,
        account: str | None = None,
        key: str | None = None,
        operation: str | None = None,
        seconds: float = 0.5,
    ) -> None:
        """Switch a fault on (payments/providers/sandbox/acquirer/faults.py has the names).

        It strikes `count` times, each time with a chance of `percent` by the seed's dice;
        `account`, `key` and `operation` (authorise, capture, void, refund, query,
        query_refund, statement, read_challenge, answer_challenge, notice) narrow it.
        """
        wish = {"name": name, "count": count, "seed": seed, "percent": percent, "seconds": seconds}
        self._wire.ask("/control/faults", {**wish, "account": account, "key": key, "operation": operation})

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are switched on, with what is left of their counts."""
        return self._wire.ask("/control/faults/list", {})["faults"]

    def heal(self) -> None:
        """Switch every fault off."""
        self._wire.ask("/control/faults/clear", {})

    def hurry(self, kind: str | None = None) -> int:
        """Let what would happen later happen now: `refund`s settle, `challenge`s run out, notices are sent again.

        Gives how many refunds and challenges it were.
        """
        return self._wire.ask("/control/hurry", {"kind": kind})["done"]

    def send_notices_to(self, address: str | None) -> None:
        """Send every notice to this address, with the account at its end; None: where each account said."""
        self._wire.ask("/control/notices", {"to": address})

    def forget(self) -> None:
        """Let nothing more happen of what would happen later, and no notice be sent that is still to be sent."""
        self._wire.ask("/control/forget", {})
