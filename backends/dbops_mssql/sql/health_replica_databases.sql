-- How far each database is on each replica that this one knows of. SQL Server 2016+; VIEW SERVER STATE and VIEW ANY
-- DEFINITION. Queues in KB, rates in KB per second.
SELECT g.name AS group_name, r.replica_server_name AS replica, c.database_name AS name,
       r.availability_mode_desc AS mode, CONVERT(int, d.is_local) AS is_local,
       CONVERT(int, d.is_primary_replica) AS is_primary, d.synchronization_state_desc AS state,
       d.synchronization_health_desc AS health, d.database_state_desc AS database_state,
       CONVERT(int, d.is_suspended) AS is_suspended, d.suspend_reason_desc AS suspend_reason,
       d.log_send_queue_size AS send_queue_kb, d.log_send_rate AS send_rate_kb, d.redo_queue_size AS redo_queue_kb,
       d.redo_rate AS redo_rate_kb, d.secondary_lag_seconds AS lag_s
FROM sys.dm_hadr_database_replica_states AS d
JOIN sys.availability_groups AS g ON g.group_id = d.group_id
JOIN sys.availability_replicas AS r ON r.replica_id = d.replica_id
LEFT JOIN sys.availability_databases_cluster AS c
       ON c.group_database_id = d.group_database_id AND c.group_id = d.group_id
ORDER BY g.name, c.database_name, r.replica_server_name
