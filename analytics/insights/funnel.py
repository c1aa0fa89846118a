"""The way of payers through the checkout: how many come to each step, how long it takes, and how often they press.

Asked of the checkouts of a period themselves, by when they were made. Seconds are the
world's, between the steps that the page wrote down.
"""

from dataclasses import dataclass

from django.db import connections

from analytics.insights.periods import Period
from merchant_platform.kernel import ids, tenancy

# Who has a saved login signs in no more; who pays by card never does: that step is no condition of the next.
_STEPS = """
SELECT count(*), count(opened_recorded_at), count(method_chosen_recorded_at), count(authenticated_recorded_at),
    count(paid_recorded_at) FILTER (WHERE opened_recorded_at IS NOT NULL),
    percentile_disc(0.5) WITHIN GROUP (
        ORDER BY extract(epoch FROM method_chosen_recorded_at - opened_recorded_at)::bigint),
    percentile_disc(0.5) WITHIN GROUP (
        ORDER BY extract(epoch FROM authenticated_recorded_at - opened_recorded_at)::bigint),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM paid_recorded_at - opened_recorded_at)::bigint),
    coalesce(sum(1 + CASE WHEN method_chosen_recorded_at IS NULL THEN 0 ELSE 1 END
        + CASE WHEN authenticated_recorded_at IS NULL THEN 0 ELSE 1 END + failed_sign_ins_count)
        FILTER (WHERE paid_recorded_at IS NOT NULL AND opened_recorded_at IS NOT NULL), 0)
FROM payments_checkoutsession
WHERE book_id = %s AND id >= %s AND id < %s
"""


@dataclass(frozen=True, slots=True)
class Funnel:
    """Checkouts by how far their payers came. Seconds are medians since the page was opened."""

    made: int
    opened: int
    chosen: int
    signed_in: int
    paid: int
    chosen_seconds: int | None
    signed_in_seconds: int | None
    paid_seconds: int | None
    clicks: int

    @property
    def clicks_tenths(self) -> int | None:
        """Presses a paid checkout, in tenths: choosing a method, each sign-in, and paying."""
        return (self.clicks * 10 + self.paid // 2) // self.paid if self.paid else None


def funnel(period: Period) -> Funnel:
    """The checkouts that were made in a period. One statement, which reads those checkouts."""
    since, until = ids.first_at(period.starts_at), ids.first_at(period.ends_at)
    with connections["default"].cursor() as cursor:
        cursor.execute(_STEPS, [tenancy.book_id(), since, until])
        return Funnel(*cursor.fetchone())
