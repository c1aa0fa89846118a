"""What personal offers may know of a customer: nothing, unless they agreed to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from members.directory import queries as directory
from members.features import queries as figures
from security.privacy import queries as consents
from security.privacy.wording import PERSONALISATION


def features(customer_id: UUID | None, *, now: datetime) -> Mapping[str, Any] | None:
    """The figures of a member by which offers may differ; None where nobody may look. Three statements."""
    if customer_id is None or not consents.allows(customer_id, PERSONALISATION):
        return None
    member = directory.of_customer(customer_id)
    if member is None:
        return None
    known = figures.of(member.pk, now=now)
    return {
        "frequency": known.frequency,
        "spent_minor": known.spent_minor,
        "recency_days": known.recency_days,
        "favourite_category": known.favourite_category,
        # In percent: a decision is replayed, and a whole number reads back as it was.
        "churn_risk": round(known.churn_risk * 100),
    }
