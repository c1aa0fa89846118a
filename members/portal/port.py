"""What rooms of all floors show a consumer in the wallet: their cards with merchants, and what they own here.

Each is a callable named in settings (WALLET_CARDS, HOLDINGS), which reads and writes
nothing. It is called outside any unit of work and opens those of the merchants' books
that the consumer is linked to; `Viewer.links` names them, so that nobody asks again.

    def cards(viewer: Viewer, now: datetime) -> list[Card]: ...
    def holdings(viewer: Viewer, now: datetime) -> list[Holding]: ...
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from payments.wallets.models import Consumer, Wallet
from payments.wallets.queries import Link
from security.merchants.models import Book

# What a card is, in the order in which a merchant's are shown.
MEMBERSHIP, POINTS, COUPON, STORED_VALUE = "membership", "points", "coupon", "stored_value"
KINDS = (MEMBERSHIP, POINTS, COUPON, STORED_VALUE)
# The page of the wallet that tells more: its name, and the name and the value of what is in its address.
Page = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """A merchant that a consumer is linked to: its book, and who the consumer is there."""

    book: Book
    link: Link


@dataclass(frozen=True, slots=True)
class Viewer:
    """The consumer who looks, with what is theirs. Nothing of another one's is reachable from here."""

    consumer: Consumer
    wallets: Sequence[Wallet]
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Card:
    """Something that a consumer has with one merchant. Texts are in the language of the request."""

    book: Book
    kind: str
    title: str
    lines: Sequence[str] = field(default=())
    # What a till reads: a member's number, a coupon's code.
    code: str | None = None
    # How far along, 0 to 100, where the card tells of progress (to the next tier).
    percent: int | None = None
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """Something of value that a consumer owns, as the ledger has it: an amount of one unit.

    `unit` is a currency in minor units (`CNY`), or another unit of the ledger, counted whole
    (`PTS.…`), whose `unit_name` says to a person what it is.
    """

    name: str
    amount: int
    unit: str
    kind: str
    unit_name: str = ""
    merchant: str = ""
    page: Page | None = None

    @property
    def is_money(self) -> bool:
        return len(self.unit) == 3


Cards = Callable[[Viewer, datetime], list[Card]]
Holdings = Callable[[Viewer, datetime], list[Holding]]
