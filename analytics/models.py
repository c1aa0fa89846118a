"""Django's register of this app's tables."""

from analytics.datasets.models import Dataset, DatasetErasure, DatasetFile
from analytics.facts.models import (
    AttemptDay,
    AttemptQuarter,
    BuyerCount,
    BuyerDay,
    DirtyQuarter,
    MovedDay,
    PaidHours,
    PaymentDay,
    PaymentQuarter,
    Position,
    Projection,
    SalesDay,
    SalesQuarter,
    SoldHours,
    SoldLine,
)
from analytics.reports.models import Report, ReportSchedule
from analytics.setup_guide.models import GuideDismissal

__all__ = [
    "AttemptDay",
    "AttemptQuarter",
    "BuyerCount",
    "BuyerDay",
    "Dataset",
    "DatasetErasure",
    "DatasetFile",
    "DirtyQuarter",
    "GuideDismissal",
    "MovedDay",
    "PaidHours",
    "PaymentDay",
    "PaymentQuarter",
    "Position",
    "Projection",
    "Report",
    "ReportSchedule",
    "SalesDay",
    "SalesQuarter",
    "SoldHours",
    "SoldLine",
]
