-- Post entries: balances of guarded accounts, entries, transfers. One call, set-based.
-- The caller opened the book. Errors: LG001 a guarded account lacks the amount,
-- 23505 (payments_entry_reference_happens_once) the act was posted before.
CREATE FUNCTION ledger_post_v1(
    p_book uuid,
    p_entry_ids uuid[], p_references text[], p_kinds text[], p_sources uuid[], p_entry_units text[],
    p_amounts bigint[], p_fees bigint[], p_effective timestamptz[], p_available timestamptz[],
    p_transfer_ids uuid[], p_transfer_entries uuid[], p_debits uuid[], p_credits uuid[], p_units text[],
    p_moved bigint[],
    p_guarded uuid[], p_posted bigint[], p_reserved bigint[]
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    changed bigint;
BEGIN
    INSERT INTO payments_entry
        (id, book_id, reference, kind, source_id, unit, amount_minor, fee_minor, effective_at, available_at)
    SELECT e.id, p_book, e.reference, e.kind, e.source, e.unit, e.amount, e.fee, e.effective, e.available
    FROM unnest(p_entry_ids, p_references, p_kinds, p_sources, p_entry_units, p_amounts, p_fees, p_effective,
                p_available) AS e (id, reference, kind, source, unit, amount, fee, effective, available);

    INSERT INTO payments_transfer (id, book_id, entry_id, debit_account_id, credit_account_id, unit, amount_minor)
    SELECT t.id, p_book, t.entry, t.debit, t.credit, t.unit, t.amount
    FROM unnest(p_transfer_ids, p_transfer_entries, p_debits, p_credits, p_units, p_moved)
        AS t (id, entry, debit, credit, unit, amount);

    IF cardinality(p_guarded) > 0 THEN
        -- Everybody locks in the same order, so nobody waits in a circle.
        PERFORM 1 FROM payments_accountbalance WHERE account_id = ANY (p_guarded) ORDER BY account_id FOR UPDATE;
        UPDATE payments_accountbalance AS b
        SET posted_minor = b.posted_minor + g.posted, reserved_minor = b.reserved_minor + g.reserved
        FROM unnest(p_guarded, p_posted, p_reserved) AS g (account_id, posted, reserved)
        WHERE b.account_id = g.account_id
            AND b.posted_minor + g.posted >= b.reserved_minor + g.reserved
            AND b.reserved_minor + g.reserved >= 0;
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed <> cardinality(p_guarded) THEN
            RAISE EXCEPTION 'a guarded account lacks the amount' USING ERRCODE = 'LG001';
        END IF;
    END IF;
END
$$
