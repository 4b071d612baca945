-- 13+, SELECT on pg_authid: how each role's password is stored; never the verifier itself.
SELECT a.oid::int8,
       CASE WHEN a.rolpassword IS NULL THEN 'none'
            WHEN a.rolpassword LIKE 'SCRAM-SHA-256$%' THEN 'scram-sha-256'
            WHEN a.rolpassword LIKE 'md5%' THEN 'md5'
            ELSE 'other' END
FROM pg_catalog.pg_authid a
