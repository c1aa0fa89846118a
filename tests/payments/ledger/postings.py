"""Words for tests of the ledger: entries as they are drafted, and balances as they are read."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from merchant_platform.kernel import ids, tenancy
from payments.ledger import chart, queries
from payments.ledger import operations as ledger
from security.merchants.models import Book, Merchant
from security.merchants.queries import platform_book_id
from tests.cast import NOW, make_wallet


@pytest.fixture
def wallet(book: Book) -> chart.AccountRef:
    """The account of a wallet that holds ¥100.00."""
    return make_wallet(book, 10_000).account


@pytest.fixture
def other_wallet(book: Book) -> chart.AccountRef:
    """The account of another wallet that holds ¥100.00."""
    return make_wallet(book, 10_000).account


@pytest.fixture
def shop(book: Book) -> chart.AccountRef:
    """What the platform owes the café; its account is open."""
    return opened(book.pk, "merchant")


@pytest.fixture
def fees(book: Book) -> chart.AccountRef:
    """What the platform earned from the café; its account is open."""
    return opened(book.pk, "fees")


@pytest.fixture
def bank(platform: Merchant) -> chart.AccountRef:
    """The platform's money at the bank, in test mode; its account is opened by the first top-up."""
    return chart.bank(platform_book_id(mode="test"), "CNY", "test")


def opened(book_id: UUID, code: str) -> chart.AccountRef:
    """A total of a book, open for entries."""
    account = {"merchant": chart.merchant, "fees": chart.fees, "bank": chart.bank}[code](book_id, "CNY", "test")
    with tenancy.within(book_id):
        ledger.open_accounts([account])
    return account


def sale(
    wallet: chart.AccountRef,
    shop: chart.AccountRef,
    amount_minor: int,
    *,
    fee_minor: int = 0,
    reference: str | None = None,
    now: datetime = NOW,
) -> ledger.Draft:
    """An entry that takes from a wallet for a shop, which pays a fee of it."""
    entry_id = ids.new(now)
    lines = [ledger.Line(wallet, shop, amount_minor)]
    if fee_minor:
        lines.append(ledger.Line(shop, chart.fees(shop.owner_id, "CNY", "test"), fee_minor))
    return ledger.Draft(
        id=entry_id,
        reference=reference or f"sale:{entry_id}",
        kind="sale",
        lines=lines,
        unit=shop.unit,
        effective_at=now,
        amount_minor=amount_minor,
        fee_minor=fee_minor,
    )


def gift(giver: chart.AccountRef, taker: chart.AccountRef, amount_minor: int) -> ledger.Draft:
    """An entry from one wallet to another: two guarded accounts at once."""
    entry_id = ids.new(NOW)
    return ledger.Draft(
        id=entry_id,
        reference=f"gift:{entry_id}",
        kind="gift",
        lines=[ledger.Line(giver, taker, amount_minor)],
        unit=giver.unit,
        effective_at=NOW,
    )


def post(book_id: UUID, *drafts: ledger.Draft) -> None:
    """Post entries in a unit of work of their own."""
    with tenancy.within(book_id):
        ledger.post_many(drafts)


def total(account: chart.AccountRef) -> int:
    """A total, read in its book as the app reads it."""
    with tenancy.within(account.owner_id):
        return queries.total(account)


def held(account: chart.AccountRef) -> tuple[int, int]:
    """What a guarded account has, and how much of it is reserved."""
    balance = queries.guarded(account)
    return balance.posted_minor, balance.reserved_minor


def raised(outcomes: list[Any], kind: type[Exception]) -> int:
    """How many racers were refused in the one way that is allowed; any other failure fails the test."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert [failure for failure in failures if not isinstance(failure, kind)] == []
    return len(failures)
