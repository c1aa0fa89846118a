"""One order: what was bought, what paid it, part by part, and what went back."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids, tenancy
from payments.intents import order_refunds, states
from payments.intents.models import Refund
from payments.intents.order_refunds import Source
from payments.orders.models import Order, OrderLine
from payments.tenders.models import TenderRefund
from payments.web.dashboard import standing, words
from payments.web.dashboard.links import url_of
from security.web.desk import Desk, desk_page


@require_safe
@desk_page("payment.view")
def show(request: HttpRequest, desk: Desk, order: str) -> HttpResponse:
    """An order with its lines, its tenders and its refunds. Seven statements besides the desk's."""
    with tenancy.within(desk.book.pk):
        row = find(order)
        lines = list(OrderLine.objects.filter(order_id=row.pk).order_by("pk"))
        sources = order_refunds.sources_of(row)
        attempts = [source.attempt.pk for source in sources if source.attempt]
        tenders = [source.tender.pk for source in sources if source.tender]
        refunds = list(Refund.objects.filter(attempt_id__in=attempts).order_by("pk")) if attempts else []
        given = list(TenderRefund.objects.filter(tender_id__in=tenders).order_by("pk")) if tenders else []
    left = sum(source.left_minor for source in sources)
    kind, word = words.order_state(row)
    context = {
        "order": row,
        "order_id": order,
        "lines": lines,
        "kind": kind,
        "word": word,
        "parts": [part(desk, source) for source in reversed(sources)],
        "refunds": _refunds(refunds, given, sources),
        "may_refund": desk.may("payment.refund") and left > 0,
    }
    return desk.render(request, "payments/order.html", context)


def find(shown: str) -> Order:
    """The order that an address names. Raises Http404."""
    row = Order.objects.filter(pk=standing.object_id("ord", shown)).first()
    if row is None:
        raise Http404
    return row


def part(desk: Desk, source: Source) -> dict[str, Any]:
    """What paid a part of an order, for a page."""
    attempt, tender = source.attempt, source.tender
    amount = attempt.captured_minor if attempt else tender.amount_minor if tender else 0
    payment = ids.show("pi", attempt.intent_id) if attempt else ""
    return {
        "name": name_of(source),
        "amount_minor": amount,
        "refunded_minor": amount - source.left_minor if _is_taken(source) else 0,
        "units": tender.units if tender else None,
        "state": words.TENDER_STATES[tender.status] if tender else ("success", words.TENDER_STATES["completed"][1]),
        "url": url_of(desk, "payment", payment=payment) if payment else "",
    }


def name_of(source: Source) -> Any:
    """What paid a part, in words: a card by its last four digits, a tender as the payer chose it."""
    if source.tender is not None:
        return source.tender.label
    attempt = source.attempt
    assert attempt is not None, "a source is a charge or a tender"
    return words.method(attempt.method, (attempt.card or {}).get("brand", ""), attempt.card_last4 or "")


def _is_taken(source: Source) -> bool:
    return source.attempt is not None or (source.tender is not None and source.tender.status == "completed")


def _refunds(refunds: list[Refund], given: list[TenderRefund], sources: list[Source]) -> list[dict[str, Any]]:
    by_attempt: dict[UUID, Any] = {source.attempt.pk: name_of(source) for source in sources if source.attempt}
    by_tender: dict[UUID, Any] = {source.tender.pk: name_of(source) for source in sources if source.tender}
    rows = [
        {
            "name": by_attempt[each.attempt_id],
            "amount_minor": each.amount_minor,
            "state": words.REFUND_STATES[each.status],
            "reason": words.REASONS.get(each.reason or "", ""),
            "at": each.created_at,
            "id": each.pk,
        }
        for each in refunds
    ] + [
        {
            "name": by_tender[each.tender_id],
            "amount_minor": each.amount_minor,
            "state": words.REFUND_STATES[states.REFUND_SUCCEEDED],
            "reason": words.REASONS.get(each.reason or "", ""),
            "at": each.created_at,
            "id": each.pk,
        }
        for each in given
    ]
    return sorted(rows, key=lambda row: row["id"], reverse=True)
