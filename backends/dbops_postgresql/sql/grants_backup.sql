-- backup: REPLICATION takes base backups. Whoever has it can copy every byte of the cluster.
-- BYPASSRLS: pg_dump stops at a table whose row-level security would hide rows from it.
ALTER ROLE :login REPLICATION BYPASSRLS;

-- backup: sizes, WAL rate and settings, which a plan is made from.
GRANT pg_monitor TO :login;

-- backup: pg_hba.conf must let the login in for replication as well, for example by the line
--   host  replication  :login  ADDRESS/32  scram-sha-256
