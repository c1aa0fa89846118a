"""A stretch of history as rows, and the order in which they are written."""

from dataclasses import dataclass, field

from merchant_platform.demo.bulk import insert
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.events.outbox import EventRow, publish
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine
from payments.ledger import operations as ledger
from payments.orders.models import Order, OrderLine


@dataclass(slots=True)
class Chapter:
    """Rows of one book, unsaved, and the top-ups of the wallets that pay there, which are the platform's."""

    orders: list[Order] = field(default_factory=list)
    lines: list[OrderLine] = field(default_factory=list)
    intents: list[PaymentIntent] = field(default_factory=list)
    top_ups: list[ledger.Draft] = field(default_factory=list)
    entries: list[ledger.Draft] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    refund_lines: list[RefundLine] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)

    def write_top_ups(self) -> None:
        """Post what comes into the wallets, in the open unit of work of the platform's book. First of all."""
        ledger.post_many(self.top_ups)

    def write(self) -> None:
        """Write the rest in the open unit of work, each kind of row after what it points at."""
        insert(self.orders)
        insert(self.lines)
        insert(self.intents)
        ledger.post_many(self.entries)
        insert(self.attempts)
        insert(self.refunds)
        insert(self.refund_lines)
        # A decision has a binary column, which is nothing for JSON.
        Decision.objects.bulk_create(self.decisions)
        if self.events:
            publish(*self.events)
