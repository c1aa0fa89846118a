"""Value moves here and nowhere else: open accounts, post, reserve, complete, void, reverse."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connections
from django.db.utils import DatabaseError

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.arrays import literal
from merchant_platform.kernel.errors import Conflict, Invalid, Unavailable
from payments.ledger.chart import CHART, AccountRef
from payments.ledger.models import Account, AccountBalance, Entry, Hold, HoldOutcome, Transfer

LACKS_AMOUNT = "LG001"
FOREIGN_CLUSTER = "LG002"


class InsufficientFunds(Invalid):
    """A guarded account would go below zero."""

    code = "insufficient_funds"


class AlreadyPosted(Conflict):
    """An entry with this reference exists: the act has happened."""

    code = "already_posted"


class AlreadySettled(Conflict):
    """The hold was completed or voided before."""

    code = "hold_settled"


class HoldTooSmall(Invalid):
    """More was to be completed than was reserved."""

    code = "hold_too_small"


class ForeignCluster(Unavailable):
    """The ledger's transaction ids belong to another database cluster."""

    code = "ledger_needs_rebase"


class Unbalanceable(AssertionError):
    """A transfer between units or with an amount that is not above zero: a mistake in our code."""


@dataclass(frozen=True, slots=True)
class Line:
    """One transfer: `amount_minor` from the debit to the credit account."""

    debit: AccountRef
    credit: AccountRef
    amount_minor: int

    def __post_init__(self) -> None:
        if self.debit.unit != self.credit.unit or self.amount_minor <= 0 or self.debit == self.credit:
            raise Unbalanceable(f"{self.amount_minor} from {self.debit} to {self.credit}")


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be posted, in the open book. `amount_minor` and `fee_minor` are what it means for the merchant."""

    id: UUID
    reference: str
    kind: str
    lines: Sequence[Line]
    unit: str
    effective_at: datetime
    amount_minor: int = 0
    fee_minor: int = 0
    source_id: UUID | None = None
    available_at: datetime | None = None


@dataclass(slots=True)
class _Change:
    posted: int = 0
    reserved: int = 0


@dataclass(slots=True)
class _Changes:
    """What a batch does to guarded accounts, summed an account."""

    by_account: dict[UUID, _Change] = field(default_factory=dict)

    def add(self, account: AccountRef, *, posted: int = 0, reserved: int = 0) -> None:
        if account.kind.is_guarded:
            change = self.by_account.setdefault(account.id, _Change())
            change.posted += posted
            change.reserved += reserved


def open_accounts(accounts: Iterable[AccountRef]) -> None:
    """Open accounts that may not exist yet. This will write them, with a balance row where guarded. Idempotent."""
    unique = list(dict.fromkeys(accounts))
    Account.objects.bulk_create(
        [
            Account(
                id=ref.id,
                code=ref.kind.code,
                owner_id=ref.owner_id,
                unit=ref.unit,
                mode=ref.mode,
                book_id=ref.book_id,
            )
            for ref in unique
        ],
        ignore_conflicts=True,
    )
    AccountBalance.objects.bulk_create(
        [AccountBalance(account_id=ref.id) for ref in unique if ref.kind.is_guarded], ignore_conflicts=True
    )


def post(draft: Draft, *, opening: Iterable[AccountRef] = ()) -> None:
    """Post one entry in the open book. See post_many.

    `opening` are totals among its accounts that may not exist yet: they are opened in the same trip.
    """
    _post([draft], _Changes(), opening=opening)


def post_many(drafts: Sequence[Draft]) -> None:
    """Post entries in the open book. This will write them and their transfers and move guarded balances, in one call.

    Raises InsufficientFunds and AlreadyPosted (then nothing of the unit of work
    counts), and ForeignCluster after a restore.
    """
    _post(drafts, _Changes())


def reserve(
    *, account: AccountRef, amount_minor: int, reference: str, now: datetime, expires_at: datetime | None = None
) -> Hold:
    """Set part of a guarded balance aside. This will write the hold and raise the reserved amount.

    Raises InsufficientFunds, and AlreadyPosted for a reference that was used.
    """
    if amount_minor <= 0 or not account.kind.is_guarded:
        raise Unbalanceable(f"reserve {amount_minor} on {account}")
    changes = _Changes()
    changes.add(account, reserved=amount_minor)
    _post([], changes)
    try:
        return Hold.objects.create(
            id=ids.new(now),
            book_id=tenancy.book_id(),
            account_id=account.id,
            unit=account.unit,
            amount_minor=amount_minor,
            reference=reference,
            effective_at=now,
            expires_at=expires_at,
        )
    except IntegrityError as error:
        raise AlreadyPosted(f"{reference} was reserved before.") from error


def complete(*, hold: Hold, account: AccountRef, draft: Draft, now: datetime) -> None:
    """Complete a hold by an entry. This will post it and release what it does not take.

    The entry's debits of the held account are what is completed. Raises HoldTooSmall and
    AlreadySettled.
    """
    completed = sum(line.amount_minor for line in draft.lines if line.debit.id == account.id)
    if account.id != hold.account_id or completed <= 0:
        raise Unbalanceable("the entry does not debit the held account")
    if completed > hold.amount_minor:
        raise HoldTooSmall(f"{completed} is more than the {hold.amount_minor} reserved.")
    # The outcome first: of two racers the second is told by its unique hold.
    _settle(hold, HoldOutcome.COMPLETE, completed_minor=completed, entry_id=draft.id, now=now)
    changes = _Changes()
    changes.add(account, reserved=-hold.amount_minor)
    _post([draft], changes)


def void(*, hold: Hold, account: AccountRef, now: datetime) -> None:
    """Give a hold back. This will write its outcome and lower the reserved amount. Raises AlreadySettled."""
    if account.id != hold.account_id:
        raise Unbalanceable("the hold is on another account")
    _settle(hold, HoldOutcome.VOID, completed_minor=0, entry_id=None, now=now)
    changes = _Changes()
    changes.add(account, reserved=-hold.amount_minor)
    _post([], changes)


def void_expired(*, now: datetime, limit: int = 500) -> int:
    """Give back what was reserved past its time. This will void such holds, each in its book, and return how many.

    A book's own clock says what is past; `now` is the world's, for a book without one.
    However long ago it was: a hold that is open has its amount reserved, so the accounts
    with anything reserved lead to all of them, and to little else.
    """
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "SELECT h.id, h.book_id, coalesce(k.clock_at, %s) FROM payments_accountbalance b"
            " JOIN payments_hold h ON h.account_id = b.account_id LEFT JOIN security_book k ON k.id = h.book_id"
            " WHERE b.reserved_minor > 0 AND h.expires_at <= coalesce(k.clock_at, %s)"
            " AND NOT EXISTS (SELECT 1 FROM payments_holdoutcome o WHERE o.book_id = h.book_id AND o.hold_id = h.id)"
            " ORDER BY h.expires_at, h.id LIMIT %s",
            [now, now, limit],
        )
        expired = cursor.fetchall()
    voided = 0
    for hold_id, book_id, at in expired:
        try:
            with tenancy.within(book_id):
                hold = Hold.objects.select_related("account").get(pk=hold_id)
                void(hold=hold, account=_ref(hold.account), now=at)
        except AlreadySettled:
            continue  # somebody completed or voided it at the same moment
        voided += 1
    return voided


def reverse(*, entry: Entry, kind: str, now: datetime) -> Draft:
    """Undo an entry by its mirror. This will post a new entry with every transfer turned round, and return it.

    Its reference is the entry that it undoes, so that nobody undoes one twice, whatever for.
    Raises AlreadyPosted for the second, and InsufficientFunds where a guarded account no
    longer has what it got.
    """
    transfers = list(
        Transfer.objects.select_related("debit_account", "credit_account").filter(entry=entry).order_by("pk")
    )
    draft = Draft(
        id=ids.new(now),
        reference=f"reversal:{ids.show(entry.id_prefix, entry.pk)}",
        kind=kind,
        lines=[
            Line(_ref(transfer.credit_account), _ref(transfer.debit_account), transfer.amount_minor)
            for transfer in transfers
        ],
        unit=entry.unit,
        effective_at=now,
        amount_minor=-entry.amount_minor,
        fee_minor=-entry.fee_minor,
        source_id=entry.source_id,
    )
    post(draft)
    return draft


def _ref(account: Account) -> AccountRef:
    return AccountRef(CHART[account.code], account.owner_id, account.unit, account.mode)


def _settle(hold: Hold, kind: str, *, completed_minor: int, entry_id: UUID | None, now: datetime) -> None:
    try:
        HoldOutcome.objects.create(
            id=ids.new(now),
            book_id=hold.book_id,
            hold=hold,
            kind=kind,
            completed_minor=completed_minor,
            entry_id=entry_id,
            effective_at=now,
        )
    except IntegrityError as error:
        raise AlreadySettled("The reserved amount was completed or given back before.") from error


def _post(drafts: Sequence[Draft], changes: _Changes, *, opening: Iterable[AccountRef] = ()) -> None:
    transfers = [(draft, line) for draft in drafts for line in draft.lines]
    for _, line in transfers:
        changes.add(line.debit, posted=-line.amount_minor if line.debit.kind.side == "credit" else line.amount_minor)
        changes.add(line.credit, posted=line.amount_minor if line.credit.kind.side == "credit" else -line.amount_minor)
    guarded = sorted(changes.by_account)
    arguments: list[Any] = [
        tenancy.book_id(),
        literal(draft.id for draft in drafts),
        [draft.reference for draft in drafts],
        [draft.kind for draft in drafts],
        literal(draft.source_id for draft in drafts),
        [draft.unit for draft in drafts],
        literal(draft.amount_minor for draft in drafts),
        literal(draft.fee_minor for draft in drafts),
        literal(draft.effective_at for draft in drafts),
        literal(draft.available_at or draft.effective_at for draft in drafts),
        literal(ids.new(draft.effective_at) for draft, _ in transfers),
        literal(draft.id for draft, _ in transfers),
        literal(line.debit.id for _, line in transfers),
        literal(line.credit.id for _, line in transfers),
        [line.debit.unit for _, line in transfers],
        literal(line.amount_minor for _, line in transfers),
        literal(guarded),
        literal(changes.by_account[account].posted for account in guarded),
        literal(changes.by_account[account].reserved for account in guarded),
    ]
    statement = _POST
    if opening := list(dict.fromkeys(opening)):
        assert not any(ref.kind.is_guarded for ref in opening), "a guarded account is opened with its balance row"
        statement = f"{_OPEN};{_POST}"
        arguments = [
            [ref.id for ref in opening],
            [ref.kind.code for ref in opening],
            [ref.owner_id for ref in opening],
            [ref.unit for ref in opening],
            [ref.mode for ref in opening],
            [ref.book_id for ref in opening],
            *arguments,
        ]
    with connections["default"].cursor() as cursor:
        try:
            cursor.execute(statement, arguments)
        except DatabaseError as error:
            refusal = _translated(error)
            if refusal is None:
                raise  # as it is: its cause tells a lock that was waited for in vain from a mistake of ours
            raise refusal from error


_OPEN = (
    "INSERT INTO payments_account (id, code, owner_id, unit, mode, book_id)"
    " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::text[], %s::uuid[])"
    " ON CONFLICT DO NOTHING"
)
_POST = (
    "SELECT ledger_post_v2(%s, %s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::text[], %s::bigint[],"
    " %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[],"
    " %s::text[], %s::bigint[], %s::uuid[], %s::bigint[], %s::bigint[])"
)


def _translated(error: DatabaseError) -> Exception | None:
    cause = error.__cause__
    code = getattr(cause, "pgcode", None)
    if code == LACKS_AMOUNT:
        return InsufficientFunds("The balance is not enough.")
    if code == FOREIGN_CLUSTER:
        return ForeignCluster("The ledger was restored into another database and waits for 'manage.py ledger rebase'.")
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    if constraint == "payments_entry_reference_happens_once":
        return AlreadyPosted("This was posted before.")
    return None
