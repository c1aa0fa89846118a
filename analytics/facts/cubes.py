"""What the facts are sums of: three cubes, each with one SELECT that reads its rows of some stretches of time.

A SELECT joins `gap`: stretches with the smallest id at their beginning and at their end
(`first_id`, `last_id`), since ids carry effective time and lists read (book_id, id) in
order. OFFSET 0 keeps the planner, which may know nothing of young tables, from reading the
whole book and comparing each row with each gap.

The same SELECT makes the facts and stands in for those that are not made yet, so the two
cannot say different things. It groups nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Model

from analytics.facts.models import (
    ATTEMPTS_KEY,
    SALES_KEY,
    WHERE_AND_HOW,
    AttemptDay,
    AttemptQuarter,
    PaidHours,
    PaymentDay,
    PaymentQuarter,
    SalesDay,
    SalesQuarter,
    SoldHours,
    _WhereAndHow,
)

APPROVED, DECLINED, ABANDONED = "approved", "declined", "abandoned"


@dataclass(frozen=True, slots=True)
class Hours:
    """Counts of a day's hours: of each measure an array of 24, under the measure's name with an `s`."""

    days: type[Model]
    dimensions: Sequence[str]
    measures: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cube:
    """Sums (`measures`) kept apart by `dimensions`, in two tables: by the quarter of an hour, and by the day."""

    name: str
    quarters: type[_WhereAndHow]
    days: type[_WhereAndHow]
    dimensions: Sequence[str]
    measures: Sequence[str]
    # Rows as (number of the gap, at, dimensions, measures).
    rows: str
    # Where the days keep some measures by the hour as well, and by what.
    hours: Hours | None = None


# A stretch of time as stretches of ids (kernel/ids.py). Plain columns: an expression in their place would not reach
# an index under row-level security.
ID_AT = "(lpad(to_hex(floor(extract(epoch FROM {at}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid"
GAP = f"""
WITH gap AS MATERIALIZED (
    SELECT 0 AS number, {ID_AT.format(at="since")} AS first_id, {ID_AT.format(at="until")} AS last_id
    FROM unnest(%(sinces)s::timestamptz[], %(untils)s::timestamptz[]) AS stretch (since, until)
)
"""

# One order's store, and the method by its key: a join may be planned as a scan of every method that was ever saved.
_PAYMENTS = """
SELECT g.number, i.created_at, i.currency, coalesce(o.store_id, '00000000-0000-0000-0000-000000000000'),
    coalesce(m.type, ''), coalesce(m.brand, ''), 1,
    CASE WHEN i.status = 'succeeded' THEN 1 ELSE 0 END,
    CASE WHEN i.status = 'succeeded' THEN i.received_minor ELSE 0 END
FROM gap g
CROSS JOIN LATERAL (
    SELECT created_at, currency, order_id, payment_method_id, status, received_minor FROM payments_paymentintent
    WHERE book_id = %(book)s AND id >= g.first_id AND id < g.last_id OFFSET 0
) i
LEFT JOIN LATERAL (SELECT store_id FROM payments_order WHERE book_id = %(book)s AND id = i.order_id LIMIT 1) o ON true
LEFT JOIN LATERAL (
    SELECT type, card ->> 'brand' AS brand FROM payments_paymentmethod
    WHERE book_id = %(book)s AND id = i.payment_method_id AND i.status = 'succeeded' LIMIT 1
) m ON true
"""

# An entry's amount is spread over lines: over those that a refund names, else over the order's, each by its weight.
# `upto` is the weight of a line and of all before it, `total` that of all: the difference of two floors gives every
# unit to one line, and the first gets all where nothing has any weight. An order without lines is one line of nothing.
# Other amounts are parts without a fraction, so that rows add up to the same wherever they are added. All is reckoned
# in bigint: a numeric costs a fifth of the statement, and no amount or total of an order has more than eight digits.
# What the cube does not keep apart, but a row still knows, is asked for as `more`.
_SALES = """
SELECT number, effective_at, currency, store_id, method, brand, category,
    CASE WHEN kind = 'charge' AND place = 1 THEN 1 ELSE 0 END,
    CASE WHEN kind = 'charge' AND place_in_category = 1 THEN 1 ELSE 0 END,
    CASE WHEN place = 1 THEN CASE kind WHEN 'refund' THEN 1 WHEN 'refund_failure' THEN -1 ELSE 0 END ELSE 0 END,
    CASE WHEN kind = 'charge' THEN share ELSE 0 END,
    CASE WHEN kind = 'charge' THEN 0 ELSE -share END,
    CASE WHEN kind = 'charge' THEN coalesce(discount_minor * entry_minor / nullif(total, 0), 0) ELSE 0 END,
    coalesce(tax_minor * share / nullif(amount_minor, 0), 0),
    fee,
    CASE WHEN kind = 'charge' THEN coalesce(quantity * 1000 * entry_minor / nullif(total, 0), 0) ELSE 0 END
    {more}
