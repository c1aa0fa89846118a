"""The list of balance transactions: what came to the merchant's balance and what left it, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from merchant_platform.kernel import money
from payments.intents.models import Attempt, Refund
from payments.ledger import entries
from payments.listing import windows
from payments.listing.windows import EVER, Lead, Page, Span

# What each kind of entry is called on this page and on the wire.
TYPES = {"payment": "charge", "payment_refund": "refund", "payment_failure_refund": "refund_failure"}
PAGE_SIZE, EXPORT_BATCH = 50, 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; `type` is a name in TYPES."""

    type: str = ""
    span: Span = EVER
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A balance transaction, and the payment that it comes from."""

    entry: Any
    intent_id: UUID | None

    @property
    def shown_id(self) -> str:
        return entries.Posting(self.entry, ()).shown_id

    @property
    def type(self) -> str:
        return next(name for name, kind in TYPES.items() if kind == self.entry.kind)

    @property
    def currency(self) -> str:
        return entries.currency_of(self.entry)


def page(
    filters: Filters, *, after: UUID | None = None, before: UUID | None = None, limit: int = PAGE_SIZE
) -> Page[Any]:
    """One page of balance transactions: one statement, and one before it where a window has to be found."""
    lead = Lead([entries.merchant_entries()], is_narrow=False).within(filters.span)
    condition = Q()
    if filters.type:
        condition &= Q(kind=TYPES[filters.type])
    if filters.currency:
        condition &= Q(unit=money.unit(filters.currency))
    return windows.page(entries.merchant_entries(), lead, condition, after=after, before=before, limit=limit)


def batches(filters: Filters, *, after: UUID | None = None) -> Page[Any]:
    """A batch for an export, in the list's own order."""
    return page(filters, after=after, limit=EXPORT_BATCH)


def lines(found: Sequence[Any]) -> list[Line]:
    """Balance transactions as rows, with the payments they come from: two statements."""
    sources = [row.source_id for row in found if row.source_id]
    payments: dict[UUID, UUID] = dict(Attempt.objects.filter(pk__in=sources).values_list("pk", "intent_id"))
    payments |= dict(Refund.objects.filter(pk__in=sources).values_list("pk", "intent_id"))
    return [Line(row, payments.get(row.source_id)) for row in found]
