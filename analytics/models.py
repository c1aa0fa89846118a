"""Django's register of this app's tables."""

from analytics.facts.models import (
    AttemptDay,
    AttemptQuarter,
    BuyerDay,
    BuyerQuarter,
    DirtyHour,
    PaymentDay,
    PaymentQuarter,
    Position,
    Projection,
    SalesDay,
    SalesQuarter,
    SoldLine,
)
from analytics.reports.models import Report, ReportSchedule
from analytics.setup_guide.models import GuideDismissal

__all__ = [
    "AttemptDay",
    "AttemptQuarter",
    "BuyerDay",
    "BuyerQuarter",
    "DirtyHour",
    "GuideDismissal",
    "PaymentDay",
    "PaymentQuarter",
    "Position",
    "Projection",
    "Report",
    "ReportSchedule",
    "SalesDay",
    "SalesQuarter",
    "SoldLine",
]
