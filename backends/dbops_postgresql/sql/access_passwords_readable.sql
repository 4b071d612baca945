-- 13+, no privilege: whether pg_authid can be read; asked first, because a refusal would end the transaction.
SELECT pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT')
