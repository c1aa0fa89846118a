"""What a checkout asks of higher rooms, each named in settings by a dotted name.

CHECKOUT_DISCOUNTS prices a cart, CHECKOUT_INVITATIONS invites who pays to join. What
CHECKOUT_TENDERS names has its port in payments/tenders/port.py, since the outcome of a
payment settles tenders wherever it is heard; its names stand here as well.

Everything is called in an open unit of work of the book.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from merchant_platform.kernel.errors import Conflict
from payments.origin import Origin
from payments.tenders.port import Completed, Due, GivenBack, Offered, Part, Payer, Tender, TenderGone

__all__ = [
    "Applied",
    "Cart",
    "Completed",
    "DiscountGone",
    "Discounts",
    "Due",
    "GivenBack",
    "Grant",
    "Invitation",
    "Invitations",
    "Line",
    "NearMiss",
    "Offered",
    "Part",
    "Payer",
    "Priced",
    "PricedLine",
    "Refused",
    "Tender",
    "TenderGone",
    "discounts",
    "invitations",
]


# Why a code is refused that is none: whoever tries many of them is guessing.
UNKNOWN = "unknown"


class DiscountGone(Conflict):
    """A discount that the payer was shown cannot be had any more: nothing is held, and the page prices again."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a cart at the catalogue's price of now. `line_id` is the order line's."""

    line_id: UUID
    quantity: int
    unit_price_minor: int
    product_id: UUID | None = None
    price_id: UUID | None = None
    category: str = ""
    description: str = ""
    unit_cost_minor: int | None = None

    @property
    def amount_minor(self) -> int:
        return self.quantity * self.unit_price_minor


@dataclass(frozen=True, slots=True)
class Grant:
    """What the merchant attached to a session: a coupon, or one of its codes, by the ids that the API shows."""

    coupon: str | None = None
    promotion_code: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {"coupon": self.coupon, "promotion_code": self.promotion_code}


@dataclass(frozen=True, slots=True)
class Cart:
    """What is to be priced. `codes` are what the payer typed, each once, as typed; `grants` is from the merchant."""

    order_id: UUID
    currency: str
    lines: Sequence[Line]
    payer: Payer
    now: datetime
    codes: Sequence[str] = ()
    grants: Sequence[Grant] = ()
    store_id: UUID | None = None

    @property
    def subtotal_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What a line is reduced by: its share of all that applies. Never more than the line's amount."""

    line_id: UUID
    discount_minor: int


@dataclass(frozen=True, slots=True)
class Applied:
    """A discount that the cart has. Texts are in the language of the page."""

    offer_id: UUID
    title: str
    amount_minor: int
    # Why it applies, for the payer.
    reason: str = ""
    # The code that brought it, as typed, where the payer typed one.
    code: str | None = None
    # What brought it, by the ids that the API shows; neither where it applies by itself.
    coupon: str | None = None
    promotion_code: str | None = None
    # What each line gets of it.
    shares: Mapping[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """A code, a grant, or an offer that the payer was promised, that does not apply, and why."""

    title: str
    reason: str
    # A stable word for the reason: UNKNOWN, `expired`, `used_up`, `someone_else`.
    reason_code: str
    # The code that the payer typed.
    code: str | None = None
    is_granted: bool = False


@dataclass(frozen=True, slots=True)
class NearMiss:
    """What is missing for a discount: "再买 ¥12.00 可减 ¥20"."""

    text: str
    missing_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """A cart with its discounts. A line that is not named has none.

    Something is left to pay: an order costs at least one step of its currency.
    """

    lines: Sequence[PricedLine] = ()
    applied: Sequence[Applied] = ()
    refused: Sequence[Refused] = ()
    near_misses: Sequence[NearMiss] = ()

    @property
    def discounts(self) -> dict[UUID, int]:
        return {line.line_id: line.discount_minor for line in self.lines}


class Discounts(Protocol):
    """The one that prices carts."""

    def price(self, cart: Cart) -> Priced:
        """What applies now. Reads only; whatever `hold` keeps for this order counts as had."""
        ...

    def hold(self, cart: Cart, priced: Priced, *, expires_at: datetime) -> None:
        """Keep codes, counted numbers and budgets for this order, under lock, before money is asked for.

        Held again with another cart it follows that one. Raises DiscountGone.
        """
        ...

    def take(self, order_id: UUID, *, now: datetime, origin: Origin) -> None:
        """The order was paid: what is held is used up. Again changes nothing."""
        ...

    def release(self, order_id: UUID, *, now: datetime) -> None:
        """The order will not be paid: what is held is free again. Again changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a payer is invited to, in the language of the page: a tick on the pay page."""

    title: str
    text: str = ""
    # What has to be named with the consent: the version of the wording.
    wording: str = field(default="")


@dataclass(frozen=True, slots=True)
class Welcome:
    """What is said to a payer who joined, in the language of the page."""

    title: str
    text: str
    # The name of the page that tells more, where the payer has one.
    page: str = ""


class Invitations(Protocol):
    """The one that lets payers join."""

    def offer(self, payer: Payer, *, now: datetime) -> Invitation | None:
        """What to ask this payer; None where they joined already or nobody may. Reads only."""
        ...

    def accept(self, *, customer_id: UUID, order_id: UUID, wording: str, now: datetime, origin: Origin) -> None:
        """The payer ticked it, and paid. In a unit of work after the payment's. Again changes nothing."""
        ...

    def welcome(self, *, customer_id: UUID, is_live: bool) -> Welcome | None:
        """What to say once it is done; None before. Reads only."""
        ...


@cache
def _find(name: str) -> object:
    return import_string(name)()


def discounts() -> Discounts | None:
    """Who prices carts on this platform, if anybody does."""
    return _find(settings.CHECKOUT_DISCOUNTS) if settings.CHECKOUT_DISCOUNTS else None  # type: ignore[return-value]


def invitations() -> Invitations | None:
    """Who lets payers join on this platform, if anybody does."""
    return _find(settings.CHECKOUT_INVITATIONS) if settings.CHECKOUT_INVITATIONS else None  # type: ignore[return-value]
