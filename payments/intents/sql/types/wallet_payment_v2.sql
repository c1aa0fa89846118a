-- What pay_wallets_v3 is given of a payment, as one value: the server reads one literal far
-- faster than forty arguments. The events' JSON goes beside it. The order is that of hot_path.pay.
CREATE TYPE wallet_payment_v2 AS (
    book uuid, now timestamptz,
    key text, fingerprint bytea, request text,
    customer uuid, method uuid, amount bigint, currency text, unit text,
    order_id uuid, line uuid, line_description text,
    intent uuid, intent_types jsonb, capture_method text, description text, receipt_email text,
    descriptor text, descriptor_suffix text, transfer_group text, shipping jsonb, metadata jsonb,
    attempt uuid, fee_rate integer, fee bigint,
    entry uuid, reference text, payer_transfer uuid, fee_transfer uuid, merchant_account uuid, fees_account uuid,
    created_event uuid, charge_event uuid, succeeded_event uuid,
    deliveries uuid[], delivery_events uuid[], delivery_targets text[]
)
