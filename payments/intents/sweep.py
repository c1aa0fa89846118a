"""The third road: what hangs with a provider is asked about until it is known.

The sweep runs by the clock on any number of machines. It stamps what it first sees,
claims what is due by compare-and-set with a growing pause, asks outside transactions, and
applies what it hears through the same gates as answers and notices. Pauses are the
world's time, since they are about a network; the end of an authorisation is the book's.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections

from merchant_platform.kernel import idempotency, ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from payments.intents import answers, outcomes, provider_road, refund_road, setups, states
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine, SetupIntent
from payments.origin import Origin
from payments.providers import port
from payments.providers.port import Unanswered, Unreachable
from security.merchants import queries as merchants
from security.merchants.models import Book

logger = logging.getLogger(__name__)

# What is first seen waiting is asked about soon, since somebody waits for it. That a question
# never arrived is concluded at the second asking, longer after it than any call may take.
FIRST_PAUSE = timedelta(seconds=10)
PAUSE = timedelta(seconds=60)
CERTAIN_AT = 2
PAUSE_MAX = timedelta(hours=1)
BATCH_MAX = 50

# What waits, by table. An authorised payment waits only where a capture or release was asked.
_WAITING = {
    "payments_attempt": "t.status IN ('authorizing', 'unknown', 'authenticating')"
    " OR (t.status = 'authorized' AND t.asked_act IS NOT NULL)",
    "payments_refund": "t.status = 'pending'",
    "payments_setupintent": "t.status IN ('processing', 'requires_action') AND t.latest_attempt_id IS NOT NULL",
}


def sweep(*, at: datetime) -> int:
    """Ask about everything that is due. This will return how many were asked about."""
    asked = 0
    for table, resolve in (
        ("payments_attempt", resolve_attempt),
        ("payments_refund", resolve_refund),
        ("payments_setupintent", resolve_setup),
    ):
        _stamp(table, at)
        for book_id, row_id in _claim(table, at):
            _one(resolve, book_id, row_id)
            asked += 1
    return asked


def resolve_attempt(book: Book, attempt_id: UUID) -> None:
    """Find out what became of an attempt, or send again what was asked of it."""
    origin = Origin(livemode=book.livemode)
    with tenancy.within(book.pk):
        attempt = Attempt.objects.get(pk=attempt_id)
    if attempt.asked_act is not None and attempt.provider_reference is not None:
        question = provider_road.asked_of(attempt)
        heard = provider_road.ask(question, now=book.now)
        if isinstance(heard, port.Report):
            with tenancy.within(book.pk):
                provider_road.conclude(question, heard, mode=_mode(book), now=book.now, origin=origin)
        return
    if attempt.status not in states.UNDER_WAY or attempt.status == states.AUTHORIZED:
        return
    try:
        report = port.find(attempt.provider or "").query(
            key=ids.show("ch", attempt.pk), account=book.pk.hex, now=book.now
        )
    except (Unanswered, Unreachable):
        return
    with tenancy.within(book.pk):
        if report is None and attempt.asked_count < CERTAIN_AT:
            return  # It may still be on its way.
        if report is None:
            outcomes.never_arrived(attempt_id=attempt.pk, now=book.now, origin=origin)
        else:
            outcomes.record_outcome(attempt_id=attempt.pk, report=report, mode=_mode(book), now=book.now, origin=origin)


def resolve_refund(book: Book, refund_id: UUID) -> None:
    """Send a refund again under its key, which moves nothing twice, and write down what the provider says."""
    with tenancy.within(book.pk):
        question = refund_road.question_of(Refund.objects.get(pk=refund_id))
    if question is None:
        return
    report = refund_road.ask(question, now=book.now)
    with tenancy.within(book.pk):
        refund_road.record(refund_id=refund_id, report=report, now=book.now, origin=Origin(livemode=book.livemode))


def resolve_setup(book: Book, setup_id: UUID) -> None:
    """Find out what became of a card's verification."""
    with tenancy.within(book.pk):
        asked = SetupIntent.objects.values_list("asked_count", flat=True).get(pk=setup_id)
    setups.look(
        setup_id=setup_id,
        book_id=book.pk,
        now=book.now,
        origin=Origin(livemode=book.livemode),
        gives_up=asked >= CERTAIN_AT,
    )


