-- Segments that wait to be archived. PostgreSQL 13+; pg_monitor.
SELECT count(*) AS ready, EXTRACT(epoch FROM clock_timestamp() - min(modification))::float8 AS oldest_s
FROM pg_ls_archive_statusdir()
WHERE name LIKE '%.ready'
