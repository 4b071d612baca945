-- Settings that can cost data, for the server and where a role or database differs. PostgreSQL 13+; no privilege.
WITH watched AS (
  SELECT unnest(ARRAY['fsync', 'full_page_writes', 'zero_damaged_pages', 'ignore_checksum_failure',
    'ignore_system_indexes', 'data_checksums', 'autovacuum', 'track_counts', 'allow_system_table_mods']) AS name
), overrides AS (
  SELECT split_part(one, '=', 1) AS name, substr(one, strpos(one, '=') + 1) AS setting,
         concat_ws(' ', CASE WHEN d.datname IS NOT NULL THEN 'in database ' || d.datname END,
                        CASE WHEN r.rolname IS NOT NULL THEN 'for role ' || r.rolname END) AS place
  FROM pg_db_role_setting s
  CROSS JOIN unnest(s.setconfig) AS one
  LEFT JOIN pg_database d ON d.oid = s.setdatabase
  LEFT JOIN pg_roles r ON r.oid = s.setrole
)
SELECT w.name, s.setting, '' AS place FROM watched w LEFT JOIN pg_settings s USING (name)
UNION ALL
SELECT name, setting, place FROM overrides WHERE name IN (SELECT name FROM watched)
ORDER BY 1, 3
