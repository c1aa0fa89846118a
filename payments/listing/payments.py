"""The list of payments: its tabs, its filters, and a page of rows as people read them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import Exact

from merchant_platform.kernel import ids
from payments.customers import finding
from payments.customers.models import Customer
from payments.intents import states
from payments.intents.models import Attempt, PaymentIntent
from payments.listing import windows
from payments.listing.windows import EVER, Counts, Lead, Page, Span
from payments.orders.models import Order, OrderLine
from payments.search.models import MetadataTerm

ALL, SUCCEEDED, REFUNDED, UNCAPTURED, PROCESSING, FAILED, INCOMPLETE, CANCELED = (
    "all", "succeeded", "refunded", "uncaptured", "processing", "failed", "incomplete", "canceled",
)  # fmt: skip
TABS = (ALL, SUCCEEDED, REFUNDED, UNCAPTURED, PROCESSING, FAILED, INCOMPLETE, CANCELED)
PAGE_SIZE, EXPORT_BATCH = 50, 500
NEW_MAX = 99
# So many customers lead to their payments, one index scan each.
CUSTOMERS_MAX = 20

# The intents behind a tab: sets that are each walked by an index of their own. A payment that was tried and refused
# has failed; one that nobody has tried yet is incomplete.
_SETS = {
    SUCCEEDED: (Q(status=states.SUCCEEDED),),
    UNCAPTURED: (Q(status=states.REQUIRES_CAPTURE),),
    PROCESSING: (Q(status=states.PROCESSING),),
    FAILED: (Q(status=states.REQUIRES_PAYMENT_METHOD, latest_attempt_id__isnull=False),),
    INCOMPLETE: (
        Q(status=states.REQUIRES_PAYMENT_METHOD, latest_attempt_id__isnull=True),
        Q(status=states.REQUIRES_CONFIRMATION),
        Q(status=states.REQUIRES_ACTION),
    ),
    CANCELED: (Q(status=states.CANCELED),),
}
_INCOMPLETE_STATES = (states.REQUIRES_PAYMENT_METHOD, states.REQUIRES_CONFIRMATION)


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for. Amounts are minor units; `method` is a payment method's name."""

    tab: str = ALL
    span: Span = EVER
    amount_min: int | None = None
    amount_max: int | None = None
    currency: str = ""
    method: str = ""
    last4: str = ""
    # A customer's id, or what the search of customers finds them by: a name, an address, a telephone number.
    customer: str = ""
    order: str = ""
    metadata: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A payment as a row shows it."""

    intent: PaymentIntent
    attempt: Attempt | None
    # What was bought, for a payment that has no description.
    things: Sequence[OrderLine] = ()

    @property
    def shown_id(self) -> str:
        return ids.show("pi", self.intent.pk)

    @property
    def state(self) -> str:
        return state_of(self.intent, self.attempt)

    @property
    def refunded_minor(self) -> int:
        return self.attempt.refunded_minor if self.attempt else 0

    @property
    def method(self) -> str:
        return self.attempt.method if self.attempt else ""

    @property
    def brand(self) -> str:
        return (self.attempt.card or {}).get("brand", "") if self.attempt else ""

    @property
    def last4(self) -> str:
        return (self.attempt.card_last4 or "") if self.attempt else ""

    @property
    def customer(self) -> str:
        """Whom the merchant knows behind it: the customer's name or address, else where the receipt goes."""
        known = self.intent.customer
        return (known.name or known.email if known else "") or self.intent.receipt_email or ""

    @property
    def order_reference(self) -> str:
        return self.intent.order.reference or ""


def state_of(intent: PaymentIntent, attempt: Attempt | None) -> str:
    """A payment's state in one word of ours: `succeeded`, `partly_refunded`, `refunded`, `uncaptured`, and so on."""
    if intent.status == states.SUCCEEDED:
        if attempt is None or not attempt.refunded_minor:
            return SUCCEEDED
        return REFUNDED if attempt.refunded_minor == attempt.captured_minor else "partly_refunded"
    if intent.status == states.REQUIRES_CAPTURE:
        return UNCAPTURED
    if intent.status == states.REQUIRES_PAYMENT_METHOD and intent.latest_attempt_id:
        return FAILED
    if intent.status == states.REQUIRES_ACTION:
        return "needs_payer"
    return INCOMPLETE if intent.status in _INCOMPLETE_STATES else intent.status


