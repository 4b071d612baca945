-- MySQL 8.0+, MariaDB 10.6+, any privilege on a table: tables by database, kind and engine; bytes by the engine's count.
-- `loose`: names (JSON) of those whose engine has no transactions, so that no snapshot holds them still.
SELECT t.TABLE_SCHEMA AS name, t.TABLE_TYPE AS kind, COALESCE(t.ENGINE, '') AS engine, COUNT(*) AS tables,
       CAST(COALESCE(SUM(t.DATA_LENGTH + t.INDEX_LENGTH + CASE WHEN t.ENGINE = 'InnoDB' THEN 0 ELSE t.DATA_FREE END), 0)
            AS UNSIGNED) AS bytes,
       CASE WHEN e.TRANSACTIONS = 'YES' OR t.TABLE_TYPE LIKE '%VIEW' OR t.TABLE_TYPE = 'SEQUENCE' THEN '[]'
            ELSE JSON_ARRAYAGG(t.TABLE_NAME) END AS loose
FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
GROUP BY t.TABLE_SCHEMA, t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS
ORDER BY 1, 2, 3
