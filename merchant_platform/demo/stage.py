"""Where and when a shop's history plays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from merchant_platform.demo.shops import Shop
from payments.ledger import chart
from security.merchants.models import Merchant, Store


@dataclass(frozen=True, slots=True)
class Stage:
    """A shop that was founded, its test book, the bank its customers' money comes from, and about how many orders."""

    shop: Shop
    merchant: Merchant
    stores: Sequence[Store]
    book_id: UUID
    bank: chart.AccountRef
    orders: int
    start: datetime
    now: datetime

    @property
    def days(self) -> int:
        return (self.now - self.start).days

    @property
    def currency(self) -> str:
        return self.shop.currency

    def chance(self, purpose: str) -> Random:
        """A source of chance a purpose: a change in one leaves what the others draw as it was."""
        return Random(f"{self.shop.slug}:{purpose}")  # noqa: S311 (a believable world, not a secret)
