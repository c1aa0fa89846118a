"""A buyer's money as it was at each moment: no purse ever holds less than nothing."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from merchant_platform.kernel import ids
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.wallets.models import Mandate, Wallet

_TOP_UP_WITHIN = timedelta(minutes=20)


@dataclass(slots=True)
class Purse:
    """What a buyer spends at one shop, out of a wallet; its top-ups are money from the bank.

    A wallet that pays at two shops has a purse at each, so that each history can be told
    by itself and the wallet, their sum, stays above zero too.
    """

    wallet: Wallet
    mandate: Mandate
    bank: chart.AccountRef
    top_up_minor: int
    account: chart.AccountRef = field(init=False)
    held_minor: int = 0
    last_at: datetime = field(init=False)
    coming: list[tuple[datetime, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account, self.last_at = self.wallet.account, self.wallet.created_at

    def facts(self, amount_minor: int, *, now: datetime) -> dict[str, Any]:
        """What the wallet method finds before a payment, at that moment."""
        mandate = self.mandate
        return {
            "amount_minor": amount_minor,
            "currency": self.wallet.currency,
            "wallet_currency": self.wallet.currency,
            "is_revoked": mandate.revoked_at is not None and mandate.revoked_at <= now,
            "is_expired": mandate.expires_at is not None and mandate.expires_at <= now,
            "limit_minor": mandate.limit_minor,
        }

    def covers(self, amount_minor: int, *, now: datetime) -> bool:
        """Whether the money is there, refunds that have come in since included."""
        self.held_minor += sum(amount for at, amount in self.coming if at <= now)
        self.coming = [(at, amount) for at, amount in self.coming if at > now]
        return self.held_minor >= amount_minor

    def spend(self, amount_minor: int, *, now: datetime) -> None:
        assert self.held_minor >= amount_minor, "a purse never holds less than nothing"
        self.held_minor -= amount_minor
        self.last_at = now

    def expect(self, amount_minor: int, *, at: datetime) -> None:
        """A refund comes in later."""
        self.coming.append((at, amount_minor))

    def top_up(self, needed_minor: int, *, before: datetime, rng: Random) -> ledger.Draft:
        """The entry that fills the purse for a payment, after the last one and before this, in round amounts."""
        missing = needed_minor - self.held_minor
        amount = -(-missing // self.top_up_minor) * self.top_up_minor
        earliest = max(self.last_at, before - _TOP_UP_WITHIN)
        at = earliest + (before - earliest) * rng.uniform(0.1, 0.9)
        self.held_minor += amount
        entry_id = ids.new(at)
        return ledger.Draft(
            id=entry_id,
            reference=f"top_up:{ids.show('txn', entry_id)}",
            kind="top_up",
            lines=[ledger.Line(self.bank, self.account, amount)],
            unit=self.account.unit,
            effective_at=at,
            source_id=self.wallet.pk,
        )
