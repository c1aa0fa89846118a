"""Questions to the ledger: balances, exact at any moment, and statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections
from django.db.models import QuerySet

from payments.ledger.chart import AccountRef, Kind, Side
from payments.ledger.models import Account, AccountBalance, Entry
from payments.ledger.models import Hold as Held

# Checkpoint and tail are read in one statement, so both are of one snapshot: a transfer
# is below the checkpoint's transaction id or in the tail, never both, never neither.
# The bound is a plain column: under row-level security an expression in its place would
# not reach the index, and the tail would be read as the whole history.
_TOTALS = """
WITH since AS MATERIALIZED (
    SELECT a.id, coalesce(c.posted_minor, 0) AS posted, coalesce(c.xid, '0'::xid8) AS xid
    FROM unnest(%s::uuid[]) AS a (id)
    LEFT JOIN payments_checkpoint c ON c.account_id = a.id
)
SELECT s.id,
    s.posted
    + coalesce((SELECT sum(t.amount_minor) FROM payments_transfer t
                WHERE t.credit_account_id = s.id AND t.xid >= s.xid), 0)
    - coalesce((SELECT sum(t.amount_minor) FROM payments_transfer t
                WHERE t.debit_account_id = s.id AND t.xid >= s.xid), 0)
FROM since s
"""


@dataclass(frozen=True, slots=True)
class GuardedBalance:
    posted_minor: int
    reserved_minor: int

    @property
    def available_minor(self) -> int:
        return self.posted_minor - self.reserved_minor


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement of a guarded account; `amount_minor` is signed."""

    id: UUID
    entry_id: UUID
    book_id: UUID
    kind: str
    source_id: UUID | None
    amount_minor: int
    unit: str
    effective_at: datetime
    xid: str


def accounts(kind: Kind, *, owner_id: UUID, mode: str) -> list[AccountRef]:
    """The open accounts of a kind that somebody owns, one a unit, in the order of the units."""
    units = Account.objects.filter(code=kind.code, owner_id=owner_id).values_list("unit", flat=True)
    return [AccountRef(kind, owner_id, unit, mode) for unit in sorted(units)]


def entries(kinds: Iterable[str]) -> QuerySet[Entry]:
    """Entries of the open book, of some kinds: to be read, and never written but by the room's operations."""
    return Entry.objects.filter(kind__in=list(kinds))


def totals(accounts: Sequence[AccountRef], *, using: str = "default") -> list[int]:
    """The posted balances of accounts of the open book, each on its own side. One statement."""
    with connections[using].cursor() as cursor:
        cursor.execute(_TOTALS, [[account.id for account in accounts]])
        credit_minus_debit = {account_id: int(total) for account_id, total in cursor.fetchall()}
    return [credit_minus_debit[account.id] * (1 if account.kind.side == Side.CREDIT else -1) for account in accounts]


def total(account: AccountRef, *, using: str = "default") -> int:
    """The posted balance of one account of the open book."""
    return totals([account], using=using)[0]


def guarded(account: AccountRef) -> GuardedBalance:
    """The balance of a guarded account. Raises AccountBalance.DoesNotExist where it was not opened."""
    row = AccountBalance.objects.get(pk=account.id)
    return GuardedBalance(row.posted_minor, row.reserved_minor)


def guarded_many(accounts: Sequence[AccountRef]) -> list[GuardedBalance]:
    """The balances of guarded accounts, in their order, at zero where one was not opened. One statement."""
    rows = AccountBalance.objects.in_bulk([account.id for account in accounts])
    found = (rows.get(account.id) for account in accounts)
    return [GuardedBalance(row.posted_minor, row.reserved_minor) if row else GuardedBalance(0, 0) for row in found]


def holds(*references: str) -> dict[str, Held]:
    """Holds of the open book by their references: to be completed or voided by the room's operations."""
    return {hold.reference: hold for hold in Held.objects.filter(reference__in=references)}


def statement(account: AccountRef, *, before: tuple[str, UUID] | None = None, limit: int) -> list[StatementLine]:
    """A guarded account's movements over all books, newest first; `before` is the last line's (xid, id)."""
    xid, line_id = before or (None, None)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT id, entry_id, book_id, kind, source_id, amount_minor, unit, effective_at, xid::text"
            " FROM wallet_statement_v1(%s, %s::xid8, %s, %s)",
            [account.id, xid, line_id, limit],
        )
        return [StatementLine(*line) for line in cursor.fetchall()]
