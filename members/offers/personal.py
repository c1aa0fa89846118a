"""What offers may know of a customer: their tier as a member, and their habits where they agreed to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from members.directory import queries as directory
from members.features import queries as figures
from members.loyalty import queries as loyalty
from security.privacy import queries as consents
from security.privacy.wording import PERSONALISATION


def tiers(customer_id: UUID | None) -> tuple[dict[str, str], dict[str, str]]:
    """The tiers that a customer has as a member, by name, and the names of all. Three statements at most."""
    names = loyalty.tier_names()
    member = directory.of_customer(customer_id) if customer_id is not None else None
    held = loyalty.tiers_held(member.pk) if member is not None else []
    return {each: names[each] for each in held if each in names}, names


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