def page(
    filters: Filters, *, after: UUID | None = None, before: UUID | None = None, limit: int = PAGE_SIZE
) -> Page[PaymentIntent]:
    """One page of payments, newest first: one statement, and one before it where filters lead or a window ends."""
    lead, condition = _plan(filters)
    rows = PaymentIntent.objects.select_related("order", "customer")
    return windows.page(rows, lead, condition, after=after, before=before, limit=limit)


def lines(intents: Sequence[PaymentIntent], *, with_things: bool = True) -> list[Line]:
    """Payments as rows, with their newest attempts and, if wanted, what was bought: a statement each."""
    attempts = Attempt.objects.in_bulk([row.latest_attempt_id for row in intents if row.latest_attempt_id])
    # An order that was made for the payment has its description alone.
    untold = [row.order for row in intents if with_things and not row.description and not row.order.is_implicit]
    things: dict[UUID, list[OrderLine]] = {order.pk: [] for order in untold}
    for line in OrderLine.objects.filter(order_id__in=list(things)).order_by("pk") if things else ():
        things[line.order_id].append(line)
    return [Line(row, attempts.get(row.latest_attempt_id), things.get(row.order_id, ())) for row in intents]


def batches(filters: Filters, *, after: UUID | None = None) -> Page[PaymentIntent]:
    """A batch for an export, in the list's own order."""
    return page(filters, after=after, limit=EXPORT_BATCH)


def selected(intent_ids: Sequence[UUID]) -> list[PaymentIntent]:
    """The payments of a selection that are there, newest first."""
    return list(PaymentIntent.objects.filter(pk__in=intent_ids).select_related("order", "customer").order_by("-pk"))


def new_since(filters: Filters, newest: UUID | None) -> int:
    """How many payments came since the newest that is shown, up to one more than NEW_MAX."""
    lead, condition = _plan(filters)
    lead = lead.beyond(newest, newer=True)
    return PaymentIntent.objects.filter(condition, pk__in=lead.first(NEW_MAX + 1, newer=True))[: NEW_MAX + 1].count()


def counts(filters: Filters) -> Counts:
    """How many payments each tab has under the other filters, up to COUNT_MAX: one statement, or two."""
    filters = replace(filters, tab=ALL)
    lead, condition = _plan(filters)
    if condition or lead.column != "pk" or filters.order or filters.customer or _is_exact(filters):
        return _counts_in_window(lead, condition)
    tabs = {tab: _of_tab(tab, filters.span) for tab in TABS}
    found = dict(zip(tabs, windows.count(list(tabs.values())), strict=True))
    capped = frozenset(tab for tab, number in found.items() if number > windows.COUNT_MAX)
    return Counts({tab: min(number, windows.COUNT_MAX) for tab, number in found.items()}, capped)


def _counts_in_window(lead: Lead, condition: Q) -> Counts:
    shown, end = windows.in_window(PaymentIntent.objects.all(), lead, condition)
    found = shown.aggregate(**{tab: Count("pk", filter=_tab_condition(tab)) for tab in TABS})
    return Counts(found, frozenset(TABS) if end is not None else frozenset())


def _of_tab(tab: str, span: Span) -> QuerySet[Any]:
    if tab == REFUNDED:
        return Attempt.objects.filter(span.condition("intent_id"), refunded_minor__gt=0).order_by("-intent_id")
    rows = PaymentIntent.objects.order_by("-pk")
    if tab == ALL:
        return rows.filter(span.condition("pk"))
    if tab == SUCCEEDED:
        # The many have no index of their own: they are counted among the newest.
        newest = rows.filter(span.condition("pk"))[: windows.COUNT_MAX * 2].values("pk")
        return rows.filter(pk__in=newest, status=states.SUCCEEDED)
    return rows.filter(pk__in=_lead_of(tab).within(span).first(windows.COUNT_MAX + 1))


