"""Refunds above what one person may make alone: one asks, another allows, then it is made, once.

What is asked for is fixed to the unit, line by line: what was allowed is what happens, or
nothing where it does not fit any more. Refunds by API key ask nobody: who may make them is
a matter of the key's rights.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext, override, to_locale

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.money import Money
from payments.hand import Hand
from payments.intents import deeds, order_deeds
from payments.intents.models import Attempt
from payments.intents.refunds import LineRefund
from payments.orders.models import Order
from security.approvals import operations as approvals
from security.approvals.models import Approval
from security.audit.operations import Actor
from security.merchants import queries as merchants
from security.merchants.models import Staff

ACTION = "payment.refund"
_PAYMENT, _ORDER = "pi", "ord"


def ask_for_payment(
    *, attempt: Attempt, amount_minor: int, lines: Sequence[LineRefund], reason: str | None, staff_id: UUID, hand: Hand
) -> Approval:
    """Ask for a refund of a payment. This will write the request. Raises approvals.AlreadyAsked.

    Each line names its amount; without lines it is spread over all of them.
    """
    payee = f"{attempt.card['brand'].title()} •••• {attempt.card_last4}" if attempt.card and attempt.card_last4 else ""
    return _ask(
        object_id=ids.show(_PAYMENT, attempt.intent_id),
        source=ids.show("ch", attempt.pk),
        amount_minor=amount_minor,
        currency=attempt.currency,
        payee=payee,
        lines=lines,
        reason=reason,
        staff_id=staff_id,
        hand=hand,
    )


def ask_for_order(
    *, order: Order, amount_minor: int, lines: Sequence[LineRefund], reason: str | None, staff_id: UUID, hand: Hand
) -> Approval:
    """Ask for a refund of an order that several tenders paid, as `ask_for_payment` does."""
    shown = ids.show(_ORDER, order.pk)
    return _ask(
        object_id=shown,
        source=shown,
        amount_minor=amount_minor,
        currency=order.currency,
        payee="",
        lines=lines,
        reason=reason,
        staff_id=staff_id,
        hand=hand,
    )


def carry_out(approval: Approval) -> str:
    """Make the refund that was allowed, under the approval's id. This will return what it made, by its id.

    Call it outside a transaction. Raises what deeds.refund and order_deeds.refund raise.
    """
    book = merchants.book(approval.book_id)
    facts = approval.facts
    lines = [
        LineRefund(line_id=ids.parse("li", line), quantity=quantity, amount_minor=minor)
        for line, quantity, minor in facts["lines"]
    ]
    terms: dict[str, Any] = {
        "amount_minor": facts["amount_minor"],
        "lines": lines,
        "reason": facts["reason"],
        "token": approval.pk,
        "hand": Hand(actor=Actor.staff(approval.requested_by_id), book=book, now=book.now),
        "is_allowed": True,
    }
    if approval.object_id.startswith(f"{_ORDER}_"):
        order_deeds.refund(order_id=ids.parse(_ORDER, facts["source"]), **terms)
        return approval.object_id
    return ids.show("re", deeds.refund(attempt_id=ids.parse("ch", facts["source"]), **terms))


def _ask(
    *,
    object_id: str,
    source: str,
    amount_minor: int,
    currency: str,
    payee: str,
    lines: Sequence[LineRefund],
    reason: str | None,
    staff_id: UUID,
    hand: Hand,
) -> Approval:
    # In the language of the business: it is read by others than who asks.
    language = hand.book.merchant.language
    with override(language):
        what = gettext("Refund %(amount)s") % {"amount": Money(amount_minor, currency).text(to_locale(language))}
    return approvals.request(
        book_id=tenancy.book_id(),
        staff=Staff.objects.get(pk=staff_id),
        action=ACTION,
        object_id=object_id,
        what=what,
        facts={
            "amount_minor": amount_minor,
            "currency": currency.lower(),
            "payee": payee,
            "source": source,
            "lines": [[ids.show("li", line.line_id), line.quantity, line.amount_minor] for line in lines],
            "reason": reason,
        },
        now=hand.now,
        actor=hand.actor,
    )