FROM (
    SELECT w.*,
        CASE WHEN total <> 0 THEN entry_minor * upto / total - entry_minor * (upto - weight) / total
             WHEN place = 1 THEN entry_minor ELSE 0 END AS share,
        CASE WHEN total <> 0 THEN fee_minor * upto / total - fee_minor * (upto - weight) / total
             WHEN place = 1 THEN fee_minor ELSE 0 END AS fee
    FROM (
        SELECT l.*, row_number() OVER lines AS place, (sum(weight) OVER lines)::bigint AS upto,
            (sum(weight) OVER (PARTITION BY number, entry_id))::bigint AS total,
            row_number() OVER (PARTITION BY number, entry_id, category ORDER BY line_id) AS place_in_category
        FROM (
            SELECT g.number, e.id AS entry_id, e.effective_at, e.kind, e.amount_minor AS entry_minor, e.fee_minor,
                a.currency, a.method, coalesce(a.card ->> 'brand', '') AS brand, i.customer_id,
                coalesce(o.store_id, '00000000-0000-0000-0000-000000000000') AS store_id,
                l.id AS line_id, l.product_id, coalesce(l.category, '') AS category, l.quantity, l.discount_minor,
                l.tax_minor, l.amount_minor,
                coalesce(CASE WHEN named.is_named THEN n.amount_minor ELSE l.amount_minor END, 0) AS weight
            FROM gap g
            CROSS JOIN LATERAL (
                SELECT id, effective_at, kind, source_id, amount_minor, fee_minor FROM payments_entry
                WHERE book_id = %(book)s AND id >= g.first_id AND id < g.last_id
                    AND kind IN ('charge', 'refund', 'refund_failure') OFFSET 0
            ) e
            LEFT JOIN LATERAL (
                SELECT id, attempt_id FROM payments_refund
                WHERE book_id = %(book)s AND id = e.source_id AND e.kind <> 'charge' LIMIT 1
            ) r ON true
            JOIN LATERAL (
                SELECT currency, method, card, intent_id FROM payments_attempt
                WHERE book_id = %(book)s AND id = CASE WHEN e.kind = 'charge' THEN e.source_id ELSE r.attempt_id END
                LIMIT 1
            ) a ON true
            JOIN LATERAL (
                SELECT order_id, customer_id FROM payments_paymentintent
                WHERE book_id = %(book)s AND id = a.intent_id LIMIT 1
            ) i ON true
            JOIN LATERAL (
                SELECT id, store_id FROM payments_order WHERE book_id = %(book)s AND id = i.order_id LIMIT 1
            ) o ON true
            LEFT JOIN LATERAL (
                SELECT true AS is_named FROM payments_refundline
                WHERE book_id = %(book)s AND refund_id = r.id AND e.kind <> 'charge' LIMIT 1
            ) named ON true
            LEFT JOIN payments_orderline l ON l.book_id = %(book)s AND l.order_id = o.id
            LEFT JOIN LATERAL (
                SELECT sum(amount_minor)::bigint AS amount_minor FROM payments_refundline
                WHERE book_id = %(book)s AND refund_id = r.id AND order_line_id = l.id AND named.is_named
            ) n ON true
        ) AS l
        WINDOW lines AS (PARTITION BY number, entry_id ORDER BY line_id)
    ) AS w
) AS s
"""

# One under way is not counted: its end is told. Who approved and was then released did approve.
_ATTEMPTS = """
SELECT g.number, a.created_at, a.currency, coalesce(o.store_id, '00000000-0000-0000-0000-000000000000'), a.method,
    coalesce(a.card ->> 'brand', ''),
    CASE WHEN a.status = 'declined' THEN 'declined'
         WHEN a.status = 'voided' AND a.authorized_minor = 0 THEN 'abandoned' ELSE 'approved' END,
    CASE WHEN a.status = 'declined' THEN coalesce(a.decline_code, a.failure_code, '') ELSE '' END,
    1
