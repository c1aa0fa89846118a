"""What the planner does in a book that came after the last ANALYZE."""

from contextlib import closing
from uuid import uuid4

import psycopg2
import pytest
from django.conf import settings

_ROWS = """
INSERT INTO analytics_buyerday (book_id, day, currency, customer_id)
SELECT %s::uuid, date '2026-01-01' + day, 'CNY', gen_random_uuid()
FROM generate_series(1, 20) AS day, generate_series(1, 200)
"""
_OF_A_DAY = "SELECT currency, customer_id FROM analytics_buyerday WHERE book_id = %(book)s AND day = '2026-01-20'"
_OF_A_CUSTOMER = """
SELECT day FROM analytics_buyerday
WHERE book_id = %(book)s AND customer_id = %(book)s AND currency = 'CNY' AND day < '2026-01-20'
ORDER BY day DESC LIMIT 1
"""


@pytest.mark.django_db
def test_buyers_are_read_by_the_day_or_the_customer_in_a_book_that_no_statistics_know():
    """Else a rebuild compared every buyer of the book with every one of the day: days of much trade never ended."""
    young = str(uuid4())
    plans = []
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection.cursor() as cursor:
        cursor.execute(_ROWS, [str(uuid4())])
        cursor.execute("ANALYZE analytics_buyerday")
        cursor.execute(_ROWS, [young])
        for question in (_OF_A_DAY, _OF_A_CUSTOMER):
            cursor.execute(f"EXPLAIN {question}", {"book": young})
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
        connection.rollback()
    assert "analytics_buyerday_pkey" in plans[0], plans[0]
    assert "analytics_buyerday_customer" in plans[1], plans[1]
