"""Members as the API shows them. Contacts are masked: answers and events are kept, what is sealed must not be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from members.directory.models import EMAIL, PHONE, Duplicate, Member
from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix


@dataclass(frozen=True, slots=True)
class About:
    """What stands in other tables about a member: masks of contacts by kind, and tags."""

    masks: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()


def member(row: Member, about: About, *, livemode: bool) -> dict[str, Any]:
    """A member, whose customer was read with it."""
    return {
        "id": ids.show("mem", row.pk),
        "object": "member",
        "birthday": row.birthday.isoformat() if row.birthday else None,
        "contacts": {"email": about.masks.get(EMAIL), "phone": about.masks.get(PHONE)},
        "created": unix(row.created_at),
        "customer": ids.show("cus", row.customer_id),
        "household": row.household.name if row.household else None,
        "joined": unix(row.joined_at),
        "livemode": livemode,
        "merged_into": ids.show("mem", row.merged_into_id) if row.merged_into_id else None,
        "name": row.customer.name,
        "number": row.number,
        "source": row.source,
        "status": row.status,
        "store": ids.show("sto", row.store_id) if row.store_id else None,
        "tags": sorted(about.tags),
    }


def contacts(row: Member, opened: Mapping[str, str]) -> dict[str, Any]:
    """A member's contacts in the clear: of a GET alone, whose answers nobody keeps."""
    return {
        "id": ids.show("mem", row.pk),
        "object": "member_contacts",
        "email": opened.get(EMAIL),
        "phone": opened.get(PHONE),
    }


def duplicate(row: Duplicate, *, livemode: bool) -> dict[str, Any]:
    """Two members who may be one person: the younger, and the older one that it was held against."""
    answer = "merged" if row.merge_id else "dismissed" if row.closed_at else "open"
    return {
        "id": ids.show("dup", row.pk),
        "object": "member_duplicate",
        "closed": unix(row.closed_at) if row.closed_at else None,
        "created": unix(row.found_at),
        "livemode": livemode,
        "member": ids.show("mem", row.member_id),
        "other": ids.show("mem", row.other_id),
        "reason": row.reason,
        "status": answer,
    }