FROM gap g
CROSS JOIN LATERAL (
    SELECT created_at, currency, method, card, status, authorized_minor, decline_code, failure_code, intent_id
    FROM payments_attempt
    WHERE book_id = %(book)s AND id >= g.first_id AND id < g.last_id
        AND status IN ('captured', 'authorized', 'declined', 'voided') OFFSET 0
) a
LEFT JOIN LATERAL (SELECT order_id FROM payments_paymentintent WHERE book_id = %(book)s AND id = a.intent_id LIMIT 1) i
    ON true
LEFT JOIN LATERAL (SELECT store_id FROM payments_order WHERE book_id = %(book)s AND id = i.order_id LIMIT 1) o ON true
"""

# Who paid, for buyers.py.
BUYERS = """
SELECT g.number, i.created_at, i.currency, i.customer_id
FROM gap g
CROSS JOIN LATERAL (
    SELECT created_at, currency, customer_id FROM payments_paymentintent
    WHERE book_id = %(book)s AND id >= g.first_id AND id < g.last_id
        AND status = 'succeeded' AND customer_id IS NOT NULL OFFSET 0
) i
"""

PAYMENTS = Cube(
    "payments",
    PaymentQuarter,
    PaymentDay,
    WHERE_AND_HOW,
    ("made_count", "succeeded_count", "volume_minor"),
    _PAYMENTS,
    Hours(PaidHours, ("currency",), ("succeeded_count",)),
)
SALES = Cube(
    "sales",
    SalesQuarter,
    SalesDay,
    SALES_KEY,
    (
        *("charges_count", "baskets_count", "refunds_count", "collected_minor", "refunded_minor", "discounts_minor"),
        *("tax_minor", "fees_minor", "items_milli"),
    ),
    _SALES.format(more=""),
    Hours(SoldHours, SALES_KEY, ("charges_count", "baskets_count")),
)
ATTEMPTS = Cube("attempts", AttemptQuarter, AttemptDay, ATTEMPTS_KEY, ("attempts_count",), _ATTEMPTS)
# The same with the tax rate of the line, in tenths of a per cent. No line says its rate: it is what the tax is of the
# rest, as a whole per cent where that explains the tax to the unit.
SALES_BY_RATE = _SALES.format(
    more=""", CASE WHEN tax_minor = 0 OR amount_minor <= tax_minor THEN 0
        WHEN abs(round(100.0 * tax_minor / (amount_minor - tax_minor)) * (amount_minor - tax_minor) / 100
            - tax_minor) <= 1 THEN 10 * round(100.0 * tax_minor / (amount_minor - tax_minor))
        ELSE round(1000.0 * tax_minor / (amount_minor - tax_minor)) END::integer"""
)
# Sales, line by line: the cube's rows with what it does not keep apart. A customer who was deleted is a guest.
SALES_LINES = _SALES.format(
    more=""", kind, product_id,
    (SELECT id FROM payments_customer WHERE book_id = %(book)s AND id = s.customer_id AND deleted_at IS NULL)"""
)
CUBES = (PAYMENTS, SALES, ATTEMPTS)
