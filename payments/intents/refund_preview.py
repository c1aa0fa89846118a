"""What a refund would do, before anybody does it: the very operation, rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from payments.intents import refunds
from payments.intents.models import Attempt, RefundLine
from payments.intents.refunds import LineRefund
from payments.origin import Origin


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go back: to the customer, of which lines, and of the fee to the merchant."""

    amount_minor: int
    fee_returned_minor: int
    left_minor: int
    lines: Sequence[RefundLine]

    @property
    def net_minor(self) -> int:
        """What it costs the merchant."""
        return self.amount_minor - self.fee_returned_minor


def preview(
    *,
    attempt_id: UUID,
    amount_minor: int | None,
    lines: Sequence[LineRefund],
    mode: str,
    now: datetime,
    origin: Origin,
) -> Preview:
    """Work a refund out. This will write nothing. Raises what refunds.refund raises."""
    with transaction.atomic():
        given, rows = refunds.refund(
            attempt_id=attempt_id, amount_minor=amount_minor, lines=lines, mode=mode, now=now, origin=origin
        )
        attempt = Attempt.objects.get(pk=attempt_id)
        transaction.set_rollback(True)
    return Preview(
        amount_minor=given.amount_minor,
        fee_returned_minor=given.fee_returned_minor,
        left_minor=attempt.captured_minor - attempt.refunded_minor,
        lines=rows,
    )
