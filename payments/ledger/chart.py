"""The chart of accounts, on one page.

| code     | whose           | side   | kind    | what it holds                                          |
|----------|-----------------|--------|---------|--------------------------------------------------------|
| bank     | platform's book | debit  | total   | money in the safeguarded bank account                  |
| wallet   | a wallet        | credit | guarded | what the platform owes a consumer                      |
| merchant | a book          | credit | total   | what the platform owes a merchant                      |
| fees     | a book          | credit | total   | what the platform earned from a merchant               |
| acquirer | a book          | debit  | total   | captured by an outside provider, not yet paid to us    |
| stored_value  | a stored-value card | credit | guarded | what a merchant owes its holder: it was paid for        |
| stored_bonus  | a stored-value card | credit | guarded | what the merchant added: spent last, never paid out     |
| stored_issued | a book          | debit  | total   | paid-for value on all its cards: the merchant's liability |
| bonus_issued  | a book          | debit  | total   | bonus on all its cards                                    |

Posted balance = credits − debits on the credit side, debits − credits on the debit side.
A *guarded* account keeps a balance row and never goes below zero; every other account is
a total: a checkpoint and the transfers since. The transfers of a total stand in one book,
which is what lets row-level security show all of them or none.

Safeguarding: in each mode and currency, wallets + merchants + fees not yet withdrawn =
bank + acquirer receivables.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from merchant_platform.kernel import money


class Side(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class Kind:
    """A line of the chart."""

    code: str
    side: Side
    is_guarded: bool = False
    # Where it stands in the safeguarding proof: owed to somebody, or backing it.
    is_owed: bool = False
    is_backing: bool = False


BANK = Kind("bank", Side.DEBIT, is_backing=True)
WALLET = Kind("wallet", Side.CREDIT, is_guarded=True, is_owed=True)
MERCHANT = Kind("merchant", Side.CREDIT, is_owed=True)
FEES = Kind("fees", Side.CREDIT, is_owed=True)
ACQUIRER = Kind("acquirer", Side.DEBIT, is_backing=True)
# The merchant has the money for it since the sale, so it is no part of what the platform safeguards.
STORED_VALUE = Kind("stored_value", Side.CREDIT, is_guarded=True)
STORED_BONUS = Kind("stored_bonus", Side.CREDIT, is_guarded=True)
STORED_ISSUED = Kind("stored_issued", Side.DEBIT)
BONUS_ISSUED = Kind("bonus_issued", Side.DEBIT)

CHART = {
    kind.code: kind
    for kind in (
        *(BANK, WALLET, MERCHANT, FEES, ACQUIRER),
        *(STORED_VALUE, STORED_BONUS, STORED_ISSUED, BONUS_ISSUED),
    )
}


@lru_cache(maxsize=10_000)
def _account_id(code: str, owner_id: UUID, unit: str) -> UUID:
    # Version 8: the bits are ours (RFC 9562, section 5.8), here of a SHA-256.
    digest = int.from_bytes(hashlib.sha256(f"{code}:{owner_id}:{unit}".encode()).digest()[:16], "big")
    digest = digest & ~(0xF << 76) | (8 << 76)
    return UUID(int=digest & ~(0b11 << 62) | (0b10 << 62))


@dataclass(frozen=True, slots=True)
class AccountRef:
    """An account by what it is: the id follows from it, so nobody has to look it up.

    `book_id` is the book whose entries move a total; a guarded account may be moved by
    entries of any book and has none.
    """

    kind: Kind
    owner_id: UUID
    unit: str
    mode: str

    @property
    def id(self) -> UUID:
        return _account_id(self.kind.code, self.owner_id, self.unit)

    @property
    def book_id(self) -> UUID | None:
        return None if self.kind.is_guarded else self.owner_id


def bank(platform_book_id: UUID, currency: str, mode: str) -> AccountRef:
    return AccountRef(BANK, platform_book_id, money.unit(currency), mode)


def wallet(wallet_id: UUID, currency: str, mode: str) -> AccountRef:
    return AccountRef(WALLET, wallet_id, money.unit(currency), mode)


def merchant(book_id: UUID, currency: str, mode: str) -> AccountRef:
    return AccountRef(MERCHANT, book_id, money.unit(currency), mode)


def fees(book_id: UUID, currency: str, mode: str) -> AccountRef:
    return AccountRef(FEES, book_id, money.unit(currency), mode)


def acquirer(book_id: UUID, currency: str, mode: str) -> AccountRef:
    return AccountRef(ACQUIRER, book_id, money.unit(currency), mode)


def stored_value(card_id: UUID, currency: str, mode: str) -> AccountRef:
    return AccountRef(STORED_VALUE, card_id, money.unit(currency), mode)


def stored_bonus(card_id: UUID, currency: str, mode: str) -> AccountRef:
    return AccountRef(STORED_BONUS, card_id, money.unit(currency), mode)


def stored_issued(book_id: UUID, currency: str, mode: str) -> AccountRef:
    return AccountRef(STORED_ISSUED, book_id, money.unit(currency), mode)


def bonus_issued(book_id: UUID, currency: str, mode: str) -> AccountRef:
    return AccountRef(BONUS_ISSUED, book_id, money.unit(currency), mode)
