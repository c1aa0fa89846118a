"""Django's register of this app's tables."""

from analytics.facts.models import (
    AttemptDay,
    AttemptQuarter,
    DirtyHour,
    PaymentDay,
    PaymentQuarter,
    Position,
    Projection,
    SalesDay,
    SalesQuarter,
    SoldLine,
)
from analytics.setup_guide.models import GuideDismissal

__all__ = [
    "AttemptDay",
    "AttemptQuarter",
    "DirtyHour",
    "GuideDismissal",
    "PaymentDay",
    "PaymentQuarter",
    "Position",
    "Projection",
    "SalesDay",
    "SalesQuarter",
    "SoldLine",
]
