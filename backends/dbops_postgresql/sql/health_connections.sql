-- Connections in use and how many there can be for ordinary logins. PostgreSQL 13+; pg_monitor for the states.
-- Without it the sum of numbackends is taken, which nobody is kept from seeing; it includes parallel workers.
WITH seen AS (
  SELECT bool_or(backend_type IS NULL) AS hidden,
         count(*) FILTER (WHERE backend_type = 'client backend') AS clients,
         count(*) FILTER (WHERE backend_type = 'client backend' AND state = 'active') AS active,
         count(*) FILTER (WHERE backend_type = 'client backend' AND state = 'idle') AS idle,
         count(*) FILTER (WHERE backend_type = 'client backend' AND state LIKE 'idle in transaction%') AS idle_in_transaction
  FROM pg_stat_activity
)
SELECT CASE WHEN hidden THEN (SELECT sum(numbackends)::bigint FROM pg_stat_database) ELSE clients END AS used,
       CASE WHEN NOT hidden THEN active END AS active,
       CASE WHEN NOT hidden THEN idle END AS idle,
       CASE WHEN NOT hidden THEN idle_in_transaction END AS idle_in_transaction,
       current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
         + COALESCE(current_setting('reserved_connections', true)::int, 0) AS reserved
FROM seen
