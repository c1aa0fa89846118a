"""Questions about stored-value cards: what is on them, what happened to them, what the merchant owes on all."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import missing
from payments.ledger import chart
from payments.ledger import queries as ledger
from payments.ledger.queries import GuardedBalance, StatementLine
from payments.stored_value.models import StoredValueCard


@dataclass(frozen=True, slots=True)
class Balance:
    """What is on a card: what was paid for, and the bonus, which is spent last."""

    paid: GuardedBalance
    bonus: GuardedBalance

    @property
    def posted_minor(self) -> int:
        return self.paid.posted_minor + self.bonus.posted_minor

    @property
    def available_minor(self) -> int:
        return self.paid.available_minor + self.bonus.available_minor


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of a card's statement, and to which of its two parts it belongs."""

    line: StatementLine
    is_bonus: bool


@dataclass(frozen=True, slots=True)
class Liability:
    """What a merchant owes on all cards of a currency, and the bonus that stands beside it."""

    currency: str
    paid_minor: int
    bonus_minor: int


def find(card_id: UUID) -> StoredValueCard:
    """A card of the open book. Raises NotFound."""
    card = StoredValueCard.objects.select_related("customer").filter(pk=card_id).first()
    if card is None:
        raise missing("stored-value card", ids.show("svc", card_id))
    return card


def balances(cards: Sequence[StoredValueCard]) -> list[Balance]:
    """What is on each of some cards: one statement."""
    if not cards:
        return []
    found = ledger.guarded_many([account for card in cards for account in (card.paid, card.bonus)])
    return [Balance(paid, bonus) for paid, bonus in zip(found[::2], found[1::2], strict=True)]


def balance(card: StoredValueCard) -> Balance:
    """What is on one card."""
    return balances([card])[0]


def statement(card: StoredValueCard, *, before: tuple[str, UUID] | None = None, limit: int) -> list[Movement]:
    """A card's movements, newest first; `before` is the last line's (xid, id). Two statements."""
    lines = [
        Movement(line, is_bonus)
        for account, is_bonus in ((card.paid, False), (card.bonus, True))
        for line in ledger.statement(account, before=before, limit=limit)
    ]
    return sorted(lines, key=lambda each: (int(each.line.xid), each.line.id), reverse=True)[:limit]


def of_consumer(consumer_id: UUID) -> "QuerySet[StoredValueCard]":
    """The cards of whoever a consumer is to the open book's merchant."""
    return StoredValueCard.objects.filter(customer__consumer_id=consumer_id, customer__book_id=tenancy.book_id())


def liabilities(*, mode: str) -> list[Liability]:
    """What the open book's merchant owes on its cards, by currency, exact at this moment: two statements."""
    book_id = tenancy.book_id()
    issued = ledger.accounts(chart.STORED_ISSUED, owner_id=book_id, mode=mode)
    if not issued:
        return []
    currencies = [account.unit.partition("/")[0] for account in issued]
    bonuses = [chart.bonus_issued(book_id, currency, mode) for currency in currencies]
    sums = ledger.totals([*issued, *bonuses])
    return [
        Liability(currency, paid, bonus)
        for currency, paid, bonus in zip(currencies, sums[: len(issued)], sums[len(issued) :], strict=True)
    ]
