"""What a period moved: the legs of a book's entries, summed by day, kind of entry and account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connections

from merchant_platform.kernel import ids, tenancy

# An entry's id carries its effective time, so a period is a range of the key (book, id).
_LEGS = """
SELECT (e.effective_at AT TIME ZONE %(zone)s)::date, t.unit, e.kind, a.code, sum(l.debit)::bigint, sum(l.credit)::bigint
FROM payments_entry e
JOIN payments_transfer t ON t.book_id = e.book_id AND t.entry_id = e.id
CROSS JOIN LATERAL (
    VALUES (t.debit_account_id, t.amount_minor, 0), (t.credit_account_id, 0, t.amount_minor)
) AS l (account_id, debit, credit)
JOIN payments_account a ON a.id = l.account_id
WHERE e.book_id = %(book)s AND e.id >= %(first)s AND e.id < %(last)s
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True)
class Legs:
    """What entries of one kind moved on a day on accounts of one code in the chart."""

    day: date
    unit: str
    kind: str
    code: str
    debits_minor: int
    credits_minor: int


def legs(*, since: datetime, until: datetime, zone: ZoneInfo) -> Sequence[Legs]:
    """The sums of the open book's legs in a period, half-open, by its days in a zone. One statement."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            _LEGS,
            {
                "zone": zone.key,
                "book": tenancy.book_id(),
                "first": ids.first_at(since),
                "last": ids.first_at(until),
            },
        )
        return [Legs(*row) for row in cursor.fetchall()]
