-- How full the log of each database is. SQL Server 2016+; VIEW SERVER STATE. Names in this view are filled up with
-- blanks.
SELECT RTRIM(c.instance_name) AS name,
       MAX(CASE WHEN RTRIM(c.counter_name) = 'Log File(s) Size (KB)' THEN c.cntr_value END) AS size_kb,
       MAX(CASE WHEN RTRIM(c.counter_name) = 'Log File(s) Used Size (KB)' THEN c.cntr_value END) AS used_kb
FROM sys.dm_os_performance_counters AS c
WHERE c.object_name LIKE '%:Databases%'
  AND RTRIM(c.counter_name) IN ('Log File(s) Size (KB)', 'Log File(s) Used Size (KB)')
  AND RTRIM(c.instance_name) <> '_Total'
GROUP BY RTRIM(c.instance_name)
