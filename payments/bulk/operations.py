"""Ask for an act on many payments, and do it one after the other, each once."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Conflict, Invalid, PlatformError
from payments.bulk.models import CANCEL, CAPTURE, DONE, REFUND, REFUSED, WAITING, BulkItem, BulkJob
from payments.hand import Hand
from payments.intents import deeds, second_person
from payments.intents.models import Attempt, PaymentIntent
from payments.intents.refund_limit import NeedsSecondPerson
from payments.intents.refunds import NotRefundable
from security.approvals.operations import AlreadyAsked
from security.audit.operations import Actor
from security.merchants import queries as merchants

logger = logging.getLogger(__name__)

SELECTED_MAX = 200
BATCH_MAX = 20
# An item that a dead worker held is taken up again, and one that was in somebody's way is tried again.
LEASE, TRIES_MAX = timedelta(seconds=90), 20


class SelectionInvalid(Invalid):
    """Nothing was selected, or too much, or something that is not there."""


def ask(*, act: str, intent_ids: Sequence[UUID], staff_id: UUID, token: UUID, hand: Hand, at: datetime) -> BulkJob:
    """Ask for an act on a selection. This will write the job with a row a payment, once a form; `at` is wall time.

    Raises SelectionInvalid.
    """
    chosen = list(dict.fromkeys(intent_ids))
    if not chosen or len(chosen) > SELECTED_MAX:
        raise SelectionInvalid(f"Select between 1 and {SELECTED_MAX} payments.", param="selected")
    job, is_new = BulkJob.objects.get_or_create(
        book_id=tenancy.book_id(),
        token=token,
        defaults={"id": ids.new(hand.now), "act": act, "staff_id": staff_id, "created_at": hand.now},
    )
    if not is_new:
        return job
    there = set(PaymentIntent.objects.filter(pk__in=chosen).values_list("pk", flat=True))
    if len(there) != len(chosen):
        raise SelectionInvalid("A selected payment is not there any more.", param="selected")
    BulkItem.objects.bulk_create(
        BulkItem(id=ids.new(hand.now), book_id=job.book_id, job_id=job.pk, intent_id=intent_id, due_at=at)
        for intent_id in chosen
    )
    hand.sign(f"payment.bulk_{act}", ids.show("bulk", job.pk), count=len(chosen))
    return job


def run_due(*, at: datetime) -> int:
    """Do what waits, of all books. This will return how many payments were taken up; `at` is wall time."""
    taken = _claim(at)
    for book_id, item_id in taken:
        _one(book_id, item_id)
    return len(taken)


def _one(book_id: UUID, item_id: UUID) -> None:
    """One payment of a job: what is wrong with it stops no other."""
    book = merchants.book(book_id)
    with tenancy.within(book_id):
        item = BulkItem.objects.select_related("job").get(pk=item_id)
        intent = PaymentIntent.objects.get(pk=item.intent_id)
    hand = Hand(actor=Actor.staff(item.job.staff_id), book=book, now=book.now)
    try:
        _act(item, intent, hand)
    except Conflict:
        if item.tries_count < TRIES_MAX:
            return  # Somebody is at it: the lease ends, and it is tried again.
        _finish(item, REFUSED, code="lock_timeout", detail="")
    except NeedsSecondPerson as refused:
        _ask_second(item, intent, hand)
        _finish(item, REFUSED, code=refused.code, detail=refused.message)
    except PlatformError as refused:
        _finish(item, REFUSED, code=refused.code, detail=refused.message)
    except Exception:
        logger.exception("a payment of a bulk job failed", extra={"item": str(item_id)})
        if item.tries_count >= TRIES_MAX:
            _finish(item, REFUSED, code="api_error", detail="")
    else:
        _finish(item, DONE)


def _act(item: BulkItem, intent: PaymentIntent, hand: Hand) -> None:
    """The act, whose key is the item: a second try answers what the first did."""
    if item.job.act == REFUND:
        if intent.latest_attempt_id is None:
            raise NotRefundable(f"Payment {ids.show('pi', intent.pk)} took no money.")
        deeds.refund(
            attempt_id=intent.latest_attempt_id,
            amount_minor=None,
            lines=(),
            reason="requested_by_customer",
            token=item.pk,
            hand=hand,
        )
    elif item.job.act == CAPTURE:
        deeds.capture(intent_id=intent.pk, amount_minor=None, is_final=True, token=item.pk, hand=hand)
    else:
        assert item.job.act == CANCEL, "a constraint of the table names the acts"
        deeds.cancel(intent_id=intent.pk, reason="requested_by_customer", token=item.pk, hand=hand)


def _ask_second(item: BulkItem, intent: PaymentIntent, hand: Hand) -> None:
    """What one person may not refund alone waits for another; where it waits already, for that one."""
    assert intent.latest_attempt_id is not None, "what could be refunded was paid"
    with tenancy.within(item.book_id):
        attempt = Attempt.objects.get(pk=intent.latest_attempt_id)
        with suppress(AlreadyAsked):
            second_person.ask_for_payment(
                attempt=attempt,
                amount_minor=attempt.captured_minor - attempt.refunded_minor,
                lines=(),
                reason="requested_by_customer",
                staff_id=item.job.staff_id,
                hand=hand,
            )


def _finish(item: BulkItem, status: str, *, code: str = "", detail: str = "") -> None:
    with tenancy.within(item.book_id):
        BulkItem.objects.filter(pk=item.pk, status=WAITING).update(status=status, code=code, detail=detail, due_at=None)


def _claim(at: datetime) -> list[tuple[UUID, UUID]]:
    """Items that are due, each pushed past its lease, so that no other worker takes it too."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "UPDATE payments_bulkitem SET due_at = %s, tries_count = tries_count + 1 WHERE id = ANY"
            " (ARRAY(SELECT id FROM payments_bulkitem WHERE status = 'waiting' AND due_at <= %s ORDER BY due_at, id"
            " LIMIT %s FOR UPDATE SKIP LOCKED)) RETURNING book_id, id",
            [at + LEASE, at, BATCH_MAX],
        )
        return cursor.fetchall()
