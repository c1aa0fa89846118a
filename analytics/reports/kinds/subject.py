"""What a report is of, and how it says how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _

from analytics.insights.periods import Period
from security.merchants.models import Book, Merchant


class Steps(Protocol):
    """Told how much work there is and how much of it is done. Where nobody wants it any more, it raises."""

    def expect(self, count: int) -> None: ...

    def done(self, count: int = 1) -> None: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """A book and a period, seen in one snapshot."""

    book: Book
    merchant: Merchant
    period: Period
    # As asked for; empty: the merchant's own.
    currency: str

    @property
    def wanted_currency(self) -> str:
        return self.currency or self.merchant.default_currency

    @property
    def mode(self) -> str:
        return self.book.mode

    def head(self, *more: tuple[str, str]) -> Sequence[tuple[str, str]]:
        """What stands at the head of every report."""
        period = self.period
        made = period.now.astimezone(period.zone)
        lines = [
            (_("Merchant"), self.merchant.name),
            (_("Period"), f"{period.first.isoformat()} – {period.last.isoformat()}"),
            (_("Time zone"), self.merchant.time_zone),
            *more,
            (_("As of"), f"{made:%Y-%m-%d %H:%M:%S}"),
        ]
        if not self.book.livemode:
            lines.append((_("Mode"), _("Test: no real money")))
        return lines
