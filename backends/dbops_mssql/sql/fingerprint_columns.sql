-- The stored columns of every table, the smallest table first. SQL Server 2016+; needs VIEW DEFINITION in the database.
SELECT s.name AS schema_name, t.name AS table_name, c.name AS column_name, y.name AS type_name,
       (SELECT SUM(p.rows) FROM sys.partitions AS p WHERE p.object_id = t.object_id AND p.index_id IN (0, 1)) AS row_count
  FROM sys.tables AS t
  JOIN sys.schemas AS s ON s.schema_id = t.schema_id
  JOIN sys.columns AS c ON c.object_id = t.object_id
  JOIN sys.types AS y ON y.user_type_id = c.system_type_id OR (c.system_type_id = 240 AND y.user_type_id = c.user_type_id)
 WHERE t.is_ms_shipped = 0 AND t.is_external = 0 AND c.is_computed = 0
 ORDER BY row_count, s.name, t.name, c.column_id
