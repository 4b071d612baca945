-- How full the log of each database is, which counters call by its physical name. Azure SQL Managed Instance;
-- VIEW SERVER STATE. Names in this view are filled up with blanks, and some have more behind 36 characters of name.
SELECT d.name,
       MAX(CASE WHEN RTRIM(c.counter_name) = 'Log File(s) Size (KB)' THEN c.cntr_value END) AS size_kb,
       MAX(CASE WHEN RTRIM(c.counter_name) = 'Log File(s) Used Size (KB)' THEN c.cntr_value END) AS used_kb
FROM sys.databases AS d
JOIN sys.dm_os_performance_counters AS c ON RTRIM(LEFT(c.instance_name, 36)) = d.physical_database_name
WHERE c.object_name LIKE '%:Databases%'
  AND RTRIM(c.counter_name) IN ('Log File(s) Size (KB)', 'Log File(s) Used Size (KB)')
GROUP BY d.name
