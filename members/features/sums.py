"""What follows from a member's figures and the time: pure."""

import math
from datetime import datetime

# Days between visits of somebody who came once: nothing is known of him yet.
USUAL_GAP_DAYS = 30.0


def recency_days(last_order_at: datetime, *, now: datetime) -> int:
    """Whole days since the last order."""
    return max((now - last_order_at).days, 0)


def gap_days(first_order_at: datetime, last_order_at: datetime, orders_count: int) -> float:
    """Days between two orders, on average; a day at least."""
    if orders_count < 2:
        return USUAL_GAP_DAYS
    return max((last_order_at - first_order_at).total_seconds() / 86_400 / (orders_count - 1), 1.0)


def churn_risk(first_order_at: datetime, last_order_at: datetime, orders_count: int, *, now: datetime) -> float:
    """How likely a member stopped coming, from 0 to 1.

    Nothing within the usual gap; beyond it 1 − e^(−(t − gap) / gap), the share of those who
    come as often as this member and would have been here by now: 63 % after two gaps.
    """
    gap = gap_days(first_order_at, last_order_at, orders_count)
    overdue = (now - last_order_at).total_seconds() / 86_400 - gap
    return round(1 - math.exp(-overdue / gap), 4) if overdue > 0 else 0.0
