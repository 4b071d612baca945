-- MySQL 8.0+, needs PROCESS: encrypted tablespaces.
SELECT NAME FROM information_schema.INNODB_TABLESPACES WHERE ENCRYPTION = 'Y' ORDER BY 1
