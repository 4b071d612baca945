-- How far each sequence is, and the narrowest column that it feeds: by ownership, identity or a default.
-- PostgreSQL 13+; SELECT or USAGE on each sequence, without which (or while it is locked) its position is NULL.
-- By pages of the oid: reading a position locks the sequence until the end of the statement.
WITH here AS MATERIALIZED (
  SELECT oid FROM pg_database WHERE datname = current_database()
), closed AS MATERIALIZED (
  SELECT l.relation FROM pg_locks l, here
  WHERE l.database = here.oid AND l.relation IS NOT NULL
    AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
), page AS MATERIALIZED (
  SELECT c.oid, n.nspname, c.relname,
         has_sequence_privilege(c.oid, 'SELECT, USAGE') AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery()) AS readable,
         EXISTS (SELECT FROM closed WHERE closed.relation = c.oid) AS locked
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND c.oid::bigint > %(after)s
  ORDER BY c.oid
  LIMIT %(page)s
)
SELECT page.oid::bigint AS oid, page.nspname AS schema, page.relname AS name, page.readable, page.locked,
       q.seqincrement AS increment, q.seqmin AS minimum, q.seqmax AS maximum, q.seqcycle AS cycles,
       CASE WHEN page.readable AND NOT page.locked THEN pg_sequence_last_value(page.oid) END AS last_value,
       fed.column_name, fed.column_type, fed.column_schema, fed.column_table
FROM page
JOIN pg_sequence q ON q.seqrelid = page.oid
LEFT JOIN LATERAL (
  SELECT cn.nspname AS column_schema, cc.relname AS column_table, a.attname AS column_name, base.typname AS column_type
  FROM (
    SELECT d.refobjid AS relation, d.refobjsubid AS number
    FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = page.oid AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i')
    UNION
    SELECT ad.adrelid, ad.adnum
    FROM pg_depend d JOIN pg_attrdef ad ON ad.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = page.oid
  ) AS user_of
  JOIN pg_attribute a ON a.attrelid = user_of.relation AND a.attnum = user_of.number
  JOIN pg_class cc ON cc.oid = a.attrelid
  JOIN pg_namespace cn ON cn.oid = cc.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type base ON base.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  ORDER BY base.typname = 'int2' DESC, base.typname = 'int4' DESC, cc.oid, a.attnum
  LIMIT 1
) fed ON true
ORDER BY page.oid
