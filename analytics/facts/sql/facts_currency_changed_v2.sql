-- A payment that is still open may get another currency, and no event tells of it: the quarter
-- of an hour in which it was made is noted here. All other changes that facts count are told
-- (analytics/facts/operations.py). Payments are inserted without it.
CREATE FUNCTION facts_currency_changed_v2() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO analytics_dirtyquarter (book_id, quarter_at)
    VALUES (NEW.book_id, date_bin('15 minutes', NEW.created_at, 'epoch'))
    ON CONFLICT (book_id, quarter_at) DO UPDATE SET quarter_at = excluded.quarter_at;
    RETURN NULL;
END
$$
