"""One payment with all that belongs to it, as values: what queries.py reads and timeline.py tells."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Model

from merchant_platform.kernel import ids
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.events.models import Event
from payments.checkout.models import CheckoutSession
from payments.intents import states
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine
from payments.ledger.entries import Posting
from payments.notes.queries import Written
from payments.orders.models import OrderLine
from payments.receipts.models import Receipt
from payments.story.fees import FeeWhy
from payments.webhooks.models import WebhookDelivery


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery of an event, and where to."""

    delivery: WebhookDelivery
    url: str

    @property
    def shown_id(self) -> str:
        return ids.show("whd", self.delivery.pk)


@dataclass(frozen=True, slots=True)
class Told:
    """An event and whom it was sent to."""

    event: Event
    deliveries: Sequence[Sent]

    @property
    def shown_id(self) -> str:
        return ids.show("evt", self.event.pk)


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A refund with its lines, each with the order line it is of."""

    refund: Refund
    lines: Sequence[tuple[RefundLine, OrderLine]]

    @property
    def shown_id(self) -> str:
        return ids.show("re", self.refund.pk)


@dataclass(frozen=True, slots=True)
class Why:
    """A decision in words, and what running its rule again says: None where that version is gone."""

    decision: Decision
    reasons: Sequence[str]
    replays: bool | None

    @property
    def shown_id(self) -> str:
        return ids.show("dec", self.decision.pk)


@dataclass(frozen=True, slots=True)
class Story:
    """A payment and all that belongs to it."""

    intent: PaymentIntent
    lines: Sequence[OrderLine]
    # The oldest first.
    attempts: Sequence[Attempt]
    refunds: Sequence[GivenBack]
    postings: Sequence[Posting]
    decisions: Sequence[Why]
    session: CheckoutSession | None
    receipt: Receipt | None
    events: Sequence[Told]
    notes: Sequence[Written]

    @property
    def shown_id(self) -> str:
        return ids.show("pi", self.intent.pk)

    @property
    def attempt(self) -> Attempt | None:
        """The newest one: the intent's charge."""
        return next((each for each in self.attempts if each.pk == self.intent.latest_attempt_id), None)

    @property
    def left_minor(self) -> int:
        """What is left to give back."""
        return left_of(self.attempt)

    @property
    def fee(self) -> FeeWhy | None:
        """Why the fee is what it is; None where nothing was taken."""
        attempt = self.attempt
        if attempt is None or not attempt.captured_minor:
            return None
        standing = [
            given.refund
            for given in self.refunds
            if given.refund.attempt_id == attempt.pk and given.refund.status not in states.REFUND_UNDONE
        ]
        return FeeWhy(
            method=attempt.method,
            captured_minor=attempt.captured_minor,
            rate_ppm=attempt.fee_rate_ppm,
            fee_minor=attempt.fee_minor,
            refunded_minor=attempt.refunded_minor,
            returned_minor=sum(given.fee_returned_minor for given in standing),
        )

    def shown(self, prefix: str, row: Model) -> str:
        return ids.show(prefix, row.pk)


def left_of(attempt: Attempt | None) -> int:
    """What is left to give back of a charge."""
    if attempt is None or attempt.status != states.CAPTURED:
        return 0
    return attempt.captured_minor - attempt.refunded_minor
