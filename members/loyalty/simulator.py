"""What would last month have cost? Draft terms over the orders of the month before, as if they had held.

Two statements fetch what the rule needs; the rule itself is the one that live orders earn
by. Refunds count: what was given back earns nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections

from members.loyalty import accruals, earning, tiers
from members.loyalty.terms import POINTS, Terms
from merchant_platform.kernel import ids, money
from merchant_platform.kernel.decisions import rules as decisions

# More than these are not read: the figures are then of the month's first, and say so.
ORDERS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Month:
    """The calendar month before, as the merchant's days go."""

    start: datetime
    end: datetime


@dataclass(slots=True)
class Cost:
    """What the terms would have given, and what that is worth if all of it is spent."""

    month: Month
    orders_count: int = 0
    members_count: int = 0
    sales_minor: int = 0
    points: int = 0
    worth_minor: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    is_cut: bool = False

    @property
    def share_ppm(self) -> int:
        """The worth in parts per million of the sales."""
        return self.worth_minor * money.PPM // self.sales_minor if self.sales_minor else 0


@dataclass(frozen=True, slots=True)
class _Order:
    at: datetime
    customer_id: UUID
    birthday: date | None
    lines: Sequence[Sequence[Any]]


# A month of members' orders, each with its lines: amount, what refunds left of it, quantity, product, category.
_ORDERS = """
SELECT o.created_at, o.customer_id, m.birthday, (
    SELECT json_agg(json_build_array(
        l.amount_minor, l.amount_minor - l.refunded_minor, l.quantity, l.product_id, l.category) ORDER BY l.id)
    FROM payments_orderline l WHERE l.book_id = o.book_id AND l.order_id = o.id AND NOT l.loads_card)
FROM payments_order o
JOIN members_member m ON m.book_id = o.book_id AND m.customer_id = o.customer_id
WHERE o.id >= %s AND o.id < %s AND o.status = 'paid' AND o.currency = %s
ORDER BY o.id LIMIT %s
"""
# When each of them bought for the first time, and what they spent in the window of the tiers before the month.
_BEFORE = """
SELECT o.customer_id, min(o.created_at), coalesce(sum(o.paid_minor - o.refunded_minor)
    FILTER (WHERE o.created_at > %s AND o.created_at < %s), 0)
FROM payments_order o WHERE o.customer_id = ANY (%s::uuid[]) AND o.status = 'paid' AND o.currency = %s
GROUP BY o.customer_id
"""


def last_month(*, now: datetime, zone: ZoneInfo) -> Month:
    """The calendar month before the present one."""
    this = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Month((this - timedelta(days=1)).replace(day=1), this)


def cost(terms: Terms, *, currency: str, now: datetime, zone: ZoneInfo) -> Cost:
    """What the terms would have given for last month's orders of members. Reads only."""
    month = last_month(now=now, zone=zone)
    found = Cost(month)
    with connections["default"].cursor() as asked:
        asked.execute(_ORDERS, [ids.first_at(month.start), ids.first_at(month.end), currency, ORDERS_MAX + 1])
        orders = [_Order(*row) for row in asked.fetchall()]
        found.is_cut = len(orders) > ORDERS_MAX
        orders = orders[:ORDERS_MAX]
        customers = list({order.customer_id for order in orders})
        start = tiers.since(terms, now=month.start, zone=zone) or datetime(1970, 1, 1, tzinfo=zone)
        asked.execute(_BEFORE, [start, month.start, customers, currency])
        before = {customer_id: (first, int(spent)) for customer_id, first, spent in asked.fetchall()}
    spent = {customer_id: amount for customer_id, (_, amount) in before.items()}
    seen: dict[UUID, date] = {}
    for order in orders:
        _add(found, terms, order, before[order.customer_id][0], spent, seen, zone=zone)
    found.members_count = len(seen)
    found.worth_minor = found.points * terms.redeem_minor // terms.redeem_points if terms.redeem_points else 0
    return found


def _add(
    found: Cost,
    terms: Terms,
    order: _Order,
    first_at: datetime,
    spent: dict[UUID, int],
    seen: dict[UUID, date],
    *,
    zone: ZoneInfo,
) -> None:
    counted = sum(left for _, left, *_ in order.lines or ())
    if counted <= 0:
        return
    local = order.at.astimezone(zone)
    tier = tiers.reached(terms, _score(terms, spent[order.customer_id]))
    verdict = decisions.evaluate(
        earning.RULE,
        {
            "rules": terms.rules,
            "order": {
                "hour": local.hour,
                "weekday": local.weekday(),
                "lines": [
                    {
                        "counted_minor": left,
                        "amount_minor": amount,
                        "quantity": quantity,
                        "product": ids.show("prod", UUID(product)) if product else None,
                        "category": category,
                    }
                    for amount, left, quantity, product, category in order.lines
                ],
            },
            "member": {
                "tier": tier.key if tier else "",
                "is_first": order.at == first_at and order.customer_id not in seen,
                "is_first_today": seen.get(order.customer_id) != local.date(),
                "is_birthday": accruals.is_birthday(order.birthday, local.date()),
            },
        },
    )
    for reason in verdict.reasons:
        found.by_kind[reason.code.removeprefix("points_")] += reason.values["points"]
    found.points += earning.total(verdict)
    found.orders_count += 1
    found.sales_minor += counted
    seen[order.customer_id] = local.date()
    spent[order.customer_id] += counted


def _score(terms: Terms, spent_minor: int) -> int:
    """What spending counts towards a tier: itself, or the points of the spend rules."""
    if terms.tier_by != POINTS:
        return spent_minor
    return sum(spent_minor * each["points"] // each["per_minor"] for each in terms.rules if each["kind"] == "spend")
