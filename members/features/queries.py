"""Questions about members' figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from members.features import models as tables
from members.features import sums
from members.features.computing import VERSION


@dataclass(frozen=True, slots=True)
class Features:
    """The figures of one member; all nothing where there are none, or where they may not be kept."""

    version: int = VERSION
    computed_at: datetime | None = None
    currency: str = ""
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    recency_days: int | None = None
    # Orders and what they brought, less refunds, in the last year.
    frequency: int = 0
    spent_minor: int = 0
    average_minor: int = 0
    gap_days: float | None = None
    favourite_hour: int | None = None
    favourite_weekday: int | None = None
    favourite_category: str = ""
    usual_method: str = ""
    hours: Mapping[str, int] = field(default_factory=dict)
    methods: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)
    churn_risk: float = 0.0

    @property
    def is_known(self) -> bool:
        return self.frequency > 0


def of(member_id: UUID, *, now: datetime | None = None) -> Features:
    """The figures of a member of the open book, as of `now`, else of when they were worked out. One statement."""
    row = tables.Features.objects.filter(member_id=member_id).first()
    return _shown(row, now or row.computed_at) if row else Features()


def of_many(member_ids: list[UUID], *, now: datetime) -> dict[UUID, Features]:
    """The figures of many members, by member; one statement."""
    rows = tables.Features.objects.filter(member_id__in=member_ids)
    known = {row.member_id: _shown(row, now) for row in rows}
    return {each: known.get(each, Features()) for each in member_ids}


def _shown(row: tables.Features, now: datetime) -> Features:
    came = (row.first_order_at, row.last_order_at, row.orders_count)
    return Features(
        version=row.version,
        computed_at=row.computed_at,
        currency=row.currency,
        first_order_at=row.first_order_at,
        last_order_at=row.last_order_at,
        recency_days=sums.recency_days(row.last_order_at, now=now),
        frequency=row.orders_count,
        spent_minor=row.spent_minor,
        average_minor=row.spent_minor // row.orders_count,
        gap_days=round(sums.gap_days(*came), 1),
        favourite_hour=row.favourite_hour,
        favourite_weekday=row.favourite_weekday,
        favourite_category=row.favourite_category,
        usual_method=row.usual_method,
        hours=row.hours,
        methods=row.methods,
        categories=dict(sorted(row.categories.items(), key=lambda each: (-each[1], each[0]))),
        churn_risk=sums.churn_risk(*came, now=now),
    )
