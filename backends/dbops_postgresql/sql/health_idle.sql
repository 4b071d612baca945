-- Sessions that hold a transaction open and do nothing. PostgreSQL 13+; pg_monitor, else other roles' are hidden.
SELECT pid, datname AS database, usename AS role, application_name AS application, host(client_addr) AS client, state,
       EXTRACT(epoch FROM clock_timestamp() - state_change)::float8 AS idle_s,
       EXTRACT(epoch FROM clock_timestamp() - xact_start)::float8 AS transaction_s,
       age(backend_xmin)::bigint AS xmin_age, backend_xid IS NOT NULL AS has_written
FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%'
ORDER BY state_change
