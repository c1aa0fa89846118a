-- Hangs a record onto its merchant's chain, as the last thing before its transaction commits:
-- the chain's row is locked for the commit alone, and after every other lock, so that it can
-- be in no deadlock. With the owner's rights: who writes records cannot write links.
CREATE FUNCTION audit_chain_v1()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_chain uuid := coalesce(NEW.merchant_id, '00000000-0000-0000-0000-000000000000');
    v_number bigint;
    v_hash bytea;
BEGIN
    SELECT number, hash INTO v_number, v_hash FROM security_auditchain WHERE chain_id = v_chain FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO security_auditchain (chain_id, number, hash) VALUES (v_chain, 0, '') ON CONFLICT (chain_id) DO NOTHING;
        SELECT number, hash INTO v_number, v_hash FROM security_auditchain WHERE chain_id = v_chain FOR UPDATE;
    END IF;
    v_number := v_number + 1;
    v_hash := sha256(v_hash || convert_to(audit_text_v1(NEW), 'UTF8'));
    INSERT INTO security_auditlink (record_id, chain_id, number, hash) VALUES (NEW.id, v_chain, v_number, v_hash);
    UPDATE security_auditchain SET number = v_number, hash = v_hash WHERE chain_id = v_chain;
    RETURN NULL;
END
$$
