-- 13+, SELECT on pg_largeobject: pages with their zeros cut off, since restoring fills holes with zeros.
SELECT (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata) AS rows,
       coalesce(pg_catalog.sum(pg_catalog.hashtextextended(x, 0)), 0)::text AS first,
       coalesce(pg_catalog.sum(pg_catalog.hashtextextended(x, 1)), 0)::text AS second
FROM (SELECT loid || ':' || pageno || ':' || pg_catalog.encode(pg_catalog.btrim(data, '\x00'::bytea), 'hex') AS x
      FROM pg_catalog.pg_largeobject
      WHERE pg_catalog.length(pg_catalog.btrim(data, '\x00'::bytea)) > 0 OFFSET 0) AS pages
