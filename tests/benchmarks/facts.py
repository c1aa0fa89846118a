"""Facts of many order lines: how long they take to make, and Home's questions to them."""

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import psycopg2
from django.conf import settings

from analytics.facts import operations as facts
from analytics.insights import queries
from analytics.insights.periods import Period
from merchant_platform.kernel import clock, tenancy
from tests.benchmarks import wallet_payments

DAYS, QUESTIONS = 365, 60
# Two lines an order, so many seconds apart; ids as kernel/ids.py makes them. Written by the owner, as a restore would.
_SEED = """
CREATE TEMP TABLE sold ON COMMIT DROP AS
SELECT n, at, pg_temp.id(at, n, 1) AS "order", pg_temp.id(at, n, 2) AS intent, pg_temp.id(at, n, 3) AS attempt,
    pg_temp.id(at, n, 4) AS entry, pg_temp.id(%(since)s, n %% 5000, 5) AS customer
FROM generate_series(1, %(orders)s) AS n,
    LATERAL (SELECT %(since)s::timestamptz + n * %(step)s * interval '1 second' AS at) AS moment;
INSERT INTO payments_paymentmethod (id, book_id, type, billing_details, metadata, created_at)
VALUES (pg_temp.id(%(since)s, 1, 6), %(book)s, 'wallet', '{}', '{}', %(since)s);
INSERT INTO payments_order (id, book_id, status, is_implicit, currency, total_minor, paid_minor, refunded_minor,
    metadata, created_at)
SELECT "order", %(book)s, 'paid', false, 'CNY', 3000, 3000, 0, '{}', at FROM sold;
INSERT INTO payments_orderline (id, book_id, order_id, description, category, quantity, unit_price_minor,
    discount_minor, tax_minor, amount_minor, refunded_minor, refunded_quantity)
SELECT pg_temp.id(at, n, 10 + line), %(book)s, "order", 'Something', 'category ' || (n + line) %% 12, 1, 1500, 0, 0,
    1500, 0, 0
FROM sold, generate_series(1, 2) AS line;
INSERT INTO payments_paymentintent (id, book_id, order_id, customer_id, payment_method_id, status, amount_minor,
    received_minor, currency, capture_method, confirmation_method, payment_method_types, metadata, created_at)
SELECT intent, %(book)s, "order", customer, pg_temp.id(%(since)s, 1, 6), 'succeeded', 3000, 3000, 'CNY',
    'automatic_async', 'automatic', '["wallet"]', '{}', at
FROM sold;
INSERT INTO payments_entry (id, book_id, reference, kind, source_id, unit, amount_minor, fee_minor, effective_at,
    available_at)
SELECT entry, %(book)s, 'capture:' || n, 'charge', attempt, 'CNY/2', 3000, 12, at, at FROM sold;
INSERT INTO payments_attempt (id, book_id, intent_id, customer_id, payment_method_id, method, status, amount_minor,
    captured_minor, refunded_minor, currency, fee_rate_ppm, fee_minor, entry_id, billing_details, metadata, created_at)
SELECT attempt, %(book)s, intent, customer, pg_temp.id(%(since)s, 1, 6), 'wallet', 'captured', 3000, 3000, 0, 'CNY',
    4000, 12, entry, '{}', '{}', at
FROM sold
"""
_ID = """
CREATE OR REPLACE FUNCTION pg_temp.id(at timestamptz, n bigint, kind int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7000' || '8'
            || lpad(to_hex(kind), 3, '0') || lpad(to_hex(n), 12, '0'))::uuid
$$
"""


def measure(*, lines: int, emit: Callable[..., None]) -> bool:
    """Seed a book, make its facts, ask Home's questions. Returns whether they answer what was seeded."""
    book, _ = wallet_payments._merchant("seller")
    now = clock.wall()
    orders = lines // 2
    seeded = {"book": str(book.pk), "orders": orders, "since": now - timedelta(days=DAYS)}
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection.cursor() as cursor:
        cursor.execute(_ID)
        cursor.execute(_SEED, {**seeded, "step": DAYS * 86_400 / (orders + 1)})
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
    began = time.perf_counter()
    facts.rebuild(book.pk)
    facts.run()
    made = time.perf_counter() - began
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
    period = Period.of_days(28, zone=book.merchant.zone, now=now)
    took = []
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        with tenancy.within(book.pk):
            found = queries.compare(period)
            queries.by_hour(period, currency="CNY")
        took.append((time.perf_counter() - began) * 1000)
    with tenancy.within(book.pk):
        year = queries.count(Period.of_days(DAYS, zone=book.merchant.zone, now=now))
    emit(
        bench="facts",
        lines=lines,
        made_seconds=round(made, 1),
        home_p50_ms=round(statistics.median(took), 1),
        home_p95_ms=round(statistics.quantiles(took, n=20)[-1], 1),
        payments_of_28_days=found["CNY"].current.payments,
    )
    return abs(year.payments - orders) <= orders // DAYS + 1