def _lead_of(tab: str) -> Lead:
    return Lead([PaymentIntent.objects.filter(each) for each in _SETS[tab]])


def _tab_condition(tab: str) -> Q:
    if tab == ALL:
        return Q(pk__isnull=False)
    if tab == REFUNDED:
        return Q(Exists(Attempt.objects.filter(intent_id=OuterRef("pk"), refunded_minor__gt=0)))
    return reduce(or_, _SETS[tab])


def _plan(filters: Filters) -> tuple[Lead, Q]:
    """Which index leads, and what is left to be looked at row by row: the most selective leads."""
    conditions: dict[str, Q] = {}
    leads: dict[str, Lead] = {}
    intents = PaymentIntent.objects
    if filters.order:
        orders = Order.objects.filter(reference=filters.order).values("pk")
        conditions["order"] = Q(order_id__in=orders)
        leads["order"] = Lead([intents.filter(order_id__in=orders)])
    if filters.metadata is not None:
        key, value = filters.metadata
        pairs = MetadataTerm.objects.filter(kind="payment_intent", key=key, value=value)
        conditions["metadata"] = Q(Exists(pairs.filter(object_id=OuterRef("pk"))))
        leads["metadata"] = Lead([pairs], "object_id")
    if filters.last4:
        cards = Attempt.objects.filter(card_last4=filters.last4)
        conditions["last4"] = Q(Exists(cards.filter(intent_id=OuterRef("pk"))))
        leads["last4"] = Lead([cards], "intent_id")
    if filters.amount_min is not None and _is_exact(filters):
        conditions["amount"] = Q(amount_minor=filters.amount_min)
        leads["amount"] = Lead([intents.filter(amount_minor=filters.amount_min)])
    if filters.customer:
        named = Customer.objects.filter(finding.condition(filters.customer)[0])
        known = list(named.values_list("pk", flat=True)[: CUSTOMERS_MAX + 1])
        if len(known) > CUSTOMERS_MAX:
            # A family name of many: looked at payment by payment.
            conditions["customer"] = Q(Exists(named.filter(pk=OuterRef("customer_id"))))
        else:
            conditions["customer"] = Q(customer_id__in=known)
            leads["customer"] = Lead([intents.filter(customer_id=each) for each in known] or [intents.none()])
    if filters.tab != ALL:
        conditions["tab"] = _tab_condition(filters.tab)
        if filters.tab == REFUNDED:
            leads["tab"] = Lead([Attempt.objects.filter(refunded_minor__gt=0)], "intent_id")
        elif filters.tab != SUCCEEDED:
            leads["tab"] = _lead_of(filters.tab)
    leading = next(iter(leads), None)
    lead = leads[leading] if leading else Lead([intents.all()], is_narrow=False)
    rest = Q()
    for name, condition in conditions.items():
        if name != leading:
            rest &= condition
    return lead.within(filters.span), rest & _residual(filters)


def _residual(filters: Filters) -> Q:
    """What no index is for."""
    condition = Q()
    if not _is_exact(filters):
        if filters.amount_min is not None:
            condition &= Q(amount_minor__gte=filters.amount_min)
        if filters.amount_max is not None:
            condition &= Q(amount_minor__lte=filters.amount_max)
    if filters.currency:
        condition &= Q(currency=filters.currency)
    if filters.method:
        # A value looked up row by row: asked whether there is one, the planner would read every attempt of the book.
        newest = Attempt.objects.filter(pk=OuterRef("latest_attempt_id")).values("method")[:1]
        condition &= Q(Exact(Subquery(newest), filters.method))
    return condition


def _is_exact(filters: Filters) -> bool:
    return filters.amount_min is not None and filters.amount_min == filters.amount_max
