"""What the engine sees: a cart, the offers that may touch it, and what it answers. Plain values, no database.

Frames are read from and written to plain JSON, so that a decision which keeps its inputs
can be run again years later (docs/algorithms/offers.md says what each kind does).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from merchant_platform.kernel.decisions.rules import Reason

PERCENT, AMOUNT, SPEND, BUY_GET, BUNDLE, TIER_PRICE, FLASH, PERSONAL = (
    "percent", "amount", "spend", "buy_get", "bundle", "tier_price", "flash", "personal",
)  # fmt: skip
AUTOMATIC, CODE = "automatic", "code"
MERCHANT = "merchant"

# Unit prices first, then sets of things, then what is taken off the sum: within a stage the merchant's own order.
STAGES = {FLASH: 0, TIER_PRICE: 0, BUY_GET: 1, BUNDLE: 1, PERCENT: 2, AMOUNT: 2, SPEND: 2, PERSONAL: 2}
KINDS = tuple(STAGES)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a cart. `key` is whatever the asker knows it by."""

    key: str
    quantity: int
    unit_minor: int
    product: str | None = None
    category: str = ""
    # What one costs the merchant, where that is known.
    cost_minor: int | None = None
    # Tax that is added to the price.
    tax_ppm: int = 0

    @property
    def subtotal_minor(self) -> int:
        return self.quantity * self.unit_minor


@dataclass(frozen=True, slots=True)
class Code:
    """A code that somebody typed, and what the book knows of it. `problem` is why it is no use."""

    text: str
    offer: str | None = None
    id: str | None = None
    problem: str | None = None
    minimum_minor: int = 0
    is_first_only: bool = False


@dataclass(frozen=True, slots=True)
class Cart:
    """What is to be priced, by whom and when. Weekday (Monday is 0) and minute are those of the merchant's zone."""

    currency: str
    lines: tuple[Line, ...]
    weekday: int = 0
    minute: int = 0
    store: str | None = None
    # Whoever is not known cannot be counted, so a limit for each customer refuses guests.
    is_known: bool = False
    has_bought: bool = False
    # The figures of a member who agreed to be treated by them; None where nobody may look.
    features: Mapping[str, Any] | None = None
    # The tiers that the customer has as a member, by name; and the names of the others.
    member_tiers: Mapping[str, str] = field(default_factory=dict)
    tier_names: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[Code, ...] = ()
    # What must be left to pay: an order of nothing cannot be paid.
    least_minor: int = 0

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """A cart from its JSON."""
        return cls(
            **{
                **data,
                "lines": tuple(Line(**line) for line in data["lines"]),
                "codes": tuple(Code(**code) for code in data.get("codes", ())),
            }
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Hours:
    """Part of a day on some days of the week: from a minute until before another, past midnight where it is less."""

    days: tuple[int, ...]
    from_minute: int
    to_minute: int

    def holds(self, weekday: int, minute: int) -> bool:
        if self.from_minute < self.to_minute:
            return weekday in self.days and self.from_minute <= minute < self.to_minute
        return (weekday in self.days and minute >= self.from_minute) or (
            (weekday - 1) % 7 in self.days and minute < self.to_minute
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """What an offer says: one version of it, never changed. `effect` differs by kind."""

    name: str
    kind: str
    effect: Mapping[str, Any]
    trigger: str = AUTOMATIC
    currency: str | None = None
    priority: int = 100
    is_exclusive: bool = False
    # What it is for; empty means everything.
    products: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    # The tiers whose members alone may have it; empty means everybody.
    member_tiers: tuple[str, ...] = ()
    hours: tuple[Hours, ...] = ()
    minimum_minor: int = 0
    is_first_only: bool = False
    discount_max_minor: int | None = None
    # The share of the price that must stay the merchant's, over what the thing cost.
    margin_floor_ppm: int | None = None
    # Who bears the cost: `merchant` or a store, with a weight.
    bearers: tuple[tuple[str, int], ...] = ((MERCHANT, 1),)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """Terms from their JSON."""
        given: dict[str, Any] = dict(data)
        for name in ("products", "categories", "stores", "member_tiers"):
            if name in given:
                given[name] = tuple(given[name])
        if "hours" in given:
            given["hours"] = tuple(
                Hours(tuple(each["days"]), each["from_minute"], each["to_minute"]) for each in given["hours"]
            )
        if "bearers" in given:
            given["bearers"] = tuple((bearer, weight) for bearer, weight in given["bearers"])
        return cls(**given)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Offer:
    """One version of an offer, and what is left of it now. None is no limit; `problem` is why it does not run."""

    id: str
    version: int
    terms: Terms
    problem: str | None = None
    uses_left: int | None = None
    customer_uses_left: int | None = None
    is_counted_by_customer: bool = False
    budget_left_minor: int | None = None
    units_left: int | None = None
    # The id of its coupon, where codes lead to it.
    coupon: str | None = None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """An offer from its JSON."""
        return cls(**{**data, "terms": Terms.read(data["terms"])})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def order(self) -> tuple[int, int, str]:
        """The stated order: stage, then the merchant's priority, then age."""
        return STAGES[self.terms.kind], self.terms.priority, self.id


@dataclass(frozen=True, slots=True)
class Applied:
    """An offer that took something off, or grants points, and what each line got of it."""

    offer: str
    version: int
    name: str
    code: str | None
    discount_minor: int
    units: int
    bonus_points: int
    # Line key to minor units, and bearer to minor units; both sum to the discount.
    shares: Mapping[str, int]
    costs: Mapping[str, int]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """What is missing to a better price: an amount or a number of things, and what it would bring."""

    offer: str
    name: str
    currency: str
    missing_minor: int = 0
    missing_count: int = 0
    discount_minor: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PricedLine:
    key: str
    subtotal_minor: int
    discount_minor: int
    tax_minor: int

    @property
    def amount_minor(self) -> int:
        return self.subtotal_minor - self.discount_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class Priced:
    """A cart with its prices, in the cart's own order of lines, and why they are these."""

    currency: str
    lines: tuple[PricedLine, ...]
    applied: tuple[Applied, ...] = ()
    refused: tuple[Reason, ...] = ()
    near_misses: tuple[NearMiss, ...] = field(default=())

    @property
    def subtotal_minor(self) -> int:
        return sum(line.subtotal_minor for line in self.lines)

    @property
    def discount_minor(self) -> int:
        return sum(line.discount_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        return sum(line.tax_minor for line in self.lines)

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor - self.discount_minor + self.tax_minor

    @property
    def bonus_points(self) -> int:
        return sum(each.bonus_points for each in self.applied)
