"""One payment with all that belongs to it, in a number of statements that no history changes."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from merchant_platform.kernel import ids
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.events.models import Event
from payments.checkout.models import CheckoutSession
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine
from payments.ledger import entries
from payments.notes import queries as notes
from payments.orders.models import OrderLine
from payments.receipts.models import Receipt
from payments.story.pieces import GivenBack, Sent, Story, Told, Why
from payments.webhooks.models import WebhookDelivery, WebhookEndpoint

EVENTS_MAX = 200


def find(intent_id: UUID) -> PaymentIntent | None:
    """A payment of the open book with its order and customer: one statement."""
    return PaymentIntent.objects.select_related("order", "customer").filter(pk=intent_id).first()


def tell(intent_id: UUID) -> Story | None:
    """A payment of the open book and all that belongs to it: fifteen statements."""
    intent = find(intent_id)
    if intent is None:
        return None
    lines = list(OrderLine.objects.filter(order_id=intent.order_id).order_by("pk"))
    attempts = list(Attempt.objects.filter(intent_id=intent.pk).order_by("pk"))
    refunds = _refunds(intent, {line.pk: line for line in lines})
    session = CheckoutSession.objects.filter(order_id=intent.order_id).first()
    return Story(
        intent=intent,
        lines=lines,
        attempts=attempts,
        refunds=refunds,
        postings=entries.referenced(_references(attempts, refunds)),
        decisions=_decisions([intent.pk, *(attempt.pk for attempt in attempts)]),
        session=session,
        receipt=Receipt.objects.filter(intent_id=intent.pk).first(),
        events=_events(
            [
                ids.show("pi", intent.pk),
                *(ids.show("ch", attempt.pk) for attempt in attempts),
                *(given.shown_id for given in refunds),
                *([session.shown_id] if session else []),
            ]
        ),
        notes=notes.of_payment(intent.pk),
    )


def _refunds(intent: PaymentIntent, order_lines: Mapping[UUID, OrderLine]) -> list[GivenBack]:
    rows = list(Refund.objects.filter(intent_id=intent.pk).order_by("pk"))
    by_refund: dict[UUID, list[tuple[RefundLine, OrderLine]]] = {row.pk: [] for row in rows}
    for line in RefundLine.objects.filter(refund_id__in=list(by_refund)).order_by("pk"):
        by_refund[cast("UUID", line.refund_id)].append((line, order_lines[line.order_line_id]))
    return [GivenBack(row, by_refund[row.pk]) for row in rows]


def _references(attempts: Sequence[Attempt], refunds: Sequence[GivenBack]) -> list[str]:
    """What the ledger calls the acts of a payment."""
    captures = []
    for attempt in attempts:
        name = f"capture:{ids.show('ch', attempt.pk)}"
        captures += [name, *(f"{name}:{number + 1}" for number in range(attempt.captures_count))]
    return [
        *captures,
        *(f"refund:{given.shown_id}" for given in refunds),
        *(f"refund_failure:{given.shown_id}" for given in refunds),
    ]


def _decisions(subject_ids: Sequence[UUID]) -> list[Why]:
    decided = Decision.objects.filter(subject_id__in=subject_ids).order_by("pk")
    return [
        Why(
            decision=decision,
            reasons=[rules.explain(reason, audience="merchant") for reason in decision.reasons],
            replays=_replay(decision),
        )
        for decision in decided
    ]


def _replay(decision: Decision) -> bool | None:
    try:
        return rules.replay(decision)
    except rules.UnknownRule:
        return None


def _events(object_ids: Sequence[str]) -> list[Told]:
    """The public events of objects with their deliveries: three statements."""
    events = list(Event.objects.filter(object_id__in=object_ids, is_public=True).order_by("pk")[:EVENTS_MAX])
    urls: dict[UUID, str] = dict(WebhookEndpoint.objects.values_list("pk", "url"))
    sent: dict[UUID, list[Sent]] = {event.pk: [] for event in events}
    deliveries: Any = WebhookDelivery.objects.filter(endpoint_id__in=list(urls), event_id__in=list(sent))
    for delivery in deliveries.order_by("pk"):
        sent[delivery.event_id].append(Sent(delivery, urls[delivery.endpoint_id]))
    return [Told(event, sent[event.pk]) for event in events]
