"""Work members' figures out of their orders, a whole book or some members, in one statement.

Only of those whose consent stands to what the figures are for: a profile, or offers made
for them. Of the others the same statement deletes what there is.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections

from merchant_platform.kernel import ids
from security.merchants.models import Book
from security.privacy.wording import PERSONALISATION, PROFILE

# What the figures mean; a changed meaning is a new version.
VERSION = 1
WINDOW = timedelta(days=365)
CATEGORIES_MAX = 8
PURPOSES = (PROFILE, PERSONALISATION)

_COMPUTE = """
WITH known AS (
    SELECT m.id, m.customer_id FROM members_member m
    WHERE m.book_id = %(book)s AND m.status = 'active' {among_winners}
), allowed AS (
    SELECT k.id FROM known k WHERE EXISTS (
        SELECT 1 FROM security_consent c WHERE c.book_id = %(book)s AND c.customer_id = k.customer_id
        AND c.purpose = ANY (%(purposes)s) AND c.withdrawn_at IS NULL)
), people AS (
    -- A merged member's orders count for the one that is alive.
    SELECT a.id AS member_id, m.customer_id FROM allowed a
    JOIN members_member m ON m.book_id = %(book)s AND m.id = a.id
    UNION ALL
    SELECT a.id, m.customer_id FROM allowed a
    JOIN members_member m ON m.book_id = %(book)s AND m.merged_into_id = a.id
), bought AS (
    SELECT p.member_id, o.id, o.created_at, o.paid_minor - o.refunded_minor AS net_minor,
        extract(hour FROM o.created_at AT TIME ZONE %(zone)s)::int AS hour,
        extract(isodow FROM o.created_at AT TIME ZONE %(zone)s)::int - 1 AS weekday
    FROM people p
    JOIN payments_order o ON o.book_id = %(book)s AND o.customer_id = p.customer_id AND o.id >= %(since)s
    WHERE o.currency = %(currency)s AND o.paid_minor > o.refunded_minor
), paid AS (
    SELECT b.member_id, a.method, count(*) AS orders FROM bought b
    JOIN payments_paymentintent i ON i.book_id = %(book)s AND i.order_id = b.id AND i.status = 'succeeded'
    JOIN payments_attempt a ON a.book_id = %(book)s AND a.id = i.latest_attempt_id
    GROUP BY b.member_id, a.method
), liked AS (
    SELECT b.member_id, l.category, sum(l.amount_minor - l.refunded_minor)::bigint AS net_minor,
        row_number() OVER (
            PARTITION BY b.member_id ORDER BY sum(l.amount_minor - l.refunded_minor) DESC, l.category
        ) AS place
    FROM bought b JOIN payments_orderline l ON l.book_id = %(book)s AND l.order_id = b.id
    WHERE l.category <> '' GROUP BY b.member_id, l.category
), hourly AS (
    SELECT member_id, hour, count(*) AS orders FROM bought GROUP BY member_id, hour
), figures AS (
    SELECT b.member_id, min(b.created_at) AS first_order_at, max(b.created_at) AS last_order_at,
        count(*) AS orders_count, sum(b.net_minor)::bigint AS spent_minor,
        mode() WITHIN GROUP (ORDER BY b.hour) AS favourite_hour,
        mode() WITHIN GROUP (ORDER BY b.weekday) AS favourite_weekday
    FROM bought b GROUP BY b.member_id
), hours AS (
    SELECT member_id, jsonb_object_agg(hour, orders) AS counted FROM hourly GROUP BY member_id
), methods AS (
    SELECT member_id, jsonb_object_agg(method, orders) AS counted,
        (array_agg(method ORDER BY orders DESC, method))[1] AS usual
    FROM paid GROUP BY member_id
), categories AS (
    SELECT member_id, jsonb_object_agg(category, net_minor) AS summed,
        (array_agg(category ORDER BY place))[1] AS favourite
    FROM liked WHERE place <= %(categories)s GROUP BY member_id
), written AS (
    INSERT INTO members_features (book_id, member_id, version, computed_at, currency, first_order_at, last_order_at,
        orders_count, spent_minor, favourite_hour, favourite_weekday, favourite_category, usual_method, hours, methods,
        categories)
    SELECT %(book)s, f.member_id, %(version)s, %(now)s, %(currency)s, f.first_order_at, f.last_order_at,
        f.orders_count, f.spent_minor, f.favourite_hour, f.favourite_weekday, coalesce(c.favourite, ''),
        coalesce(m.usual, ''), h.counted, coalesce(m.counted, '{{}}'), coalesce(c.summed, '{{}}')
    FROM figures f JOIN hours h USING (member_id)
    LEFT JOIN methods m USING (member_id) LEFT JOIN categories c USING (member_id)
    ORDER BY f.member_id
    ON CONFLICT (book_id, member_id) DO UPDATE SET
        version = excluded.version, computed_at = excluded.computed_at, currency = excluded.currency,
        first_order_at = excluded.first_order_at, last_order_at = excluded.last_order_at,
        orders_count = excluded.orders_count, spent_minor = excluded.spent_minor,
        favourite_hour = excluded.favourite_hour, favourite_weekday = excluded.favourite_weekday,
        favourite_category = excluded.favourite_category, usual_method = excluded.usual_method,
        hours = excluded.hours, methods = excluded.methods, categories = excluded.categories
    RETURNING member_id
), gone AS (
    DELETE FROM members_features f WHERE f.book_id = %(book)s {among_rows}
    AND NOT EXISTS (SELECT 1 FROM figures WHERE figures.member_id = f.member_id)
    RETURNING member_id
)
SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM gone)
"""


def compute(*, book: Book, now: datetime, members: Collection[UUID] | None = None) -> tuple[int, int]:
    """Work out the figures of a book's members, or of some of them, in the open unit of work.

    This will write those that there are and delete the others, in one statement; returns how
    many of each. The amounts are in the merchant's currency; orders in another one do not count.
    """
    among = members is not None
    statement = _COMPUTE.format(
        among_winners="AND m.id = ANY (%(members)s)" if among else "",
        among_rows="AND f.member_id = ANY (%(members)s)" if among else "",
    )
    with connections["default"].cursor() as cursor:
        cursor.execute(
            statement,
            {
                "book": book.pk,
                "members": list(members or ()),
                "purposes": list(PURPOSES),
                "zone": book.merchant.time_zone,
                "currency": book.merchant.default_currency,
                "since": ids.first_at(now - WINDOW),
                "categories": CATEGORIES_MAX,
                "version": VERSION,
                "now": now,
            },
        )
        return cursor.fetchone()
