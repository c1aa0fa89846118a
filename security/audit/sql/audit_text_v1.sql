-- What a link's hash is taken over: every column of a record, as the text of a JSON array.
-- The time in microseconds, since how a time is written depends on the session.
CREATE FUNCTION audit_text_v1(r security_auditrecord)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
    SELECT jsonb_build_array(
        1, r.id, r.merchant_id, r.book_id, r.actor_kind, r.actor_id, r.ip, r.action, r.object_id, r.detail,
        (extract(epoch FROM r.recorded_at) * 1000000)::bigint
    )::text
$$
