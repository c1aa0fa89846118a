"""A cart of fifty lines with two hundred live offers: how long pricing it takes, and how much of that is the engine.

Wall time, and the CPU time of this process beside it: the one says what a payer waits, the other what it costs
wherever somebody else works on the same machine.
"""

import time
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from members.offers import engine, operations, queries
from members.offers.frames import Line, Terms
from members.offers.operations import Draft
from merchant_platform.kernel import clock, ids, tenancy
from payments.origin import Origin
from security.merchants import operations as merchants
from security.merchants.models import TEST

LINES, OFFERS, CATEGORIES, ROUNDS = 50, 200, 20, 200
TARGET_MS = 20


class _Times(NamedTuple):
    """Milliseconds of each round, rising."""

    wall: list[float]
    cpu: list[float]


def measure(*, emit: Callable[..., None]) -> bool:
    """Price it again and again. This will emit the p50 and p95, and return whether the p95 is under the target."""
    now = clock.wall()
    merchant = merchants.found(
        slug=f"offers-{ids.new(now).hex[-8:]}", name="Offers", country="CN", time_zone="UTC", currency="CNY", now=now
    )
    chance = Random(7)
    with tenancy.within(merchant.books.get(mode=TEST).pk):
        for number in range(OFFERS):
            operations.create(draft=Draft(_terms(number)), is_active=True, now=now, origin=Origin(livemode=False))
        lines = [
            Line(
                str(n), chance.randint(1, 4), chance.randint(500, 9_000), category=f"c{n % CATEGORIES}", cost_minor=300
            )
            for n in range(LINES)
        ]
        asked = queries.Asked(currency="CNY", lines=lines, now=now)
        cart, offers = queries.situation(asked)
        whole = _times(lambda: queries.price(asked))
        alone = _times(lambda: engine.price(cart, offers))
    emit(
        what="offers: price a cart", lines=LINES, offers=OFFERS, target_ms=TARGET_MS,
        p50_ms=_at(whole.wall, 50), p95_ms=_at(whole.wall, 95), cpu_p95_ms=_at(whole.cpu, 95),
        engine_p95_ms=_at(alone.wall, 95), engine_cpu_p95_ms=_at(alone.cpu, 95),
    )  # fmt: skip
    return _at(whole.wall, 95) < TARGET_MS


def _terms(number: int) -> Terms:
    """Most offers are for a category, one in twenty for everything; all kinds that need no member."""
    category = () if number % 20 == 0 else (f"c{number % CATEGORIES}",)
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("percent", {"off_ppm": 20_000}),
        ("amount", {"off_minor": 50}),
        ("spend", {"tiers": [{"from_minor": 10_000, "off_minor": 200}, {"from_minor": 90_000, "off_minor": 900}]}),
        ("buy_get", {"buy": 3, "get": 1, "off_ppm": 500_000, "times_max": 2}),
        ("tier_price", {"tiers": [{"from_quantity": 4, "unit_minor": 2_000}]}),
        ("flash", {"unit_minor": 900, "units_per_order": 2}),
    ]
    kind, effect = kinds[number % len(kinds)]
    return Terms(
        f"Offer {number}", kind, effect, currency="CNY", categories=category,
        margin_floor_ppm=100_000 if number % 3 == 0 else None, is_exclusive=number % 25 == 0,
    )  # fmt: skip


def _times(act: Callable[[], Any]) -> _Times:
    act()
    taken = []
    for _ in range(ROUNDS):
        began, began_cpu = time.perf_counter(), time.process_time()
        act()
        taken.append(((time.perf_counter() - began) * 1_000, (time.process_time() - began_cpu) * 1_000))
    return _Times(*(sorted(each) for each in zip(*taken, strict=True)))


def _at(taken: list[float], percent: int) -> float:
    return round(taken[len(taken) * percent // 100], 2)
