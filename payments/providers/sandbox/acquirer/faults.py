"""Faults on purpose, by name and seed, so that what went wrong can go wrong again the same way."""

import random
import threading
from dataclasses import asdict, dataclass, field
from typing import Any

# On the way of a question and its answer. Before the commit nothing happened; after it, everything did.
ROAD_FAULTS = (
    "timeout_before_commit",
    "timeout_after_commit",
    "error_before_commit",
    "error_after_commit",
    "reset_before_commit",
    "reset_after_commit",
    "slow",
)
# On the way of a notice; `echoed_notice` sends one of what was answered already.
NOTICE_FAULTS = (
    "duplicate_notice",
    "reordered_notices",
    "badly_signed_notice",
    "lost_notice",
    "echoed_notice",
)
NAMES = ROAD_FAULTS + NOTICE_FAULTS


@dataclass
class Fault:
    """Strikes `count` times at most, each time with the chance `percent` by the seed's dice.

    Where `account`, `key` or `operation` (authorise, capture, void, refund, query, ...) is
    set, it strikes there alone. `seconds` is how long a slow answer takes.
    """

    name: str
    count: int = 1
    seed: int = 0
    percent: int = 100
    account: str | None = None
    key: str | None = None
    operation: str | None = None
    seconds: float = 0.5
    dice: random.Random = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"no fault is called {self.name}: {', '.join(NAMES)}")
        self.dice = random.Random(self.seed)  # noqa: S311 (to be repeated, not to be unguessable)

    def is_about(self, *, account: str, key: str, operation: str) -> bool:
        return self.account in (None, account) and self.key in (None, key) and self.operation in (None, operation)

    def shown(self) -> dict[str, Any]:
        values = asdict(self)
        values.pop("dice")
        return values


class Faults:
    """The faults that are switched on. They live in memory: a restart is healthy."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def switch_on(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def shown(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.shown() for fault in self._faults]

    def strikes(self, names: tuple[str, ...], *, account: str, key: str, operation: str) -> Fault | None:
        """The first fault of these names that strikes here now; its count goes down by one."""
        with self._lock:
            for fault in self._faults:
                if fault.name in names and fault.is_about(account=account, key=key, operation=operation):
                    strikes = fault.count > 0 and fault.dice.randrange(100) < fault.percent
                    if strikes:
                        fault.count -= 1
                        self._faults = [each for each in self._faults if each.count > 0]
                        return fault
            return None


def read(text: str) -> list[Fault]:
    """Faults as a setting says them: `slow:count=3:seed=7,timeout_after_commit:operation=capture`.

    Raises ValueError for what it does not know.
    """
    faults = []
    for said in filter(None, (part.strip() for part in text.split(","))):
        name, *options = said.split(":")
        values: dict[str, Any] = {}
        for option in options:
            field_name, _, value = option.partition("=")
            reads: Any = {"count": int, "seed": int, "percent": int, "seconds": float}.get(field_name, str)
            if field_name not in ("count", "seed", "percent", "seconds", "account", "key", "operation"):
                raise ValueError(f"a fault has no {field_name}")
            values[field_name] = reads(value)
        faults.append(Fault(name, **values))
    return faults
