-- 13+, no privilege (pg_read_all_settings for those of superusers): settings that somebody set. A standby's password
-- is in primary_conninfo, so it is left out.
SELECT name::text AS name, setting AS value, coalesce(unit, '') AS unit, source::text AS source
FROM pg_catalog.pg_settings
WHERE source NOT IN ('default', 'override', 'client', 'session') AND name <> 'primary_conninfo'
ORDER BY name
