"""The sums behind Home: what was paid in a period, and in the period before.

They read the payments made in the two periods through the index of their ids, which carry
their time, and nothing else, however long the history is: four statements, each one
grouping of the same rows. A payment belongs to the day on which it was made, in the
merchant's zone, and counts with what was received of it. Amounts of two currencies are
never added.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connections
from django.db.models import BooleanField, Case, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThanOrEqual, TupleLessThan
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, TruncDate

from analytics.insights.periods import Period
from merchant_platform.kernel import ids, tenancy
from payments.intents.models import PaymentIntent
from payments.intents.states import SUCCEEDED

HOURS, WEEKDAYS = 24, 7


@dataclass(slots=True)
class Tally:
    """What some payments of one currency come to."""

    payments: int = 0
    succeeded: int = 0
    volume_minor: int = 0
    # Different customers who paid; a guest is none.
    customers: int = 0

    @property
    def success_ppm(self) -> int | None:
        """How many of a million payments succeeded."""
        return self.succeeded * 1_000_000 // self.payments if self.payments else None

    @property
    def average_minor(self) -> int | None:
        """The average of what succeeded, to the nearest minor unit."""
        return (self.volume_minor + self.succeeded // 2) // self.succeeded if self.succeeded else None


@dataclass(slots=True)
class Comparison:
    """A period's payments of one currency beside those of the period before, in all and by day."""

    current: Tally = field(default_factory=Tally)
    before: Tally = field(default_factory=Tally)
    by_day: dict[date, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def on(self, day: date) -> Tally:
        return self.by_day.get(day) or Tally()


@dataclass(frozen=True, slots=True)
class Share:
    """What was paid in one way. `brand` is the card's; a wallet has none."""

    method: str
    brand: str
    payments: int
    volume_minor: int


def compare(period: Period) -> Mapping[str, Comparison]:
    """A period and the one before, by currency. Two statements; of currencies that nobody paid in there is none."""
    found: dict[str, Comparison] = defaultdict(Comparison)
    succeeded = Q(status=SUCCEEDED)
    of_both = _of_both(period)
    for currency, day, is_current, payments, paid, volume, customers in (
        of_both.annotate(day=TruncDate("created_at", tzinfo=period.zone))
        .values_list("currency", "day", "is_current")
        .annotate(
            payments=Count("pk"),
            paid=Count("pk", filter=succeeded),
            volume=Sum("received_minor", filter=succeeded, default=0),
            customers=Count("customer", filter=succeeded, distinct=True),
        )
        .order_by()
    ):
        comparison = found[currency]
        comparison.by_day[day] = Tally(payments, paid, int(volume), customers)
        total = comparison.current if is_current else comparison.before
        total.payments += payments
        total.succeeded += paid
        total.volume_minor += int(volume)
    # Who paid on two days is one customer of the period: days cannot be added here.
    for currency, is_current, customers in (
        of_both.filter(succeeded)
        .values_list("currency", "is_current")
        .annotate(customers=Count("customer", distinct=True))
        .order_by()
    ):
        (found[currency].current if is_current else found[currency].before).customers = customers
    return dict(found)


def by_hour(period: Period, *, currency: str) -> list[list[int]]:
    """How many payments succeeded by weekday (Monday first) and hour of the merchant's zone. One statement."""
    counts = [[0] * HOURS for _ in range(WEEKDAYS)]
    rows = (
        _made(period.starts_at, period.ends_at)
        .filter(status=SUCCEEDED, currency=currency)
        .annotate(
            weekday=ExtractIsoWeekDay("created_at", tzinfo=period.zone),
            hour=ExtractHour("created_at", tzinfo=period.zone),
        )
        .values_list("weekday", "hour")
        .annotate(payments=Count("pk"))
        .order_by()
    )
    for weekday, hour, count in rows:
        counts[weekday - 1][hour] = count
    return counts


# Payments are grouped before their methods are looked up, one by one by its key: a join
# might be planned as a scan of every method that the merchant's customers ever saved.
_BY_METHOD = """
SELECT coalesce(m.type, ''), coalesce(m.brand, ''), sum(g.payments), sum(g.volume)
FROM (
    SELECT payment_method_id, count(*) AS payments, sum(received_minor) AS volume
    FROM payments_paymentintent
    WHERE (book_id, id) >= (%s, %s) AND (book_id, id) < (%s, %s) AND status = %s AND currency = %s
    GROUP BY payment_method_id
) AS g
LEFT JOIN LATERAL (
    SELECT type, card ->> 'brand' AS brand FROM payments_paymentmethod WHERE id = g.payment_method_id LIMIT 1
) AS m ON true
GROUP BY 1, 2
ORDER BY 4 DESC, 1, 2
"""


def by_method(period: Period, *, currency: str) -> Sequence[Share]:
    """What succeeded by how it was paid, the most first. One statement."""
    book_id = tenancy.book_id()
    since, until = ids.first_at(period.starts_at), ids.first_at(period.ends_at)
    with connections["default"].cursor() as cursor:
        cursor.execute(_BY_METHOD, [book_id, since, book_id, until, SUCCEEDED, currency])
        return [Share(method, brand, int(count), int(volume)) for method, brand, count, volume in cursor.fetchall()]


def count(period: Period) -> Tally:
    """How many payments were made in a period, in all currencies, and how many succeeded: no sums. One statement."""
    found = _made(period.starts_at, period.ends_at).aggregate(
        payments=Count("pk"), succeeded=Count("pk", filter=Q(status=SUCCEEDED))
    )
    return Tally(**found)


def _of_both(period: Period) -> "QuerySet[Any]":
    """The payments of a period and of what it is compared with."""
    starts = ids.first_at(period.starts_at)
    return (
        _made(period.before.starts_at, period.ends_at)
        .filter(Q(pk__gte=starts) | Q(pk__lt=ids.first_at(period.compared_until)))
        .annotate(is_current=Case(When(pk__gte=starts, then=Value(True)), default=False, output_field=BooleanField()))
    )


def _made(since: datetime, until: datetime) -> "QuerySet[PaymentIntent]":
    """Payments of the open book that were made in a stretch of time: a range of the index of books and ids.

    Said of both columns at once: by the id alone, which has an index too, the planner may
    choose to read what all books took in those days.
    """
    book_id, key = tenancy.book_id(), Tuple(F("book_id"), F("pk"))
    return PaymentIntent.objects.filter(
        TupleGreaterThanOrEqual(key, (book_id, ids.first_at(since))),
        TupleLessThan(key, (book_id, ids.first_at(until))),
    )
