-- A whole wallet payment in one call, in autocommit: idempotency key with its answer, order
-- and line, intent, attempt, entry, transfers, guarded balance, events and their deliveries.
--
-- The rules stay in Python: every value is given, nothing is decided here but what only
-- the database can know at this moment. What it finds otherwise (no mandate, another
-- customer, not enough money, no account yet) is PW001 or LG001: the statement leaves
-- nothing behind, and the caller takes the general road, which says why.
--
-- Returns 'done', or 'replay' with what the key's first request was answered.
CREATE FUNCTION pay_wallet_v1(
    p_book uuid, p_now timestamptz,
    p_key text, p_fingerprint bytea, p_request text, p_response text,
    p_customer uuid, p_method uuid, p_amount bigint, p_currency text, p_unit text,
    p_order uuid, p_line uuid, p_line_description text,
    p_intent uuid, p_intent_types text, p_capture_method text, p_description text, p_receipt_email text,
    p_descriptor text, p_descriptor_suffix text, p_transfer_group text, p_shipping text, p_metadata text,
    p_attempt uuid, p_fee_rate integer, p_fee bigint,
    p_entry uuid, p_reference text, p_transfers uuid[], p_merchant_account uuid, p_fees_account uuid,
    p_events uuid[], p_event_types text[], p_event_data text[],
    p_deliveries uuid[], p_delivery_events uuid[], p_delivery_targets text[]
) RETURNS TABLE (outcome text, fingerprint bytea, status smallint, body text, request_id text)
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    wallet_account uuid;
    key_name text;
    key_value text;
BEGIN
    PERFORM set_config('app.book', p_book::text, true);

    IF p_key IS NOT NULL THEN
        -- Waits for a first request with this key that is still at work, then replays it.
        INSERT INTO kernel_idempotencykey (book_id, key, fingerprint, status, body, request_id, moved_money)
        VALUES (p_book, p_key, p_fingerprint, 200, p_response, p_request, true)
        ON CONFLICT (book_id, key) DO NOTHING;
        IF NOT FOUND THEN
            RETURN QUERY SELECT 'replay', k.fingerprint, k.status, k.body, k.request_id
                FROM kernel_idempotencykey k WHERE k.book_id = p_book AND k.key = p_key;
            RETURN;
        END IF;
    END IF;

    SELECT w.account_id INTO wallet_account
    FROM payments_paymentmethod pm
    JOIN payments_mandate m ON m.book_id = p_book AND m.id = pm.mandate_id
    JOIN payments_wallet w ON w.id = m.wallet_id
    WHERE pm.book_id = p_book AND pm.id = p_method AND pm.customer_id = p_customer AND pm.detached_at IS NULL
        AND pm.billing_details = '{}'::jsonb
        AND m.revoked_at IS NULL AND (m.expires_at IS NULL OR m.expires_at > p_now)
        AND (m.limit_minor IS NULL OR m.limit_minor >= p_amount) AND w.currency = p_currency;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'take the general road' USING ERRCODE = 'PW001';
    END IF;

    INSERT INTO payments_order (id, book_id, customer_id, status, is_implicit, currency, total_minor, paid_minor,
        refunded_minor, metadata, created_at)
    VALUES (p_order, p_book, p_customer, 'paid', true, p_currency, p_amount, p_amount, 0, '{}', p_now);

    INSERT INTO payments_orderline (id, book_id, order_id, description, category, quantity, unit_price_minor,
        discount_minor, tax_minor, amount_minor, refunded_minor, refunded_quantity)
    VALUES (p_line, p_book, p_order, p_line_description, '', 1, p_amount, 0, 0, p_amount, 0, 0);

    INSERT INTO payments_paymentintent (id, book_id, order_id, customer_id, payment_method_id, status, amount_minor,
        received_minor, currency, capture_method, confirmation_method, payment_method_types, latest_attempt_id,
        description, receipt_email, statement_descriptor, statement_descriptor_suffix, transfer_group, shipping,
        metadata, created_at)
    VALUES (p_intent, p_book, p_order, p_customer, p_method, 'succeeded', p_amount,
        p_amount, p_currency, p_capture_method, 'automatic', p_intent_types::jsonb, p_attempt,
        p_description, p_receipt_email, p_descriptor, p_descriptor_suffix, p_transfer_group, p_shipping::jsonb,
        p_metadata::jsonb, p_now);

    INSERT INTO payments_entry (id, book_id, reference, kind, source_id, unit, amount_minor, fee_minor, effective_at,
        available_at)
    VALUES (p_entry, p_book, p_reference, 'charge', p_attempt, p_unit, p_amount, p_fee, p_now, p_now);

    INSERT INTO payments_attempt (id, book_id, intent_id, customer_id, payment_method_id, method, status, amount_minor,
        captured_minor, refunded_minor, currency, fee_rate_ppm, fee_minor, entry_id, description, receipt_email,
        statement_descriptor, statement_descriptor_suffix, transfer_group, shipping, billing_details, metadata,
        created_at)
    VALUES (p_attempt, p_book, p_intent, p_customer, p_method, 'wallet', 'captured', p_amount,
        p_amount, 0, p_currency, p_fee_rate, p_fee, p_entry, p_description, p_receipt_email,
        p_descriptor, p_descriptor_suffix, p_transfer_group, p_shipping::jsonb, '{}', p_metadata::jsonb,
        p_now);

    INSERT INTO payments_transfer (id, book_id, entry_id, debit_account_id, credit_account_id, unit, amount_minor)
    SELECT t.id, p_book, p_entry, t.debit, t.credit, p_unit, t.amount
    FROM (VALUES (p_transfers[1], wallet_account, p_merchant_account, p_amount),
                 (p_transfers[2], p_merchant_account, p_fees_account, p_fee)) AS t (id, debit, credit, amount)
    WHERE t.amount > 0;

    INSERT INTO kernel_event (id, book_id, type, created_at, data, request_id, idempotency_key, is_public)
    SELECT e.id, p_book, e.type, p_now, e.data, p_request, p_key, true
    FROM unnest(p_events, p_event_types, p_event_data) AS e (id, type, data);

    IF cardinality(p_deliveries) > 0 THEN
        INSERT INTO kernel_delivery (id, book_id, event_id, target, attempts_count, last_error)
        SELECT d.id, p_book, d.event, d.target, 0, ''
        FROM unnest(p_deliveries, p_delivery_events, p_delivery_targets) AS d (id, event, target);
    END IF;

    IF p_metadata <> '{}' THEN
        FOR key_name, key_value IN SELECT * FROM jsonb_each_text(p_metadata::jsonb) LOOP
            INSERT INTO payments_metadataterm (book_id, kind, object_id, key, value)
            VALUES (p_book, 'payment_intent', p_intent, key_name, key_value),
                   (p_book, 'charge', p_attempt, key_name, key_value);
        END LOOP;
    END IF;

    -- Last, because a busy wallet's row is what others wait for.
    UPDATE payments_accountbalance SET posted_minor = posted_minor - p_amount
    WHERE account_id = wallet_account AND posted_minor - reserved_minor >= p_amount;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a guarded account lacks the amount' USING ERRCODE = 'LG001';
    END IF;

    RETURN QUERY SELECT 'done', NULL::bytea, 200::smallint, NULL::text, NULL::text;
END
$$
