-- The hours of the open book that events changed which a snapshot did not see: those of
-- later transactions, and of those that were under way in it.
--
-- Runs with the owner's rights, so that the index of transaction ids is read: under
-- row-level security the policy's book is an equality that an index reaches, and the planner
-- may rather read all events that the book ever had. It answers for the open book alone.
CREATE FUNCTION facts_changed_hours_v1(book uuid, seen pg_snapshot) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off AS $$
BEGIN
    IF book IS DISTINCT FROM NULLIF(current_setting('app.book', true), '')::uuid THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT DISTINCT date_bin('1 hour', told.at, 'epoch')
    FROM (
        SELECT e.book_id, e.type, e.created_at, e.data FROM kernel_event e
        WHERE e.is_public AND e.xid >= pg_snapshot_xmax(seen)
        UNION ALL
        SELECT e.book_id, e.type, e.created_at, e.data FROM kernel_event e
        WHERE e.is_public AND e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(seen)))
    ) AS fresh
    CROSS JOIN LATERAL (
        VALUES (fresh.created_at), (to_timestamp((fresh.data::jsonb ->> 'created')::bigint))
    ) AS told (at)
    -- Not `=`, which an index of books would answer.
    WHERE fresh.book_id IS NOT DISTINCT FROM book
        AND split_part(fresh.type, '.', 1) IN ('payment_intent', 'charge', 'refund');
END
$$
