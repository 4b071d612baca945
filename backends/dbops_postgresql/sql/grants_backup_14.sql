-- backup: pg_dump reads every schema, table and sequence. This includes pg_authid, and so the password verifiers
-- that pg_dumpall --globals-only stores, without which restored logins have no password. A managed service keeps
-- pg_authid closed: there roles can only be dumped without passwords.
GRANT pg_read_all_data TO :login;
