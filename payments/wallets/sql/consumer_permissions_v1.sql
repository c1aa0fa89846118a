-- The mandates by which merchants may take from a consumer's wallets, each with the payment method
-- that uses it. It crosses books, which row-level security hides from the app role, and takes the
-- consumer first. A method without a customer is of one payment and ends with it.
CREATE FUNCTION consumer_permissions_v1(p_consumer uuid, p_now timestamptz)
RETURNS TABLE (
    id uuid, book_id uuid, method_id uuid, wallet_id uuid, limit_minor bigint, expires_at timestamptz,
    created_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT m.id, m.book_id, p.id, m.wallet_id, m.limit_minor, m.expires_at, m.created_at
    FROM payments_wallet w
    JOIN payments_mandate m ON m.wallet_id = w.id AND m.revoked_at IS NULL
        AND (m.expires_at IS NULL OR m.expires_at > p_now)
    JOIN payments_paymentmethod p ON p.book_id = m.book_id AND p.mandate_id = m.id
        AND p.customer_id IS NOT NULL AND p.detached_at IS NULL
    WHERE w.consumer_id = p_consumer
    ORDER BY m.id DESC
    LIMIT 200
$$