def release_expired(*, at: datetime) -> int:
    """Release what was held past its time and never captured. This will return how many intents it let go."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "SELECT a.book_id, a.id FROM payments_attempt a JOIN security_book b ON b.id = a.book_id"
            " WHERE a.status = 'authorized' AND a.asked_act IS NULL AND a.expires_at <= coalesce(b.clock_at, %s)"
            " ORDER BY a.expires_at LIMIT %s",
            [at, BATCH_MAX],
        )
        expired = cursor.fetchall()
    for book_id, attempt_id in expired:
        _one(release, book_id, attempt_id)
    return len(expired)


def release(book: Book, attempt_id: UUID) -> None:
    """Release one authorisation whose time is over."""
    origin = Origin(livemode=book.livemode)
    with tenancy.within(book.pk):
        intent_id = Attempt.objects.values_list("intent_id", flat=True).get(pk=attempt_id)
        begun = provider_road.begin_cancel(intent_id=intent_id, reason="automatic", now=book.now, origin=origin)
    if isinstance(begun, PaymentIntent):
        return
    heard = provider_road.ask(begun, now=book.now)
    with tenancy.within(book.pk):
        provider_road.conclude(begun, heard, mode=_mode(book), now=book.now, origin=origin)


def answer_in_flight(*, at: datetime) -> int:
    """Answer for requests whose process died between its transactions. This will return how many were answered."""
    answered = 0
    for flying in idempotency.in_flight(now=at):
        book = merchants.book(flying.book_id)
        try:
            answered += _answer(flying, book)
        except Exception:
            logger.exception("a request in flight could not be answered", extra={"subject": flying.subject})
    return answered


def _answer(flying: idempotency.InFlight, book: Book) -> bool:
    kind, _, _ = flying.subject.partition("_")
    subject_id = ids.parse(kind, flying.subject)
    origin = Origin(livemode=book.livemode, idempotency_key=flying.key)
    if kind == "pi":
        intent = provider_road.look(
            intent_id=subject_id, book_id=book.pk, mode=_mode(book), now=book.now, origin=origin
        )
        answer = answers.of_intent(intent, livemode=book.livemode)
    elif kind == "seti":
        setup = setups.look(setup_id=subject_id, book_id=book.pk, now=book.now, origin=origin)
        answer = answers.of_setup(setup, livemode=book.livemode)
    elif kind == "cus":
        with tenancy.within(book.pk):  # a test wallet that was to be made for a customer
            return idempotency.release(flying)
    else:
        resolve_refund(book, subject_id)
        with tenancy.within(book.pk):
            given = Refund.objects.get(pk=subject_id)
            answer = answers.of_refund(given, list(RefundLine.objects.filter(refund=given).order_by("pk")))
    with tenancy.within(book.pk):
        return idempotency.settle(flying, answer)


def _mode(book: Book) -> str:
    return "live" if book.livemode else "test"


def _one(resolve: Callable[[Book, UUID], None], book_id: UUID, row_id: UUID) -> None:
    """One of a batch: what is wrong with it stops no other."""
    try:
        resolve(merchants.book(book_id), row_id)
    except PlatformError as refused:
        logger.info("the sweep was refused", extra={"row": str(row_id), "code": refused.code})
    except Exception:
        logger.exception("the sweep could not resolve a row", extra={"row": str(row_id)})


def _stamp(table: str, at: datetime) -> None:
    """What is seen waiting for the first time is due after a pause."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} t SET due_at = %s, asked_count = 0 WHERE t.due_at IS NULL AND ({_WAITING[table]})",
            [at + FIRST_PAUSE],
        )


def _claim(table: str, at: datetime) -> list[tuple[UUID, UUID]]:
    """Rows that are due, each pushed into the future by a doubled pause, so that no other sweep takes it too."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET due_at = %s::timestamptz + least(%s::interval * power(2, least(asked_count, 10)),"
            " %s::interval),"
            f" asked_count = asked_count + 1 WHERE id = ANY (ARRAY(SELECT t.id FROM {table} t WHERE t.due_at <= %s"
            f" AND ({_WAITING[table]}) ORDER BY t.due_at LIMIT %s FOR UPDATE SKIP LOCKED)) RETURNING book_id, id",
            [at, str(PAUSE), str(PAUSE_MAX), at, BATCH_MAX],
        )
        return cursor.fetchall()
