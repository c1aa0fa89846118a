"""Points of many members: back-fill, tiers, maturing and expiry, members a second. Each is a run, batch by batch."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from members.directory.models import DEMO, Member
from members.loyalty import operations, runs
from members.loyalty.models import Run
from merchant_platform.kernel import clock, ids, tenancy
from payments.customers.models import Customer
from payments.orders.models import Order, OrderLine
from payments.origin import Origin
from security.merchants import operations as merchants
from security.merchants.models import TEST, Book

TERMS = {
    "rules": [{"kind": "spend", "points": 1, "per_minor": 100}],
    "tiers": [{"key": "gold", "name": "Gold", "threshold": 5_000}],
    "pending_days": 7,
    "lifetime_days": 30,
}
CHUNK = 5_000


def measure(*, members: int, emit: Callable[..., None]) -> bool:
    """One paid order a member; every run must do all of them, and the second time none."""
    now = clock.wall()
    slug = f"bench-points-{int(now.timestamp())}"
    merchant = merchants.found(
        slug=slug, name="Points bench", country="CN", time_zone="Asia/Shanghai", currency="CNY", now=now
    )
    book = Book.objects.get(merchant=merchant, mode=TEST)
    Book.objects.filter(pk=book.pk).update(clock_at=now)
    for begun in range(0, members, CHUNK):
        _write(book, range(begun, min(begun + CHUNK, members)), now)
    with tenancy.within(book.pk):
        programme = operations.start(
            name="Bench", currency="CNY", given=TERMS, mode=TEST, now=now, origin=Origin(livemode=False)
        )
    clean = True
    for kind, days in ((Run.BACKFILL, 0), (Run.RETIER, 0), (Run.MATURE, 7), (Run.EXPIRE, 40)):
        Book.objects.filter(pk=book.pk).update(clock_at=now + timedelta(days=days))
        with tenancy.within(book.pk):
            run = runs.begin(programme_id=programme.pk, kind=kind, now=now + timedelta(days=days))
        started = time.perf_counter()
        while runs.step(run_id=run.pk, book_id=book.pk, at=now) is not None:
            pass
        seconds = time.perf_counter() - started
        with tenancy.within(book.pk):
            run.refresh_from_db()
        clean = clean and run.done_count == members
        emit(what=f"points: {kind}", members=run.done_count, per_second=round(run.done_count / seconds))
    return clean


def _write(book: Book, numbers: range, now: Any) -> None:
    customers, joined, orders, lines = [], [], [], []
    for number in numbers:
        customer = Customer(id=ids.new(now), book_id=book.pk, created_at=now)
        order = Order(
            id=ids.new(now),
            book_id=book.pk,
            customer=customer,
            status="paid",
            currency="CNY",
            total_minor=6_000,
            paid_minor=6_000,
            created_at=now,
        )
        customers.append(customer)
        joined.append(
            Member(
                id=ids.new(now),
                book_id=book.pk,
                customer=customer,
                number=f"{number:012d}",
                joined_at=now,
                source=DEMO,
                created_at=now,
            )
        )
        orders.append(order)
        lines.append(
            OrderLine(
                id=ids.new(now),
                book_id=book.pk,
                order=order,
                description="Coffee",
                quantity=1,
                unit_price_minor=6_000,
                amount_minor=6_000,
            )
        )
    with tenancy.within(book.pk):
        for rows in (customers, joined, orders, lines):
            type(rows[0])._default_manager.bulk_create(rows)
