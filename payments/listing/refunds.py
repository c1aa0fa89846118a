"""The list of refunds: its tabs, its filters, and a page of rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from merchant_platform.kernel import ids
from payments.intents import states
from payments.intents.models import Attempt, Refund
from payments.listing import windows
from payments.listing.windows import EVER, Counts, Lead, Page, Span

ALL = "all"
TABS = (ALL, states.REFUND_SUCCEEDED, states.REFUND_PENDING, states.REFUND_FAILED)
PAGE_SIZE, EXPORT_BATCH = 50, 500


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for. `payment` is a payment's id."""

    tab: str = ALL
    span: Span = EVER
    currency: str = ""
    reason: str = ""
    payment: UUID | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A refund as a row shows it."""

    refund: Refund
    attempt: Attempt

    @property
    def shown_id(self) -> str:
        return ids.show("re", self.refund.pk)

    @property
    def payment_id(self) -> str:
        return ids.show("pi", self.refund.intent_id)

    @property
    def method(self) -> str:
        return self.attempt.method

    @property
    def brand(self) -> str:
        return (self.attempt.card or {}).get("brand", "")

    @property
    def last4(self) -> str:
        return self.attempt.card_last4 or ""

    @property
    def customer(self) -> str:
        known = self.refund.intent.customer
        return (known.name or known.email if known else "") or self.refund.intent.receipt_email or ""


def page(
    filters: Filters, *, after: UUID | None = None, before: UUID | None = None, limit: int = PAGE_SIZE
) -> Page[Refund]:
    """One page of refunds, newest first: one statement, and one before it where a window has to be found."""
    lead, condition = _plan(filters)
    rows = Refund.objects.select_related("intent__customer")
    return windows.page(rows, lead, condition, after=after, before=before, limit=limit)


def lines(refunds: Sequence[Refund]) -> list[Line]:
    """Refunds as rows, with the charges they are of: one statement."""
    attempts = Attempt.objects.in_bulk([row.attempt_id for row in refunds])
    return [Line(row, attempts[row.attempt_id]) for row in refunds]


def batches(filters: Filters, *, after: UUID | None = None) -> Page[Refund]:
    """A batch for an export, in the list's own order."""
    return page(filters, after=after, limit=EXPORT_BATCH)


def counts(filters: Filters) -> Counts:
    """How many refunds each tab has under the other filters, up to COUNT_MAX: one statement, or two."""
    filters = replace(filters, tab=ALL)
    lead, condition = _plan(filters)
    if condition or filters.payment:
        shown, end = windows.in_window(Refund.objects.all(), lead, condition)
        found = shown.aggregate(
            **{tab: Count("pk", filter=Q(pk__isnull=False) if tab == ALL else Q(status=tab)) for tab in TABS}
        )
        return Counts(found, frozenset(TABS) if end is not None else frozenset())
    rows = Refund.objects.filter(filters.span.condition("pk")).order_by("-pk")
    tabs: dict[str, QuerySet[Any]] = {tab: rows if tab == ALL else rows.filter(status=tab) for tab in TABS}
    # The many that succeeded have no index of their own: they are counted among the newest.
    newest = rows[: windows.COUNT_MAX * 2].values("pk")
    tabs[states.REFUND_SUCCEEDED] = Refund.objects.filter(pk__in=newest, status=states.REFUND_SUCCEEDED)
    numbers = dict(zip(tabs, windows.count(list(tabs.values())), strict=True))
    capped = frozenset(tab for tab, number in numbers.items() if number > windows.COUNT_MAX)
    return Counts({tab: min(number, windows.COUNT_MAX) for tab, number in numbers.items()}, capped)


def _plan(filters: Filters) -> tuple[Lead, Q]:
    condition = Q()
    rows = Refund.objects.all()
    if filters.payment is not None:
        rows = rows.filter(intent_id=filters.payment)
        if filters.tab != ALL:
            condition &= Q(status=filters.tab)
    elif filters.tab == states.REFUND_SUCCEEDED:
        condition &= Q(status=filters.tab)
    elif filters.tab != ALL:
        rows = rows.filter(status=filters.tab)
    if filters.currency:
        condition &= Q(currency=filters.currency)
    if filters.reason:
        condition &= Q(reason=filters.reason)
    is_narrow = filters.payment is not None or filters.tab not in (ALL, states.REFUND_SUCCEEDED)
    return Lead([rows], is_narrow=is_narrow).within(filters.span), condition
