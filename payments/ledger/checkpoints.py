"""Checkpoints: how a total stays exact without a row that every payment changes.

A transfer stores the id of the transaction that wrote it. A checkpoint covers the ids
below `pg_snapshot_xmin(pg_current_snapshot())`: every such transaction has ended, so what
it wrote is visible and no more can come. The tail is everything at or above. Ids and
times are no substitute: a transaction that began early may commit late.
"""

from django.db import connections, transaction

# The compare-and-set on the old xid lets two roll-forwards run at once: one finds zero
# rows. Only accounts with something in their tail that has ended are touched.
_ROLL = """
WITH bound AS MATERIALIZED (
    SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xid,
        (SELECT system_identifier FROM pg_control_system()) AS cluster
), moved AS (
    SELECT a.id, a.book_id, c.xid AS seen, coalesce(c.posted_minor, 0) AS posted,
        coalesce((SELECT sum(t.amount_minor) FROM payments_transfer t WHERE t.credit_account_id = a.id
                  AND t.xid >= coalesce(c.xid, '0'::xid8) AND t.xid < bound.xid), 0)
        - coalesce((SELECT sum(t.amount_minor) FROM payments_transfer t WHERE t.debit_account_id = a.id
                    AND t.xid >= coalesce(c.xid, '0'::xid8) AND t.xid < bound.xid), 0) AS change
    FROM payments_account a
    CROSS JOIN bound
    LEFT JOIN payments_checkpoint c ON c.account_id = a.id
    WHERE a.book_id IS NOT NULL
        AND (EXISTS (SELECT 1 FROM payments_transfer t WHERE t.credit_account_id = a.id
                     AND t.xid >= coalesce(c.xid, '0'::xid8) AND t.xid < bound.xid)
             OR EXISTS (SELECT 1 FROM payments_transfer t WHERE t.debit_account_id = a.id
                        AND t.xid >= coalesce(c.xid, '0'::xid8) AND t.xid < bound.xid))
)
INSERT INTO payments_checkpoint AS c (account_id, book_id, posted_minor, xid, cluster)
SELECT moved.id, moved.book_id, moved.posted + moved.change, bound.xid, bound.cluster FROM moved CROSS JOIN bound
ON CONFLICT (account_id) DO UPDATE
SET posted_minor = excluded.posted_minor, xid = excluded.xid, taken_at = now()
WHERE c.xid = (SELECT seen FROM moved WHERE moved.id = c.account_id) AND c.cluster = excluded.cluster
"""

_FOREIGN = """
SELECT (SELECT system_identifier FROM pg_control_system())
    IS DISTINCT FROM (SELECT system_identifier FROM payments_cluster WHERE id = 1)
"""


def roll_forward() -> int:
    """Move every total's checkpoint up to what has ended. This will return how many moved. May run twice at once."""
    if is_foreign_cluster(using="platform"):
        return 0
    with connections["platform"].cursor() as cursor:
        cursor.execute(_ROLL)
        return cursor.rowcount


def is_foreign_cluster(*, using: str = "default") -> bool:
    """Whether the stored transaction ids belong to another database cluster than this one."""
    with connections[using].cursor() as cursor:
        cursor.execute(_FOREIGN)
        return cursor.fetchone()[0]


def rebase() -> int:
    """After a dump and restore: make the ledger's transaction ids mean something again, and rebuild every total.

    This will give all present transfers the lowest id, below every future one, and write
    new checkpoints from full sums. Run by the owner, alone: it locks the ledger. Returns
    how many totals were rebuilt.
    """
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("LOCK TABLE payments_transfer, payments_checkpoint, payments_cluster IN ACCESS EXCLUSIVE MODE")
        cursor.execute("UPDATE payments_transfer SET xid = '3'::xid8 WHERE xid <> '3'::xid8")
        cursor.execute("DELETE FROM payments_checkpoint")
        cursor.execute(
            "INSERT INTO payments_cluster (id, system_identifier) SELECT 1, system_identifier FROM pg_control_system()"
            " ON CONFLICT (id) DO UPDATE SET system_identifier = excluded.system_identifier"
        )
        cursor.execute(
            "INSERT INTO payments_checkpoint (account_id, book_id, posted_minor, xid, cluster)"
            " SELECT a.id, a.book_id, sum(CASE WHEN t.credit_account_id = a.id THEN t.amount_minor"
            " ELSE -t.amount_minor END), '4'::xid8, (SELECT system_identifier FROM pg_control_system())"
            " FROM payments_account a JOIN payments_transfer t ON a.id IN (t.credit_account_id, t.debit_account_id)"
            " WHERE a.book_id IS NOT NULL GROUP BY a.id, a.book_id"
        )
        return cursor.rowcount
