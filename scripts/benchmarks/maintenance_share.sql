-- Returns the share of :seconds seconds in which a statement of the service maintenance ran. Looks
-- a hundred times a second.
SELECT set_config('bench.samples', (100 * :seconds)::text, false) AS samples \gset
DO $$
DECLARE
    running integer := 0;
BEGIN
    FOR sample IN 1..current_setting('bench.samples')::integer LOOP
        -- Otherwise the view would not change within a transaction.
        PERFORM pg_stat_clear_snapshot();
        IF EXISTS (
            SELECT FROM pg_stat_activity WHERE usename = 'maintenance' AND state = 'active'
        ) THEN
            running := running + 1;
        END IF;
        PERFORM pg_sleep(0.01);
    END LOOP;
    PERFORM set_config('bench.running', running::text, false);
END
$$;
SELECT current_setting('bench.running')::float / :samples;
