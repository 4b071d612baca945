-- Prepared transactions: they hold locks and the xmin horizon, and survive restarts. PostgreSQL 13+; no privilege.
SELECT gid, database, owner AS role, EXTRACT(epoch FROM clock_timestamp() - prepared)::float8 AS age_s,
       age(transaction)::bigint AS xid_age
FROM pg_prepared_xacts
ORDER BY prepared
