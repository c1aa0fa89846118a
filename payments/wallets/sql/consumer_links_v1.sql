-- The merchants' customers who are one consumer. It crosses books, which row-level security hides
-- from the app role, and takes the consumer first.
CREATE FUNCTION consumer_links_v1(p_consumer uuid)
RETURNS TABLE (book_id uuid, customer_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.book_id, c.id FROM payments_customer c
    WHERE c.consumer_id = p_consumer AND c.deleted_at IS NULL
    ORDER BY c.id DESC
    LIMIT 200
$$
