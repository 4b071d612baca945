-- The jobs of the agent that are enabled, and how each of them ended. SQL Server 2016+; SELECT on msdb's sysjobs and
-- sysjobservers. Dates and times are whole numbers, 20260501 and 223000.
SELECT CONVERT(nvarchar(36), j.job_id) AS id, j.name, s.last_run_outcome AS outcome,
       s.last_outcome_message AS message, s.last_run_date AS run_date, s.last_run_time AS run_time
FROM msdb.dbo.sysjobs AS j
JOIN msdb.dbo.sysjobservers AS s ON s.job_id = j.job_id
WHERE j.enabled = 1
ORDER BY j.name
