"""What happened to a payment, in the order of time: pure, from the rows and events that were read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from merchant_platform.kernel.wire import load
from payments.intents import states
from payments.story.pieces import Story, Told

# At one moment things are told in this order.
_RANKS = (
    "created", "opened", "chosen", "attempt", "challenge", "processing", "failed", "authorized", "released", "captured",
    "refund", "refund_succeeded", "refund_failed", "canceled", "receipt", "receipt_sent", "event",
)  # fmt: skip
# What only an event tells, by its type.
_TOLD = {
    "payment_intent.requires_action": "challenge",
    "payment_intent.processing": "processing",
    "payment_intent.amount_capturable_updated": "authorized",
    "charge.failed": "failed",
    "charge.expired": "released",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened; `kind` is a word in _RANKS, `values` what its sentence needs."""

    at: datetime
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    told: Told | None = None


def of(story: Story) -> list[Moment]:
    """Every moment of a payment, the first one first."""
    moments = [*_of_rows(story), *_of_events(story.events, story)]
    return sorted(moments, key=lambda moment: (moment.at, _RANKS.index(moment.kind)))


def _of_rows(story: Story) -> Iterator[Moment]:
    intent = story.intent
    yield Moment(intent.created_at, "created", {"amount_minor": intent.amount_minor})
    if story.session is not None:
        if story.session.opened_at:
            yield Moment(story.session.opened_at, "opened")
        if story.session.method_chosen_at:
            yield Moment(story.session.method_chosen_at, "chosen", {"method": story.session.method_chosen})
    told_as_failed = {told.event.object_id for told in story.events if told.event.type == "charge.failed"}
    for attempt in story.attempts:
        yield Moment(attempt.created_at, "attempt", {"attempt": attempt})
        if attempt.status == states.DECLINED and story.shown("ch", attempt) not in told_as_failed:
            yield Moment(attempt.created_at, "failed", {"attempt": attempt})
    for posting in story.postings:
        if posting.entry.kind == "charge":
            yield Moment(posting.entry.effective_at, "captured", {"amount_minor": posting.entry.amount_minor})
        elif posting.entry.kind == "refund_failure":
            yield Moment(posting.entry.effective_at, "refund_failed", {"amount_minor": posting.entry.amount_minor})
    by_wallet = {attempt.pk for attempt in story.attempts if attempt.method == "wallet"}
    for given in story.refunds:
        refund = given.refund
        values = {"amount_minor": refund.amount_minor, "reason": refund.reason}
        yield Moment(refund.created_at, "refund", values)
        if refund.attempt_id in by_wallet and refund.status == states.REFUND_SUCCEEDED:
            # A wallet has it at once, and no event of its own tells so.
            yield Moment(refund.created_at, "refund_succeeded", values)
    if intent.canceled_at:
        yield Moment(intent.canceled_at, "canceled", {"reason": intent.cancellation_reason})
    if story.receipt is not None:
        yield Moment(story.receipt.created_at, "receipt", {"number": story.receipt.shown_number})
        if story.receipt.emailed_at:
            yield Moment(story.receipt.emailed_at, "receipt_sent", {"email": story.receipt.email})


def _of_events(events: Iterable[Told], story: Story) -> Iterator[Moment]:
    by_id: Mapping[str, Any] = {story.shown("ch", attempt): attempt for attempt in story.attempts}
    for told in events:
        event = told.event
        kind = _TOLD.get(event.type)
        if kind is not None:
            yield Moment(event.created_at, kind, {"attempt": by_id.get(event.object_id) or _newest(story.attempts)})
        elif event.type == "refund.updated" and load(event.data)["status"] == states.REFUND_SUCCEEDED:
            yield Moment(event.created_at, "refund_succeeded", {"amount_minor": load(event.data)["amount"]})
        if told.deliveries:
            yield Moment(event.created_at, "event", told=told)


def _newest(attempts: Sequence[Any]) -> Any:
    return attempts[-1] if attempts else None
