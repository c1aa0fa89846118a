"""The road of a refund by its provider, and the gate at its end.

The refund's row and its ledger entry stand before the provider is asked; its public id is
the provider's key. Answer, notice and sweep bring a `RefundReport`, and `record` writes
it down: once, whatever comes twice, late or out of order.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import missing
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.states import advance
from merchant_platform.kernel.writes import Writes, writing
from payments.intents import objects, parking, states
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine
from payments.ledger import operations as ledger
from payments.orders import operations as orders
from payments.orders.models import OrderLine
from payments.origin import Origin
from payments.providers import port
from payments.providers.port import RefundReport, Unanswered, Unreachable
from payments.stored_value import operations as stored_value

STATES = {
    "pending": states.REFUND_PENDING,
    "succeeded": states.REFUND_SUCCEEDED,
    "failed": states.REFUND_FAILED,
}


@dataclass(frozen=True, slots=True)
class RefundQuestion:
    """What goes out to the provider between the two transactions."""

    refund_id: UUID
    provider: str
    key: str
    account: str
    reference: str
    amount_minor: int


def question_of(given: Refund) -> RefundQuestion | None:
    """What to ask of the provider for a refund that waits for one; None where nobody has to be asked."""
    if given.status != states.REFUND_PENDING:
        return None
    attempt = given.attempt
    return RefundQuestion(
        refund_id=given.pk,
        provider=attempt.provider or "",
        key=ids.show("re", given.pk),
        account=attempt.book_id.hex,
        reference=attempt.provider_reference or "",
        amount_minor=given.amount_minor,
    )


def ask(question: RefundQuestion, *, now: datetime) -> RefundReport | None:
    """Ask the provider, outside any transaction. None: no answer came, so the sweep asks again by the same key."""
    try:
        return port.find(question.provider).refund(
            key=question.key,
            account=question.account,
            reference=question.reference,
            amount_minor=question.amount_minor,
            now=now,
        )
    except (Unanswered, Unreachable):
        return None


def record(
    *, refund_id: UUID, report: RefundReport | None, now: datetime, origin: Origin, into: Writes | None = None
) -> tuple[Refund, list[RefundLine]]:
    """Write down what a provider says of a refund. This will move it, and undo it where it failed.

    One that says nothing new changes nothing; one whose amount, currency, merchant or
    keys are not the refund's parks for a person. Raises NotFound.
    """
    # The charge first, as everybody locks them: a statement locks in the order of `of`.
    given = (
        Refund.objects.select_related("attempt").select_for_update(of=("attempt", "self")).filter(pk=refund_id).first()
    )
    if given is None:
        raise missing("refund", ids.show("re", refund_id))
    attempt = given.attempt
    lines = list(RefundLine.objects.filter(refund=given).order_by("pk"))
    if report is None:
        return given, lines
    reason = _mismatch(given, report)
    if reason is not None:
        parking.park(key=report.key, reason=reason, report=asdict(report), now=now)
        return given, lines
    state = STATES[report.status]
    if not states.REFUND_MOVES.allows(given.status, state):
        return given, lines
    with writing(into) as writes:
        if state == states.REFUND_FAILED:
            _undo(given, attempt, lines, report=report, now=now, origin=origin)
        else:
            moved = {"provider_reference": report.reference, "due_at": None}
            advance(given, to=state, moves=states.REFUND_MOVES, into=writes, **moved)
        shown = objects.refund(given, lines, payment_method_id=ids.show("pm", attempt.payment_method_id))
        names = ["refund.updated", "charge.refund.updated"]
        if state == states.REFUND_FAILED:
            names.insert(0, "refund.failed")
        publish(*(row(name, shown, now=now, **origin.tags) for name in names), into=writes)
    return given, lines


def _undo(
    given: Refund,
    attempt: Attempt,
    lines: Sequence[RefundLine],
    *,
    report: RefundReport,
    now: datetime,
    origin: Origin,
) -> None:
    """The money came back to us: to the merchant's balance, the fee's share from it, by a new entry."""
    order_id = PaymentIntent.objects.values_list("order_id", flat=True).get(pk=attempt.intent_id)
    order = None if attempt.is_late else orders.lock(order_id)
    stored_value.restore(line_ids=[line.order_line_id for line in lines], refund_id=given.pk, now=now, origin=origin)
    entry = ledger.reverse(
        entry=given.entry,
        kind="refund_failure",
        now=now,
    )
    advance(
        given,
        to=states.REFUND_FAILED,
        moves=states.REFUND_MOVES,
        provider_reference=report.reference,
        failure_reason=report.failure_reason or "unknown",
        failure_entry_id=entry.id,
        due_at=None,
    )
    attempt.refunded_minor -= given.amount_minor
    attempt.save(update_fields=["refunded_minor"])
    for line in lines:
        OrderLine.objects.filter(pk=line.order_line_id).update(
            refunded_minor=F("refunded_minor") - line.amount_minor,
            refunded_quantity=F("refunded_quantity") - line.quantity,
        )
    if order is not None:
        orders.record_refunded(order, amount_minor=-given.amount_minor)


def _mismatch(given: Refund, report: RefundReport) -> str | None:
    if report.key != ids.show("re", given.pk) or report.payment_key != ids.show("ch", given.attempt_id):
        return "another_key"
    if report.account != tenancy.book_id().hex:
        return "another_merchant"
    if report.currency.upper() != given.currency:
        return "another_currency"
    if report.amount_minor != given.amount_minor:
        return "another_amount"
    return None
