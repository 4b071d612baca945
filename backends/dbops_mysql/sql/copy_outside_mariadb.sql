-- MariaDB 10.6+, needs PROCESS: tablespaces outside of the data directory (DATA DIRECTORY).
SELECT FILENAME FROM information_schema.INNODB_SYS_TABLESPACES
WHERE SPACE > 0 AND NAME NOT LIKE 'innodb%' AND (FILENAME LIKE '/%' OR FILENAME LIKE '_:%') ORDER BY 1
