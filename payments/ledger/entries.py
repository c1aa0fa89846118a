"""Questions about entries: a merchant's balance transactions, and what each of them moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from merchant_platform.kernel import ids, tenancy
from payments.ledger import chart, queries
from payments.ledger.models import Account, Entry, Transfer

# What changes a merchant's balance.
KINDS = ("charge", "refund", "refund_failure")


@dataclass(frozen=True, slots=True)
class Move:
    """One transfer: from the debit to the credit account, each by its code in the chart."""

    debit: str
    credit: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Posting:
    """An entry with its transfers."""

    entry: Entry
    moves: Sequence[Move]

    @property
    def shown_id(self) -> str:
        return ids.show("txn", self.entry.pk)

    @property
    def currency(self) -> str:
        return currency_of(self.entry)

    @property
    def debits_minor(self) -> int:
        """The sum of its debit side; the credit side of the same transfers is the same."""
        return sum(move.amount_minor for move in self.moves)


@dataclass(frozen=True, slots=True)
class Owed:
    """What the platform owes the merchant in one currency."""

    currency: str
    available_minor: int
    pending_minor: int = 0


def merchant_entries() -> "QuerySet[Entry]":
    """The open book's balance transactions, in no order."""
    return Entry.objects.filter(kind__in=KINDS)


def referenced(references: Sequence[str]) -> list[Posting]:
    """Entries by their references, the oldest first, with what they moved: two statements."""
    entries = list(Entry.objects.filter(reference__in=references).order_by("effective_at", "pk"))
    moves: dict[UUID, list[Move]] = {entry.pk: [] for entry in entries}
    transfers: Any = Transfer.objects.filter(entry_id__in=list(moves)).order_by("pk")
    for entry_id, debit, credit, amount in transfers.values_list(
        "entry_id", "debit_account__code", "credit_account__code", "amount_minor"
    ):
        moves[entry_id].append(Move(debit, credit, amount))
    return [Posting(entry, moves[entry.pk]) for entry in entries]


def owed(*, mode: str) -> list[Owed]:
    """What the open book's merchant is owed, by currency, exact at this moment: two statements.

    Money of wallets and of the sandbox's cards is in the platform's hands at once, so none of it is pending.
    """
    book_id = tenancy.book_id()
    units = Account.objects.filter(code=chart.MERCHANT.code, owner_id=book_id).values_list("unit", flat=True)
    accounts = [chart.AccountRef(chart.MERCHANT, book_id, unit, mode) for unit in sorted(units)]
    return [
        Owed(account.unit.partition("/")[0], total)
        for account, total in zip(accounts, queries.totals(accounts), strict=True)
    ]


def currency_of(entry: Entry) -> str:
    """The currency of an entry's unit: `CNY` of `CNY/2`."""
    return entry.unit.partition("/")[0]
