-- MySQL 8.0+, needs PROCESS: tablespaces outside of the data directory (DATA DIRECTORY, ADD DATAFILE '/…').
SELECT FILE_NAME FROM information_schema.FILES
WHERE ENGINE = 'InnoDB' AND FILE_TYPE = 'TABLESPACE' AND (FILE_NAME LIKE '/%' OR FILE_NAME LIKE '_:%') ORDER BY 1
