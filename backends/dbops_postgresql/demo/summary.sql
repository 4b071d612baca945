-- 14+, superuser: how large the shop is.
SELECT (SELECT sum(pg_database_size(oid)) / 1000000 FROM pg_database WHERE NOT datistemplate)::int,
       (SELECT count(*) FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'),
       (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
       (SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'),
       (SELECT count(*) FROM pg_roles WHERE rolname !~ '^pg_')
