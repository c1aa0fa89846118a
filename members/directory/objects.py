"""Members as the API shows them. Contacts are masked: answers and events are kept, what is sealed must not be."""

from collections.abc import Mapping, Sequence
from typing import Any

from members.directory.models import EMAIL, PHONE, Member
from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix


def member(
    row: Member, *, livemode: bool, masks: Mapping[str, str] | None = None, tags: Sequence[str] = ()
) -> dict[str, Any]:
    masks = masks or {}
    return {
        "id": ids.show("mem", row.pk),
        "object": "member",
        "birthday": row.birthday.isoformat() if row.birthday else None,
        "contacts": {"email": masks.get(EMAIL), "phone": masks.get(PHONE)},
        "created": unix(row.created_at),
        "customer": ids.show("cus", row.customer_id),
        "household": ids.show("hh", row.household_id) if row.household_id else None,
        "joined": unix(row.joined_at),
        "livemode": livemode,
        "merged_into": ids.show("mem", row.merged_into_id) if row.merged_into_id else None,
        "number": row.number,
        "source": row.source,
        "status": row.status,
        "store": ids.show("sto", row.store_id) if row.store_id else None,
        "tags": sorted(tags),
    }
