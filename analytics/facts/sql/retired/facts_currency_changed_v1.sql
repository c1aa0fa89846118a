-- A payment that is still open may get another currency, and no event tells of it: the hour
-- in which it was made is noted here. All other changes that facts count are told
-- (analytics/facts/operations.py). Payments are inserted without it.
CREATE FUNCTION facts_currency_changed_v1() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO analytics_dirtyhour (book_id, hour_at)
    VALUES (NEW.book_id, date_bin('1 hour', NEW.created_at, 'epoch'))
    ON CONFLICT (book_id, hour_at) DO UPDATE SET hour_at = excluded.hour_at;
    RETURN NULL;
END
$$
