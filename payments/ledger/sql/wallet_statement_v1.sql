-- A guarded account's statement, newest first. It crosses books, which row-level security
-- hides from the app role: so it is the one function that may, and it takes the account.
-- Paging by (xid, id): pass the last row's.
CREATE FUNCTION wallet_statement_v1(p_account uuid, p_before_xid xid8, p_before_id uuid, p_limit integer)
RETURNS TABLE (
    id uuid, entry_id uuid, book_id uuid, kind text, source_id uuid, amount_minor bigint, unit text,
    effective_at timestamptz, xid xid8
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.id, t.entry_id, t.book_id, e.kind, e.source_id, t.signed, t.unit, e.effective_at, t.xid
    FROM (
        (SELECT d.id, d.entry_id, d.book_id, -d.amount_minor AS signed, d.unit, d.xid
         FROM payments_transfer d
         WHERE d.debit_account_id = p_account
             AND (p_before_xid IS NULL OR d.xid < p_before_xid OR (d.xid = p_before_xid AND d.id < p_before_id))
         ORDER BY d.xid DESC, d.id DESC LIMIT p_limit)
        UNION ALL
        (SELECT c.id, c.entry_id, c.book_id, c.amount_minor AS signed, c.unit, c.xid
         FROM payments_transfer c
         WHERE c.credit_account_id = p_account
             AND (p_before_xid IS NULL OR c.xid < p_before_xid OR (c.xid = p_before_xid AND c.id < p_before_id))
         ORDER BY c.xid DESC, c.id DESC LIMIT p_limit)
    ) AS t
    JOIN payments_entry e ON e.id = t.entry_id
    ORDER BY t.xid DESC, t.id DESC
    LIMIT p_limit
$$
