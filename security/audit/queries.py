"""What was done, and whether the chain still says so."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Q, QuerySet

from merchant_platform.kernel import ids
from security.audit.models import AuditChain, AuditLink, AuditRecord

_DIFFERENCES_MAX = 100

# One statement, so that it sees one moment: what commits meanwhile is in all of it or in none.
_VERIFY = """
WITH linked AS (
    SELECT l.chain_id, l.number, l.hash, l.record_id,
        lag(l.number) OVER chain AS number_before, lag(l.hash) OVER chain AS hash_before
    FROM security_auditlink l WINDOW chain AS (PARTITION BY l.chain_id ORDER BY l.number)
), ends AS (
    SELECT DISTINCT ON (chain_id) chain_id, number, hash FROM security_auditlink ORDER BY chain_id, number DESC
)
SELECT chain_id, number, 'a link is missing before this one' FROM linked
WHERE number <> coalesce(number_before, 0) + 1
UNION ALL
SELECT l.chain_id, l.number, 'the record is not what was recorded' FROM linked l
LEFT JOIN security_auditrecord r ON r.id = l.record_id
WHERE r.id IS NULL OR l.chain_id <> coalesce(r.merchant_id, '00000000-0000-0000-0000-000000000000')
    OR l.hash <> sha256(coalesce(l.hash_before, '') || convert_to(audit_text_v1(r), 'UTF8'))
UNION ALL
SELECT coalesce(r.merchant_id, '00000000-0000-0000-0000-000000000000'), NULL, 'a record hangs on no chain: ' || r.id
FROM security_auditrecord r LEFT JOIN security_auditlink l ON l.record_id = r.id WHERE l.record_id IS NULL
UNION ALL
SELECT coalesce(c.chain_id, e.chain_id), e.number, 'the chain does not end where it should'
FROM security_auditchain c FULL JOIN ends e ON e.chain_id = c.chain_id
WHERE c.number IS DISTINCT FROM e.number OR c.hash IS DISTINCT FROM e.hash
LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A place where the chain and the records do not agree."""

    chain_id: UUID
    number: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ended at some moment. Kept elsewhere, it proves that nobody rewrote what came before."""

    chain_id: UUID
    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Search:
    """What of a merchant's records somebody wants to see. Empty means all."""

    action: str = ""
    actor_id: UUID | None = None
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


def records(*, merchant_id: UUID | None, book_id: UUID | None, search: Search) -> QuerySet[AuditRecord]:
    """A merchant's records in a mode and in all of them, newest first; the platform's own for None."""
    of_whom = Q(merchant_id=merchant_id) if merchant_id else Q(merchant__isnull=True)
    found = AuditRecord.objects.filter(of_whom, Q(book_id=book_id) | Q(book__isnull=True))
    if search.action:
        found = found.filter(action=search.action)
    if search.actor_id:
        found = found.filter(actor_id=search.actor_id)
    if search.object_id:
        found = found.filter(object_id=search.object_id)
    if search.since:
        found = found.filter(pk__gte=ids.first_at(search.since))
    if search.until:
        found = found.filter(pk__lt=ids.first_at(search.until))
    return found.order_by("-pk")


def verify(*, heads: Iterator[Head] | tuple[Head, ...] = ()) -> list[Difference]:
    """Where the chains do not agree with their records or with heads that were kept elsewhere: a hundred at most."""
    differences = [
        Difference(head.chain_id, head.number, "the link differs from the head that was kept")
        for head in heads
        if not AuditLink.objects.using("platform")
        .filter(chain_id=head.chain_id, number=head.number, hash=bytes.fromhex(head.hash))
        .exists()
    ]
    with connections["platform"].cursor() as cursor:
        cursor.execute(_VERIFY, [_DIFFERENCES_MAX])
        return differences + [Difference(*_plain(row)) for row in cursor.fetchall()]


def heads() -> list[Head]:
    """Where every chain ends now."""
    return [
        Head(chain.chain_id, chain.number, bytes(chain.hash).hex())
        for chain in AuditChain.objects.using("platform").order_by("chain_id").iterator()
    ]


def _plain(row: tuple[Any, ...]) -> tuple[UUID, int | None, str]:
    chain_id, number, what = row
    return (chain_id if isinstance(chain_id, UUID) else UUID(chain_id)), number, what
