-- The jobs of the agent that belong to a login, and run with its rights. SQL Server 2016+; SELECT on sysjobs in msdb.
SELECT CONVERT(nvarchar(36), j.job_id) AS id, j.name
FROM msdb.dbo.sysjobs AS j
WHERE j.owner_sid = SUSER_SID(%(login)s)
ORDER BY j.name
