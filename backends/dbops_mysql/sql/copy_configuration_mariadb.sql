-- MariaDB 10.6+, no privilege: global variables that are not what the server was compiled with.
SELECT LOWER(VARIABLE_NAME) AS name, COALESCE(GLOBAL_VALUE, '') AS value, GLOBAL_VALUE_ORIGIN AS source,
       COALESCE(GLOBAL_VALUE_PATH, '') AS path
FROM information_schema.SYSTEM_VARIABLES
WHERE GLOBAL_VALUE_ORIGIN IS NOT NULL AND GLOBAL_VALUE_ORIGIN NOT IN ('COMPILE-TIME', 'AUTO') ORDER BY 1
