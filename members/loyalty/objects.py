"""Points, tiers, programmes and rewards as the API and its events show them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from members.loyalty.models import Lot, Programme, Redemption, Reward
from members.loyalty.terms import Terms, Tier
from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix


def movement(
    *,
    entry_id: UUID,
    programme: Programme,
    member_id: UUID,
    kind: str,
    now: datetime,
    points: int,
    pending: int = 0,
    debt: int = 0,
    source: str | None = None,
    livemode: bool,
) -> dict[str, Any]:
    """What one entry changed for one member: points to spend, points that wait, points owed."""
    return {
        "id": ids.show("txn", entry_id),
        "object": "points_transaction",
        "created": unix(now),
        "debt": debt,
        "livemode": livemode,
        "member": ids.show("mem", member_id),
        "pending": pending,
        "points": points,
        "programme": ids.show("prog", programme.pk),
        "source": source,
        "type": kind,
    }


def programme(row: Programme, terms: Terms, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": ids.show("prog", row.pk),
        "object": "points_programme",
        "active": row.is_active,
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "livemode": livemode,
        "name": row.name,
        "terms": terms.to_json(),
        "version": row.terms_version,
    }


def tier(row: Tier, terms: Terms, programme_id: UUID) -> dict[str, Any]:
    return {
        "object": "tier",
        "benefits": list(row.benefits),
        "key": row.key,
        "measure": terms.tier_by,
        "name": row.name,
        "programme": ids.show("prog", programme_id),
        "threshold": row.threshold,
        "window": terms.tier_window,
    }


def tier_change(
    *, member_id: UUID, programme_id: UUID, before: str, after: str, until: datetime | None, livemode: bool
) -> Mapping[str, Any]:
    return {
        "object": "tier_change",
        "livemode": livemode,
        "member": ids.show("mem", member_id),
        "previous_tier": before or None,
        "programme": ids.show("prog", programme_id),
        "tier": after or None,
        "until": unix(until) if until else None,
    }


def expiring(row: Lot, *, livemode: bool) -> dict[str, Any]:
    assert row.expires_at is not None, "what has no end is not told of"
    return {
        "object": "points_expiring",
        "expires_at": unix(row.expires_at),
        "livemode": livemode,
        "lot": ids.show("lot", row.pk),
        "member": ids.show("mem", row.member_id),
        "points": row.remaining_points,
        "programme": ids.show("prog", row.programme_id),
    }


def reward(row: Reward, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": ids.show("rwd", row.pk),
        "object": "reward",
        "active": row.is_active,
        "created": unix(row.created_at),
        "livemode": livemode,
        "name": row.name,
        "points": row.points,
        "programme": ids.show("prog", row.programme_id),
        "stock": row.stock_count,
    }


def redemption(row: Redemption, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": ids.show("rdm", row.pk),
        "object": "redemption",
        "created": unix(row.created_at),
        "expires_at": unix(row.expires_at),
        "livemode": livemode,
        "member": ids.show("mem", row.member_id),
        "points": row.points,
        "reward": ids.show("rwd", row.reward_id),
        "status": row.status,
    }
