-- The raw limit: pay_wallet_v1 with ids made in the database and the JSON of a real payment.
-- No Python, no HTTP, one call a payment: what pgbench repeats.
CREATE OR REPLACE FUNCTION bench_pay(p_book uuid, p_customer uuid, p_method uuid, p_merchant uuid, p_fees uuid)
RETURNS text LANGUAGE sql SET search_path = pg_catalog, public AS $$
    SELECT outcome FROM pay_wallet_v1(
        p_book, clock_timestamp(),
        'bench-' || gen_random_uuid(), sha256(uuid_send(gen_random_uuid())), 'req_0000000000000000000000',
        (SELECT intent FROM bench_json),
        p_customer, p_method, 1234, 'CNY', 'CNY/2',
        uuidv7(), uuidv7(), 'Payment',
        uuidv7(), '[]', 'automatic_async', NULL, NULL, NULL, NULL, NULL, NULL, '{}',
        uuidv7(), 3800, 5,
        uuidv7(), 'capture:' || gen_random_uuid(), ARRAY[uuidv7(), uuidv7()], p_merchant, p_fees,
        ARRAY[uuidv7(), uuidv7(), uuidv7()],
        ARRAY['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded'],
        (SELECT ARRAY[intent, charge, intent] FROM bench_json),
        '{}', '{}', '{}'
    )
$$;
