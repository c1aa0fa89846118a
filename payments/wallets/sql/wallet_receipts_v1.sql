-- The receipts of what one wallet paid, by entry. It crosses books, which row-level security hides from
-- the app role, and tells only of entries that moved the account.
CREATE FUNCTION wallet_receipts_v1(p_account uuid, p_entries uuid[])
RETURNS TABLE (entry_id uuid, code text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT e.id, r.code
    FROM payments_entry e
    JOIN payments_attempt a ON a.book_id = e.book_id AND a.id = e.source_id
    JOIN payments_receipt r ON r.book_id = a.book_id AND r.intent_id = a.intent_id
    WHERE e.id = ANY (p_entries) AND e.kind = 'charge'
        AND EXISTS (
            SELECT FROM payments_transfer t
            WHERE t.book_id = e.book_id AND t.entry_id = e.id AND p_account IN (t.debit_account_id, t.credit_account_id)
        )
$$
