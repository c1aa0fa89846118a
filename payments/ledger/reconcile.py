"""The books proof: everything that is kept is computed again from the transfers, and compared.

Each check is one statement over all books that returns the rows which differ; an empty
answer is a proof. Run as the platform role (`manage.py reconcile`, and nightly).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connections

from payments.ledger.chart import CHART, Side


@dataclass(frozen=True, slots=True)
class Check:
    """A sentence that must hold, and the SQL for what breaks it."""

    name: str
    sentence: str
    sql: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that breaks a check."""

    check: str
    detail: str


def _codes(attribute: str) -> str:
    return ", ".join(f"'{kind.code}'" for kind in CHART.values() if getattr(kind, attribute))


def _debit_codes() -> str:
    return ", ".join(f"'{kind.code}'" for kind in CHART.values() if kind.side == Side.DEBIT)


CHECKS = (
    Check(
        "guarded_posted",
        "A guarded account's balance is the sum of its transfers.",
        f"""
        WITH moved AS (
            SELECT account, sum(amount) AS amount FROM (
                SELECT credit_account_id AS account, amount_minor AS amount FROM payments_transfer
                UNION ALL SELECT debit_account_id, -amount_minor FROM payments_transfer
            ) AS legs GROUP BY account
        ), kept AS (
            SELECT a.id, b.posted_minor AS row,
                coalesce(m.amount, 0) * CASE WHEN a.code IN ({_debit_codes()}) THEN -1 ELSE 1 END AS amount
            FROM payments_account a
            LEFT JOIN payments_accountbalance b ON b.account_id = a.id
            LEFT JOIN moved m ON m.account = a.id
            WHERE a.book_id IS NULL
        )
        SELECT 'account ' || id || ': row says ' || coalesce(row::text, 'nothing') || ', transfers say ' || amount
        FROM kept WHERE row IS DISTINCT FROM amount
        """,
    ),
    Check(
        "guarded_reserved",
        "A guarded account's reserved amount is the sum of its open holds.",
        """
        SELECT 'account ' || b.account_id || ': row says ' || b.reserved_minor || ', open holds say '
            || coalesce(h.amount, 0)
        FROM payments_accountbalance b
        LEFT JOIN (
            SELECT hold.account_id, sum(hold.amount_minor) AS amount FROM payments_hold hold
            WHERE NOT EXISTS (SELECT 1 FROM payments_holdoutcome o WHERE o.hold_id = hold.id)
            GROUP BY hold.account_id
        ) AS h ON h.account_id = b.account_id
        WHERE b.reserved_minor <> coalesce(h.amount, 0)
        """,
    ),
    Check(
        "balance_of_no_account",
        "Every balance row has its account.",
        """
        SELECT 'balance row ' || b.account_id FROM payments_accountbalance b
        WHERE NOT EXISTS (SELECT 1 FROM payments_account a WHERE a.id = b.account_id)
        """,
    ),
    Check(
        "checkpoints",
        "A checkpoint is the sum of the transfers below its transaction id.",
        """
        SELECT 'account ' || c.account_id || ': checkpoint says ' || c.posted_minor || ', transfers say '
            || coalesce(t.amount, 0)
        FROM payments_checkpoint c
        LEFT JOIN LATERAL (
            SELECT sum(CASE WHEN t.credit_account_id = c.account_id THEN t.amount_minor ELSE -t.amount_minor END)
                AS amount
            FROM payments_transfer t
            WHERE c.account_id IN (t.credit_account_id, t.debit_account_id) AND t.xid < c.xid
        ) AS t ON true
        WHERE c.posted_minor <> coalesce(t.amount, 0)
        """,
    ),
    Check(
        "transfers_hang_together",
        "Every transfer has its entry, in its book, and both its accounts.",
        """
        SELECT 'transfer ' || t.id FROM payments_transfer t
        LEFT JOIN payments_entry e ON e.book_id = t.book_id AND e.id = t.entry_id
        LEFT JOIN payments_account d ON d.id = t.debit_account_id
        LEFT JOIN payments_account c ON c.id = t.credit_account_id
        WHERE e.id IS NULL OR d.id IS NULL OR c.id IS NULL
        """,
    ),
    Check(
        "transfers_in_their_book",
        "A transfer moves totals of its own book only, and all three units agree.",
        """
        SELECT 'transfer ' || t.id FROM payments_transfer t
        JOIN payments_account d ON d.id = t.debit_account_id
        JOIN payments_account c ON c.id = t.credit_account_id
        WHERE coalesce(d.book_id, t.book_id) <> t.book_id OR coalesce(c.book_id, t.book_id) <> t.book_id
            OR d.unit <> t.unit OR c.unit <> t.unit OR d.mode <> c.mode
        """,
    ),
    Check(
        "entries_move_what_they_say",
        "An entry's transfers with the merchant's account sum to its amount less its fee.",
        """
        SELECT 'entry ' || e.id || ' (' || e.reference || '): says ' || (e.amount_minor - e.fee_minor)
            || ', moved ' || coalesce(m.net, 0)
        FROM payments_entry e
        LEFT JOIN (
            SELECT t.entry_id, sum(CASE WHEN c.code = 'merchant' THEN t.amount_minor ELSE 0 END
                - CASE WHEN d.code = 'merchant' THEN t.amount_minor ELSE 0 END) AS net
            FROM payments_transfer t
            JOIN payments_account d ON d.id = t.debit_account_id
            JOIN payments_account c ON c.id = t.credit_account_id
            GROUP BY t.entry_id
        ) AS m ON m.entry_id = e.id
        WHERE e.amount_minor - e.fee_minor <> coalesce(m.net, 0)
        """,
    ),
    Check(
        "entries_are_not_empty",
        "Every entry has a transfer.",
        """
        SELECT 'entry ' || e.id || ' (' || e.reference || ')' FROM payments_entry e
        WHERE NOT EXISTS (SELECT 1 FROM payments_transfer t WHERE t.book_id = e.book_id AND t.entry_id = e.id)
        """,
    ),
    Check(
        "holds_end",
        "No hold is open long past its time.",
        """
        SELECT 'hold ' || h.id || ' expired at ' || h.expires_at
        FROM payments_hold h LEFT JOIN security_book k ON k.id = h.book_id
        WHERE h.expires_at < coalesce(k.clock_at, now()) - interval '1 day'
            AND NOT EXISTS (SELECT 1 FROM payments_holdoutcome o WHERE o.hold_id = h.id)
        """,
    ),
    Check(
        "safeguarding",
        "In each mode and currency, wallets + merchants + fees = bank + receivables.",
        f"""
        WITH legs AS (
            SELECT credit_account_id AS account, amount_minor AS amount FROM payments_transfer
            UNION ALL SELECT debit_account_id, -amount_minor FROM payments_transfer
        )
        SELECT a.mode || ' ' || a.unit || ': owed '
            || coalesce(sum(l.amount) FILTER (WHERE a.code IN ({_codes("is_owed")})), 0) || ', safeguarded '
            || -coalesce(sum(l.amount) FILTER (WHERE a.code IN ({_codes("is_backing")})), 0)
        FROM legs l JOIN payments_account a ON a.id = l.account
        WHERE a.code IN ({_codes("is_owed")}, {_codes("is_backing")})
        GROUP BY a.mode, a.unit
        HAVING sum(l.amount) <> 0
        """,
    ),
    Check(
        "cluster",
        "The transaction ids belong to this database cluster.",
        """
        SELECT 'stored ' || coalesce((SELECT system_identifier FROM payments_cluster)::text, 'nothing')
        WHERE (SELECT system_identifier FROM pg_control_system())
            IS DISTINCT FROM (SELECT system_identifier FROM payments_cluster WHERE id = 1)
        """,
    ),
)

# A broken ledger can differ in every row; a person reads the first ones.
SHOWN_MAX = 20


def differences(checks: tuple[Check, ...] = CHECKS, *, using: str = "platform") -> Iterator[Difference]:
    """What breaks a check, at most SHOWN_MAX a check. Nothing at all is the proof."""
    with connections[using].cursor() as cursor:
        for check in checks:
            cursor.execute(f"SELECT * FROM ({check.sql}) AS differing (detail) LIMIT {SHOWN_MAX}")
            for (detail,) in cursor.fetchall():
                yield Difference(check.name, detail)
