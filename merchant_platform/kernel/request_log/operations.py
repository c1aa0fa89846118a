"""Write what was noted, and forget what is old."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connections

from merchant_platform.kernel import ids
from merchant_platform.kernel.request_log.lines import Line

PURGE_BATCH = 10_000
_INSERT = f"""
INSERT INTO kernel_loggedrequest ({", ".join(Line._fields)})
SELECT n.id, n.book_id, n.method, n.path, n.object_id, n.status, n.status_class, n.error_code, n.error_param, n.key_id,
    n.key_kind, n.idempotency_key_hash, n.original_request_id, n.ip, n.user_agent, n.duration_us, n.api_version,
    string_to_array(n.event_ids, ',')::uuid[]
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::smallint[], %s::text[],
    %s::text[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::integer[], %s::text[],
    %s::text[]) AS n ({", ".join(Line._fields)})
ON CONFLICT (id) DO NOTHING
"""


def write(lines: Iterable[Line]) -> None:
    """Keep requests of any books. This will insert them in one statement; what is there already is left alone."""
    columns = [list(column) for column in zip(*lines, strict=True)]
    if columns:
        with connections["platform"].cursor() as cursor:
            cursor.execute(_INSERT, columns)


def purge(*, before: datetime) -> int:
    """Delete requests older than a time, of all books. This will return how many went; in batches, so no lock lasts."""
    gone = 0
    while True:
        with connections["platform"].cursor() as cursor:
            cursor.execute(
                "DELETE FROM kernel_loggedrequest WHERE id IN"
                " (SELECT id FROM kernel_loggedrequest WHERE id < %s ORDER BY id LIMIT %s)",
                [ids.first_at(before), PURGE_BATCH],
            )
            gone += cursor.rowcount
            if cursor.rowcount < PURGE_BATCH:
                return gone
