"""The port of outside providers: who asks a bank or a card scheme for money. One folder each.

Named in settings.PAYMENT_PROVIDERS. A provider is called outside transactions, with our
key, so that asking twice moves money once. Whatever comes back (an answer, a notice, a
sweep's question) is a `Report`, and one gate writes it down (payments.intents).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Literal, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from security.vault.cards import ClearCard

# What a provider says of one payment. `pending` is being worked on; `challenge` waits for the payer;
# `authorized` while anything is held, also beside a part that was captured; `captured` once nothing is.
Status = Literal["authorized", "captured", "declined", "challenge", "pending", "voided"]


class Unanswered(Exception):
    """Asked, and no answer came: the money may have moved. Only `query` can tell."""


class Unreachable(Exception):
    """The question never left us: certainly nothing happened."""


class NoticeRefused(Exception):
    """A notice whose signature, time or shape is wrong: the inbound door answers 400, and nothing is kept."""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A question for money. Amounts in minor units; `key` is the attempt's public id and makes it happen once.

    An amount of zero verifies the card and takes nothing.
    """

    key: str
    account: str  # the merchant's account with the provider: the book's id as hex
    amount_minor: int
    currency: str
    card: ClearCard
    captures: bool  # false: hold it only, capture later
    is_off_session: bool  # the payer is not there, so a challenge is a refusal
    payee: str  # shown to the payer in the challenge and on the statement
    return_url: str  # where the challenge sends the payer back to
    now: datetime  # the book's clock: what the provider takes for the present
    # The scheme's code for the card's own three or four digits: never stored, never logged.
    cvc: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """What a provider knows of one payment at one moment: the whole of it, never a change."""

    key: str
    account: str
    reference: str  # the provider's own id
    status: Status
    amount_minor: int
    currency: str
    authorized_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    # Of a decline: the API's code, and the issuer's reason under card_declined.
    code: str | None = None
    decline_code: str | None = None
    challenge_url: str | None = None
    expires_at: datetime | None = None  # when an authorisation not captured is released
    # Counts the changes of this payment at the provider: of two reports the higher one is the later.
    sequence: int = 0
    # transStatus, eci, cavv, dsTransID, liability_shift, version.
    authentication: Mapping[str, Any] = field(default_factory=dict)
    # AVS and CVC results, scheme, approval code: shown, never decided on.
    network: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefundReport:
    """What a provider knows of one refund. `key` is the refund's public id."""

    key: str
    account: str
    reference: str
    payment_key: str
    status: Literal["pending", "succeeded", "failed"]
    amount_minor: int
    currency: str
    failure_reason: str | None = None
    sequence: int = 0  # as a Report's


@dataclass(frozen=True, slots=True)
class Notice:
    """A provider's own word, verified: its id, and what it reports."""

    id: str
    report: Report | RefundReport


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement on a provider's statement, for reconciliation.

    `key` is that of the capture or the refund. Amounts are signed: what the provider owes the
    account more (a capture, a refund that failed) is above zero, what it owes less is below.
    """

    reference: str
    key: str
    kind: Literal["capture", "refund", "refund_failed", "chargeback", "fee"]
    amount_minor: int
    currency: str
    at: datetime


class Provider(Protocol):
    """An outside provider. Every call has a time-out of its own and raises Unanswered or Unreachable.

    Each is idempotent by its key: the second call answers what the first did, and a
    different question under a key that was used is refused by the provider (a bug of ours: ValueError).
    `now` is the book's clock where the caller has it: a provider of test books takes it for the present.
    """

    name: str
    # Whether it moves real money: one that does not is never asked for a live book, nor believed there.
    serves_live: bool

    def authorise(self, question: Authorisation) -> Report:
        """Ask for the money."""
        ...

    def capture(
        self,
        *,
        key: str,
        account: str,
        reference: str,
        amount_minor: int,
        is_final: bool,
        now: datetime | None = None,
    ) -> Report:
        """Take what was held, or a part of it. `key` is this capture's own; what is not taken stays held
        until the final one. A hold that ran out meanwhile is reported as `voided`."""
        ...

    def void(self, *, key: str, account: str, reference: str, now: datetime | None = None) -> Report:
        """Release what was held; what was captured already stays so."""
        ...

    def refund(
        self, *, key: str, account: str, reference: str, amount_minor: int, now: datetime | None = None
    ) -> RefundReport:
        """Give money back."""
        ...

    def query(self, *, key: str, account: str, now: datetime | None = None) -> Report | None:
        """What is known of the payment under our key; None: the question never arrived."""
        ...

    def query_refund(self, *, key: str, account: str, now: datetime | None = None) -> RefundReport | None:
        """What is known of the refund under our key; None: the question never arrived."""
        ...

    def read_notice(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify a notice and read it. Raises NoticeRefused."""
        ...

    def parse_notice(self, *, body: bytes) -> Notice:
        """Read again a notice that was verified when it came. Raises NoticeRefused."""
        ...

    def statement(self, *, account: str, day: date) -> Sequence[StatementLine]:
        """Everything that moved for an account on a day (UTC)."""
        ...


@cache
def find(name: str) -> Provider:
    """The provider behind a name in settings.PAYMENT_PROVIDERS. Raises KeyError."""
    return import_string(settings.PAYMENT_PROVIDERS[name])()
