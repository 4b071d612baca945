-- How many sessions hide what they do. PostgreSQL 13+; no privilege: that is what is measured.
SELECT count(*) FILTER (WHERE backend_type IS NULL) AS hidden, count(*) AS total FROM pg_stat_activity
