-- A whole wallet payment in one call, in autocommit: idempotency key with its answer, order
-- and line, intent, attempt, entry, transfers, guarded balance, events and their deliveries.
--
-- The rules stay in Python: every value is given, nothing is decided here but what only
-- the database can know at this moment. What it finds otherwise (no mandate, another
-- customer, not enough money, an account not open yet) is PW001 or LG001: the statement
-- leaves nothing behind, and the caller takes the general road, which says why.
--
-- Runs with the owner's rights: row-level security would cost each of its statements a
-- tenth. It names the book in every row it reads and writes, and the book that it would
-- open is its own argument, so the policies would hold back nothing (docs/adr/0006).
--
-- Returns true, or false where the idempotency key was used before.
CREATE FUNCTION pay_wallet_v2(p wallet_payment_v2, created_json text, charge_json text, succeeded_json text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wallet_account uuid;
    key_name text;
    key_value text;
BEGIN
    IF p.key IS NOT NULL THEN
        -- Waits for a first request with this key that is still at work.
        INSERT INTO kernel_idempotencykey (book_id, key, fingerprint, status, body, request_id, moved_money)
        VALUES (p.book, p.key, p.fingerprint, 200, succeeded_json, p.request, true)
        ON CONFLICT (book_id, key) DO NOTHING;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;

    SELECT w.account_id INTO wallet_account
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
        AND (p.fee = 0 OR fees.id IS NOT NULL);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'take the general road' USING ERRCODE = 'PW001';
    END IF;

    INSERT INTO payments_order (id, book_id, customer_id, status, is_implicit, currency, total_minor, paid_minor,
        refunded_minor, metadata, created_at)
    VALUES (p.order_id, p.book, p.customer, 'paid', true, p.currency, p.amount, p.amount, 0, '{}', p.now);

    INSERT INTO payments_orderline (id, book_id, order_id, description, category, quantity, unit_price_minor,
        discount_minor, tax_minor, amount_minor, refunded_minor, refunded_quantity)
    VALUES (p.line, p.book, p.order_id, p.line_description, '', 1, p.amount, 0, 0, p.amount, 0, 0);

    INSERT INTO payments_paymentintent (id, book_id, order_id, customer_id, payment_method_id, status, amount_minor,
        received_minor, currency, capture_method, confirmation_method, payment_method_types, latest_attempt_id,
        description, receipt_email, statement_descriptor, statement_descriptor_suffix, transfer_group, shipping,
        metadata, created_at)
    VALUES (p.intent, p.book, p.order_id, p.customer, p.method, 'succeeded', p.amount,
        p.amount, p.currency, p.capture_method, 'automatic', p.intent_types, p.attempt,
        p.description, p.receipt_email, p.descriptor, p.descriptor_suffix, p.transfer_group, p.shipping,
        p.metadata, p.now);

    INSERT INTO payments_entry (id, book_id, reference, kind, source_id, unit, amount_minor, fee_minor, effective_at,
        available_at)
    VALUES (p.entry, p.book, p.reference, 'charge', p.attempt, p.unit, p.amount, p.fee, p.now, p.now);

    INSERT INTO payments_attempt (id, book_id, intent_id, customer_id, payment_method_id, method, status, amount_minor,
        captured_minor, refunded_minor, currency, fee_rate_ppm, fee_minor, entry_id, description, receipt_email,
        statement_descriptor, statement_descriptor_suffix, transfer_group, shipping, billing_details, metadata,
        created_at)
    VALUES (p.attempt, p.book, p.intent, p.customer, p.method, 'wallet', 'captured', p.amount,
        p.amount, 0, p.currency, p.fee_rate, p.fee, p.entry, p.description, p.receipt_email,
        p.descriptor, p.descriptor_suffix, p.transfer_group, p.shipping, '{}', p.metadata,
        p.now);

    INSERT INTO payments_transfer (id, book_id, entry_id, debit_account_id, credit_account_id, unit, amount_minor)
    SELECT t.id, p.book, p.entry, t.debit, t.credit, p.unit, t.amount
    FROM (VALUES (p.payer_transfer, wallet_account, p.merchant_account, p.amount),
                 (p.fee_transfer, p.merchant_account, p.fees_account, p.fee)) AS t (id, debit, credit, amount)
    WHERE t.amount > 0;

    INSERT INTO kernel_event (id, book_id, type, created_at, data, request_id, idempotency_key, is_public)
    VALUES (p.created_event, p.book, 'payment_intent.created', p.now, created_json, p.request, p.key, true),
           (p.charge_event, p.book, 'charge.succeeded', p.now, charge_json, p.request, p.key, true),
           (p.succeeded_event, p.book, 'payment_intent.succeeded', p.now, succeeded_json, p.request, p.key, true);

    IF cardinality(p.deliveries) > 0 THEN
        INSERT INTO kernel_delivery (id, book_id, event_id, target, attempts_count, last_error)
        SELECT d.id, p.book, d.event, d.target, 0, ''
        FROM unnest(p.deliveries, p.delivery_events, p.delivery_targets) AS d (id, event, target);
    END IF;

    IF p.metadata <> '{}' THEN
        FOR key_name, key_value IN SELECT * FROM jsonb_each_text(p.metadata) LOOP
            INSERT INTO payments_metadataterm (book_id, kind, object_id, key, value)
            VALUES (p.book, 'payment_intent', p.intent, key_name, key_value),
                   (p.book, 'charge', p.attempt, key_name, key_value);
        END LOOP;
    END IF;

    -- Last, because a busy wallet's row is what others wait for.
    UPDATE payments_accountbalance SET posted_minor = posted_minor - p.amount
    WHERE account_id = wallet_account AND posted_minor - reserved_minor >= p.amount;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a guarded account lacks the amount' USING ERRCODE = 'LG001';
    END IF;
    RETURN true;
END
$$
