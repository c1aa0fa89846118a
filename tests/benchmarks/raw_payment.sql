-- The raw limit: pay_wallets_v3 with ids made in the database and the JSON of a real payment.
-- No Python, no HTTP, one call a payment: what pgbench repeats.
CREATE OR REPLACE FUNCTION bench_pay(p_book uuid, p_customer uuid, p_method uuid, p_merchant uuid, p_fees uuid)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    intent_json text;
    charge_json text;
BEGIN
    SELECT intent, charge INTO intent_json, charge_json FROM bench_json;
    -- plpgsql keeps the plan for the session; a function in SQL would be planned at every call.
    PERFORM pay_wallets_v3(
        ARRAY[ROW(p_book, clock_timestamp(),
            'bench-' || gen_random_uuid(), sha256(uuid_send(gen_random_uuid())), 'req_0000000000000000000000',
            p_customer, p_method, 1234, 'CNY', 'CNY/2',
            uuidv7(), uuidv7(), 'Payment',
            uuidv7(), '[]', 'automatic_async', NULL, NULL, NULL, NULL, NULL, NULL, '{}',
            uuidv7(), 3800, 5,
            uuidv7(), 'capture:' || gen_random_uuid(), uuidv7(), uuidv7(), p_merchant, p_fees,
            uuidv7(), uuidv7(), uuidv7(),
            '{}', '{}', '{}')::wallet_payment_v2],
        ARRAY[intent_json], ARRAY[charge_json], ARRAY[intent_json]
    );
END
$$;
