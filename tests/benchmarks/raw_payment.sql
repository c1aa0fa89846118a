-- The raw limit: pay_wallet_v1 with ids made in the database and the JSON of a real payment.
-- No Python, no HTTP, one call a payment: what pgbench repeats.
CREATE OR REPLACE FUNCTION bench_pay(p_book uuid, p_customer uuid, p_method uuid, p_merchant uuid, p_fees uuid)
RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    intent_json text;
    charge_json text;
BEGIN
    SELECT intent, charge INTO intent_json, charge_json FROM bench_json;
    -- plpgsql keeps the plan for the session; a function in SQL would be planned at every call.
    RETURN (SELECT outcome FROM pay_wallet_v1(
        p_book, clock_timestamp(),
        'bench-' || gen_random_uuid(), sha256(uuid_send(gen_random_uuid())), 'req_0000000000000000000000',
        intent_json,
        p_customer, p_method, 1234, 'CNY', 'CNY/2',
        uuidv7(), uuidv7(), 'Payment',
        uuidv7(), '[]', 'automatic_async', NULL, NULL, NULL, NULL, NULL, NULL, '{}',
        uuidv7(), 3800, 5,
        uuidv7(), 'capture:' || gen_random_uuid(), ARRAY[uuidv7(), uuidv7()], p_merchant, p_fees,
        ARRAY[uuidv7(), uuidv7(), uuidv7()],
        ARRAY['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded'],
        ARRAY[intent_json, charge_json, intent_json],
        '{}', '{}', '{}'
    ));
END
$$;
