-- Which databases there are to ask in, and why this login cannot. PostgreSQL 13+; no privilege.
-- Templates are left out: a session in template1 would make CREATE DATABASE fail.
SELECT d.datname AS name,
       CASE WHEN d.datconnlimit = -2 THEN 'not_reachable'  -- a DROP DATABASE that was interrupted
            WHEN NOT has_database_privilege(d.oid, 'CONNECT') THEN 'no_permission' END AS missing
FROM pg_database d
WHERE d.datallowconn AND NOT d.datistemplate
ORDER BY d.datname
