"""The part of the books proof about stored-value cards."""

from payments.ledger.reconcile import Check

CHECKS = (
    Check(
        "stored_value_is_owed",
        "What is on a book's cards is what the book says it owes on them, paid for and bonus apart.",
        """
        WITH legs AS (
            SELECT credit_account_id AS account, amount_minor AS amount FROM payments_transfer
            UNION ALL SELECT debit_account_id, -amount_minor FROM payments_transfer
        ), totals AS (
            SELECT a.owner_id AS book_id, a.unit, a.code, -coalesce(sum(l.amount), 0) AS amount
            FROM payments_account a LEFT JOIN legs l ON l.account = a.id
            WHERE a.code IN ('stored_issued', 'bonus_issued') GROUP BY a.owner_id, a.unit, a.code
        ), cards AS (
            SELECT c.book_id, a.unit,
                CASE a.code WHEN 'stored_value' THEN 'stored_issued' ELSE 'bonus_issued' END AS code,
                sum(b.posted_minor) AS amount
            FROM payments_account a JOIN payments_accountbalance b ON b.account_id = a.id
            JOIN payments_storedvaluecard c ON c.id = a.owner_id
            WHERE a.code IN ('stored_value', 'stored_bonus') GROUP BY c.book_id, a.unit, 3
        )
        SELECT 'book ' || coalesce(t.book_id, c.book_id) || ' ' || coalesce(t.code, c.code) || ': owes '
            || coalesce(t.amount, 0) || ', cards hold ' || coalesce(c.amount, 0)
        FROM totals t FULL JOIN cards c ON c.book_id = t.book_id AND c.unit = t.unit AND c.code = t.code
        WHERE coalesce(t.amount, 0) <> coalesce(c.amount, 0)
        """,
    ),
    Check(
        "stored_value_loads",
        "A load that is on its card was posted, of the same amounts, and its order was paid.",
        """
        SELECT 'load ' || l.id FROM payments_storedvalueload l
        LEFT JOIN payments_entry e ON e.book_id = l.book_id AND e.id = l.entry_id
        LEFT JOIN payments_orderline i ON i.book_id = l.book_id AND i.id = l.order_line_id
        LEFT JOIN payments_order o ON o.book_id = i.book_id AND o.id = i.order_id
        WHERE l.status = 'loaded' AND (e.kind IS DISTINCT FROM 'stored_value_load' OR e.source_id <> l.id
            OR o.status <> 'paid' OR l.amount_minor + l.bonus_minor <> (
                SELECT sum(t.amount_minor) FROM payments_transfer t WHERE t.book_id = l.book_id AND t.entry_id = e.id))
        """,
    ),
)
