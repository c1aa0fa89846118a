-- Whole wallet payments in one call, in autocommit: idempotency key with its answer, order
-- and line, intent, attempt, entry, transfers, guarded balance, events and their deliveries.
-- Payments that were asked for at the same moment come together, and share what a statement
-- and a commit cost (payments/intents/lane.py).
--
-- The rules stay in Python: every value is given, nothing is decided here but what only
-- the database can know at this moment. What it finds otherwise of any of them (a key that
-- was used before, no mandate, another customer, not enough money, an account not open yet)
-- is PW001 or LG001: the statement leaves nothing behind, each payment is tried alone, and
-- the one that fails alone takes the general road, which says why.
--
-- Locks are taken in one order, keys by book and key, then wallets by account, so that
-- nobody waits in a circle. The wallets come last: they are what others wait for.
--
-- Runs with the owner's rights: row-level security would cost each of its statements a
-- tenth. It names the book in every row it reads and writes, and the books that it would
-- open are its own argument, so the policies would hold back nothing (docs/adr/0006).
CREATE FUNCTION pay_wallets_v3(payments wallet_payment_v2[], created text[], charges text[], succeeded text[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- The planner knows how many came, takes it for a reason to plan anew, and that costs more than the payment.
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    keys integer;
    fresh_keys integer;
    wallets uuid[];
    have_metadata boolean;
    have_deliveries boolean;
    wallet uuid;
    due bigint;
BEGIN
    IF cardinality(payments) > 1 THEN
        -- Who must wait long for somebody's lock shall not keep the others.
        PERFORM set_config('lock_timeout', '200ms', true);
    END IF;

    -- Waits for a first request with this key that is still at work.
    INSERT INTO kernel_idempotencykey (book_id, key, fingerprint, status, body, request_id, moved_money)
    SELECT p.book, p.key, p.fingerprint, 200, succeeded[p.ordinality], p.request, true
    FROM unnest(payments) WITH ORDINALITY AS p
    WHERE p.key IS NOT NULL
    ORDER BY p.book, p.key
    ON CONFLICT (book_id, key) DO NOTHING;
    GET DIAGNOSTICS fresh_keys = ROW_COUNT;

    SELECT count(p.key), bool_or(p.metadata <> '{}'), bool_or(cardinality(p.deliveries) > 0), array_agg((
        SELECT w.account_id
        FROM payments_paymentmethod pm
        JOIN payments_mandate m ON m.book_id = p.book AND m.id = pm.mandate_id
        JOIN payments_wallet w ON w.id = m.wallet_id
        -- Accounts are never deleted: to have seen them is enough, where a foreign key would lock
        -- the rows that all payments of a merchant share.
        JOIN payments_account merchant ON merchant.id = p.merchant_account
        LEFT JOIN payments_account fees ON fees.id = p.fees_account
        WHERE pm.book_id = p.book AND pm.id = p.method AND pm.customer_id = p.customer AND pm.detached_at IS NULL
            AND pm.billing_details = '{}'::jsonb
            AND m.revoked_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > p.now)
            AND (m.limit_minor IS NULL OR m.limit_minor >= p.amount) AND w.currency = p.currency
            AND (p.fee = 0 OR fees.id IS NOT NULL)
    ) ORDER BY p.ordinality)
    INTO keys, have_metadata, have_deliveries, wallets
    FROM unnest(payments) WITH ORDINALITY AS p;
    IF fresh_keys < keys OR array_position(wallets, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'take the general road' USING ERRCODE = 'PW001';
    END IF;

    -- One statement: each of its own would start and end for nothing.
    WITH p AS MATERIALIZED (SELECT * FROM unnest(payments) WITH ORDINALITY), orders AS (
        INSERT INTO payments_order (id, book_id, customer_id, status, is_implicit, currency, total_minor, paid_minor,
            refunded_minor, metadata, created_at)
        SELECT p.order_id, p.book, p.customer, 'paid', true, p.currency, p.amount, p.amount, 0, '{}', p.now
        FROM p
    ), lines AS (
        INSERT INTO payments_orderline (id, book_id, order_id, description, category, quantity, unit_price_minor,
            discount_minor, tax_minor, amount_minor, refunded_minor, refunded_quantity)
        SELECT p.line, p.book, p.order_id, p.line_description, '', 1, p.amount, 0, 0, p.amount, 0, 0
        FROM p
    ), intents AS (
        INSERT INTO payments_paymentintent (id, book_id, order_id, customer_id, payment_method_id, status,
            amount_minor, received_minor, currency, capture_method, confirmation_method, payment_method_types,
            latest_attempt_id, description, receipt_email, statement_descriptor, statement_descriptor_suffix,
            transfer_group, shipping, metadata, created_at)
        SELECT p.intent, p.book, p.order_id, p.customer, p.method, 'succeeded',
            p.amount, p.amount, p.currency, p.capture_method, 'automatic', p.intent_types,
            p.attempt, p.description, p.receipt_email, p.descriptor, p.descriptor_suffix,
            p.transfer_group, p.shipping, p.metadata, p.now
        FROM p
    ), entries AS (
        INSERT INTO payments_entry (id, book_id, reference, kind, source_id, unit, amount_minor, fee_minor,
            effective_at, available_at)
        SELECT p.entry, p.book, p.reference, 'charge', p.attempt, p.unit, p.amount, p.fee, p.now, p.now
        FROM p
    ), attempts AS (
        INSERT INTO payments_attempt (id, book_id, intent_id, customer_id, payment_method_id, method, status,
            amount_minor, captured_minor, refunded_minor, currency, fee_rate_ppm, fee_minor, entry_id, description,
            receipt_email, statement_descriptor, statement_descriptor_suffix, transfer_group, shipping,
            billing_details, metadata, created_at)
        SELECT p.attempt, p.book, p.intent, p.customer, p.method, 'wallet', 'captured',
            p.amount, p.amount, 0, p.currency, p.fee_rate, p.fee, p.entry, p.description,
            p.receipt_email, p.descriptor, p.descriptor_suffix, p.transfer_group, p.shipping,
            '{}', p.metadata, p.now
        FROM p
    ), transfers AS (
        INSERT INTO payments_transfer (id, book_id, entry_id, debit_account_id, credit_account_id, unit, amount_minor)
        SELECT p.payer_transfer, p.book, p.entry, wallets[p.ordinality], p.merchant_account, p.unit, p.amount
        FROM p
        UNION ALL
        SELECT p.fee_transfer, p.book, p.entry, p.merchant_account, p.fees_account, p.unit, p.fee
        FROM p WHERE p.fee > 0
    )
    INSERT INTO kernel_event (id, book_id, type, created_at, data, request_id, idempotency_key, is_public)
    SELECT p.created_event, p.book, 'payment_intent.created', p.now, created[p.ordinality], p.request, p.key, true
    FROM p
    UNION ALL
    SELECT p.charge_event, p.book, 'charge.succeeded', p.now, charges[p.ordinality], p.request, p.key, true
    FROM p
    UNION ALL
    SELECT p.succeeded_event, p.book, 'payment_intent.succeeded', p.now, succeeded[p.ordinality], p.request, p.key, true
    FROM p;

    IF have_deliveries THEN
        INSERT INTO kernel_delivery (id, book_id, event_id, target, attempts_count, last_error)
        SELECT d.id, p.book, d.event, d.target, 0, ''
        FROM unnest(payments) AS p,
            unnest(p.deliveries, p.delivery_events, p.delivery_targets) AS d (id, event, target);
    END IF;

    IF have_metadata THEN
        INSERT INTO payments_metadataterm (book_id, kind, object_id, key, value)
        SELECT p.book, o.kind, o.id, term.key, term.value
        FROM unnest(payments) AS p,
            jsonb_each_text(p.metadata) AS term,
            LATERAL (VALUES ('payment_intent', p.intent), ('charge', p.attempt)) AS o (kind, id);
    END IF;

    FOR wallet, due IN
        SELECT wallets[p.ordinality], sum(p.amount)::bigint FROM unnest(payments) WITH ORDINALITY AS p
        GROUP BY 1 ORDER BY 1
    LOOP
        UPDATE payments_accountbalance SET posted_minor = posted_minor - due
        WHERE account_id = wallet AND posted_minor - reserved_minor >= due;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a guarded account lacks the amount' USING ERRCODE = 'LG001';
        END IF;
    END LOOP;
END
$$
