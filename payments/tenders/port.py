"""The port of tenders: ways to pay a part of an order from value that stands in the ledger already.

Named in settings.CHECKOUT_TENDERS, in the order in which they are taken; refunds run the
other way round. All of them are guarded: `reserve` holds the value in the ledger, without
an expiry, and then exactly one of `complete` and `void` happens. Every call but `offered`
is made inside the unit of work of the order's payment, with the order locked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from merchant_platform.kernel.errors import Conflict
from payments.origin import Origin


class TenderGone(Conflict):
    """What was offered is not there any more, or less of it: nothing was reserved. Its sentence is for the payer."""


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, as far as the page knows: the merchant's record of them, and the consumer who signed in here.

    That the merchant named a customer proves nothing of whoever has the page: what is the
    customer's own is theirs to use once they are `proven` (docs/adr/0027).
    """

    customer_id: UUID | None = None
    consumer_id: UUID | None = None
    is_proven: bool = False

    @property
    def proven(self) -> "Payer":
        """The same, without the customer where nobody proved to be them: who may use what is theirs."""
        return self if self.is_proven else Payer(None, self.consumer_id)


@dataclass(frozen=True, slots=True)
class Due:
    """What there is to pay: an order, and who may pay it with what is theirs. `mode` is the book's, live or test."""

    order_id: UUID
    amount_minor: int
    currency: str
    payer: Payer
    mode: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Offered:
    """Something a payer could use: a card, points, a wallet. Shown to nobody but them.

    Amounts taken of it are multiples of `step_minor`; each step is `units_per_step` units
    where it is not counted in money (points): at 100 points a yuan, steps of 100 fen are
    100 units each.
    """

    # The name in settings.CHECKOUT_TENDERS.
    tender: str
    # What is spent: the card, the member, the wallet.
    source_id: UUID
    # In the language of the page: "Points", "Gift card •••• 4821".
    label: str
    # The most of it that can pay, in money: already a multiple of the step.
    available_minor: int
    step_minor: int = 1
    units_per_step: int | None = None
    # In the language of the page: "1,250 points", where money does not say it.
    balance: str = ""

    def units_for(self, amount_minor: int) -> int | None:
        """How many units an amount costs; None where it is counted in money."""
        return None if self.units_per_step is None else amount_minor // self.step_minor * self.units_per_step


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an order that a tender pays, as its row says it."""

    tender_id: UUID
    order_id: UUID
    source_id: UUID
    amount_minor: int
    currency: str
    # What it costs in the tender's own units, where it is not counted in money.
    units: int | None
    # Unique to this try: the hold's reference in the ledger.
    reference: str
    payer: Payer
    mode: str
    # Set once it is reserved.
    hold_id: UUID | None = None
    # Set once it is completed: what was given back before.
    refunded_minor: int = 0
    refunded_units: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    """The ledger entry of a completed part, and the payment that it made, where it is new money for the merchant."""

    entry_id: UUID
    intent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class GivenBack:
    """The ledger entry of a refund of a part, and how many units it gave back."""

    entry_id: UUID
    units: int | None = None


class Tender(Protocol):
    """One way to pay a part of an order."""

    name: str

    def offered(self, due: Due) -> Sequence[Offered]:
        """What the payer could use without typing a code. Reads only, and never fails for an unknown payer."""
        ...

    def look_up(self, due: Due, source_id: UUID) -> Offered | None:
        """One source again, chosen earlier: what it could pay now. Reads only."""
        ...

    def reserve(self, part: Part, *, now: datetime) -> UUID:
        """Hold the value by ledger.reserve(expires_at=None). Returns the hold's id. Raises TenderGone."""
        ...

    def complete(self, part: Part, *, now: datetime, origin: Origin) -> Completed:
        """Take what is held, by ledger.complete. Never refuses: what is held is there."""
        ...

    def void(self, part: Part, *, now: datetime) -> None:
        """Give back what is held, by ledger.void."""
        ...

    def refund(self, part: Part, *, refund_id: UUID, amount_minor: int, now: datetime, origin: Origin) -> GivenBack:
        """Give an amount of a completed part back to where it came from, once a refund (the entry's reference).

        Units go back in proportion to the sum given back so far, so that refunding
        piece by piece gives back exactly what was taken.
        """
        ...


def find(name: str) -> Tender:
    """The tender behind a name in settings.CHECKOUT_TENDERS."""
    return _made(settings.CHECKOUT_TENDERS[name])


@cache
def _made(path: str) -> Tender:
    return import_string(path)()


def names() -> list[str]:
    """The tenders of this platform, in the order in which they are taken."""
    return list(settings.CHECKOUT_TENDERS)
