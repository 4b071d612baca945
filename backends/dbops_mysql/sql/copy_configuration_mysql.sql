-- MySQL 8.0+, SELECT on performance_schema: global variables that are not what the server was compiled with.
SELECT v.VARIABLE_NAME AS name, COALESCE(g.VARIABLE_VALUE, '') AS value, v.VARIABLE_SOURCE AS source,
       COALESCE(v.VARIABLE_PATH, '') AS path
FROM performance_schema.variables_info v JOIN performance_schema.global_variables g USING (VARIABLE_NAME)
WHERE v.VARIABLE_SOURCE <> 'COMPILED' ORDER BY 1
