-- 13+, SELECT on the table: rows, and two sums of 64-bit hashes over the hashes of each row's values. A sum does not depend
-- on the order and counts equal rows each time; two seeds make an accident as good as impossible.
SELECT count(*) AS rows,
       coalesce(pg_catalog.sum(pg_catalog.hashtextextended(x, 0)), 0)::text AS first,
       coalesce(pg_catalog.sum(pg_catalog.hashtextextended(x, 1)), 0)::text AS second
FROM (SELECT :row AS x FROM ONLY :table AS t OFFSET 0) AS rows
