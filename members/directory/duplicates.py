"""Find members who may be one person: by a shared telephone number, e-mail address or name.

Each member is held against the eldest other one that shares something with it: as many
pairs as members at the most, however many share a name. Together the pairs lead from
every one of them to the eldest.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connections

from members.directory.models import NAME, Duplicate
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import missing

_PAIRS = """
WITH asked AS (
    SELECT m.id, c.name_key FROM members_member m
    JOIN payments_customer c ON c.book_id = m.book_id AND c.id = m.customer_id
    WHERE m.book_id = %(book)s AND m.id = ANY (%(members)s) AND m.status = 'active'
)
SELECT a.id, o.id, own.kind FROM asked a
JOIN members_contact own ON own.book_id = %(book)s AND own.member_id = a.id
CROSS JOIN LATERAL (
    SELECT coalesce(m.merged_into_id, m.id) AS id FROM members_contact c
    JOIN members_member m ON m.book_id = c.book_id AND m.id = c.member_id
    WHERE c.book_id = %(book)s AND c.digest = own.digest AND c.member_id <> a.id AND m.status <> 'left'
        AND coalesce(m.merged_into_id, m.id) <> a.id
    ORDER BY c.id LIMIT 1
) o
UNION ALL
SELECT a.id, o.id, 'name' FROM asked a
CROSS JOIN LATERAL (
    SELECT m.id FROM payments_customer c
    JOIN members_member m ON m.book_id = c.book_id AND m.customer_id = c.id
    WHERE c.book_id = %(book)s AND c.name_key = a.name_key AND m.id <> a.id AND m.status = 'active'
    ORDER BY c.id LIMIT 1
) o
"""


def look_for(member_ids: Sequence[UUID], *, now: datetime) -> None:
    """Note who else these members may be. This will write a row a pair, once, in two statements."""
    if not member_ids:
        return
    with connections["default"].cursor() as cursor:
        cursor.execute(_PAIRS, {"book": tenancy.book_id(), "members": list(member_ids)})
        found = cursor.fetchall()
    pairs: dict[tuple[UUID, UUID], str] = {}
    for one, other, reason in found:
        # The younger one first, so that a pair is one row whichever of the two was looked at.
        pair = (max(one, other), min(one, other))
        if pairs.get(pair, NAME) == NAME:
            pairs[pair] = reason
    Duplicate.objects.bulk_create(
        (
            Duplicate(
                id=ids.new(now), book_id=tenancy.book_id(), member_id=one, other_id=other, reason=reason, found_at=now
            )
            for (one, other), reason in pairs.items()
        ),
        # A pair that was answered stays answered, whatever else it turns out to share.
        update_conflicts=True,
        unique_fields=["book_id", "member", "other"],
        update_fields=["reason"],
    )


def dismiss(*, duplicate_id: UUID, now: datetime) -> None:
    """Say that a pair are two people. This will close it, for good. Raises NotFound; twice changes nothing."""
    if not Duplicate.objects.filter(pk=duplicate_id).exists():
        raise missing("duplicate", ids.show("dup", duplicate_id))
    Duplicate.objects.filter(pk=duplicate_id, closed_at__isnull=True).update(closed_at=now)
