"""A programme and its members in a test: what the merchant does, in one word each."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connections
from django.test.utils import CaptureQueriesContext

from members.directory import operations as directory
from members.loyalty import operations, purses, queries, runs
from members.loyalty.models import Programme
from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.events import relay
from payments import proof
from payments.webhooks import fan_out
from security.merchants.models import Book
from tests import cast

# A point a yuan, worth a fen; gold earns half as much again.
SPEND = {"kind": "spend", "points": 1, "per_minor": 100}
TIERS = [
    {"key": "silver", "name": "Silver", "threshold": 50_000, "benefits": ["Free tea"]},
    {"key": "gold", "name": "Gold", "threshold": 200_000, "benefits": ["Free cake"]},
]
TERMS = {
    "rules": [SPEND, {"kind": "tier", "tier": "gold", "percent": 150}],
    "tiers": TIERS,
    "pending_days": 7,
    "lifetime_days": 365,
    "redeem_points": 100,
    "redeem_minor": 100,
}


def start(book: Any, **terms: Any) -> Programme:
    with tenancy.within(book.pk):
        return operations.start(
            name=f"Beans {ids.new(cast.NOW)}",
            currency="CNY",
            given={**TERMS, **terms},
            mode=book.mode,
            now=book.now,
            origin=cast.origin_of(book),
        )


def join(customer: Any, **fields: Any) -> Any:
    book = Book.objects.get(pk=customer.book_id)
    with tenancy.within(book.pk):
        member = directory.enrol(customer_id=customer.pk, source="dashboard", now=book.now, origin=cast.origin_of(book))
        for name, value in fields.items():
            setattr(member, name, value)
        if fields:
            member.save(update_fields=list(fields))
        return member


def catch_up(book: Any) -> None:
    """What happened is told to whoever follows it: the courier's round, and the relay's."""
    for _ in range(3):
        fan_out.run_once(now=clock.wall())
    while relay.run_once(now=clock.wall()):
        pass


def points(member: Any, programme: Programme) -> tuple[int, int, int]:
    """To spend, waiting, owed."""
    with tenancy.within(programme.book_id):
        held = queries.balance(member.pk, programme)
    return held.available, held.pending, held.debt


def settle(member: Any, programme: Programme) -> None:
    """Do what is due in the member's purse."""
    with tenancy.within(programme.book_id):
        now = Book.objects.get(pk=programme.book_id).now
        operations.settle([purses.open_one(programme, member.pk, now=now)], now=now)


def assert_proved() -> None:
    assert proof.prove() == []


DAY = timedelta(days=1)


def spend(member: Any, programme: Programme, amount: int) -> Any:
    """Points hold and complete, as a payment does it. This gives what took them."""
    with tenancy.within(programme.book_id):
        book = Book.objects.get(pk=programme.book_id)
        source_id = ids.new(book.now)
        operations.hold(
            programme=programme, member_id=member.pk, points=amount, reference=f"hold:{source_id}", now=book.now
        )
        operations.complete(
            programme=programme,
            member_id=member.pk,
            hold_reference=f"hold:{source_id}",
            source_id=source_id,
            reference=f"spend:{source_id}",
            source="ord_test",
            now=book.now,
            origin=cast.origin_of(book),
        )
    return source_id


@contextmanager
def counted() -> Iterator[list[Any]]:
    """The statements that are asked inside."""
    with CaptureQueriesContext(connections["default"]) as asked:
        found: list[Any] = []
        yield found
    found += asked.captured_queries


def asked_by_batches(programme: Programme, kind: str) -> list[int]:
    """How many statements a run asks for one row, and then for four more."""
    book = Book.objects.get(pk=programme.book_id)
    with tenancy.within(book.pk):
        run = runs.begin(programme_id=programme.pk, kind=kind, now=book.now)
    counts = []
    for batch in (1, 4):
        with counted() as asked:
            runs.step(run_id=run.pk, book_id=book.pk, at=cast.NOW, batch=batch)
        counts.append(len(asked))
    return counts
