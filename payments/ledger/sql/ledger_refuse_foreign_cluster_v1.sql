-- Transaction ids belong to a cluster. In another one (dump and restore, new server) a
-- new transfer's id may be lower than a checkpoint's, and the transfer would be lost
-- from every total: so nothing is written until the ledger has been rebased.
CREATE FUNCTION ledger_refuse_foreign_cluster_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF (SELECT system_identifier FROM pg_control_system())
        IS DISTINCT FROM (SELECT system_identifier FROM public.payments_cluster WHERE id = 1)
    THEN
        RAISE EXCEPTION 'the ledger belongs to another database cluster: run manage.py ledger rebase'
            USING ERRCODE = 'LG002';
    END IF;
    RETURN NULL;
END
$$
