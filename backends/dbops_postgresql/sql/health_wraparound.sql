-- Age of the oldest transaction and multixact ids by database, templates included. PostgreSQL 13+; no privilege.
SELECT datname AS database, age(datfrozenxid)::bigint AS xid_age, mxid_age(datminmxid)::bigint AS mxid_age,
       current_setting('autovacuum_freeze_max_age')::bigint AS xid_freeze_max_age,
       current_setting('autovacuum_multixact_freeze_max_age')::bigint AS mxid_freeze_max_age
FROM pg_database
ORDER BY datname
