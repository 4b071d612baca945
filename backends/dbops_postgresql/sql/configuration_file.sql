-- 13+: a configuration file's text. Needs pg_read_server_files or EXECUTE on pg_read_file(text).
SELECT pg_catalog.pg_read_file(pg_catalog.current_setting(%(setting)s))
