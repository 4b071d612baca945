-- The replicas of each availability group, with the state of others where this one is primary. SQL Server 2016+;
-- VIEW SERVER STATE and VIEW ANY DEFINITION.
SELECT g.name AS group_name, r.replica_server_name AS replica, r.availability_mode_desc AS mode,
       CONVERT(int, s.is_local) AS is_local, s.role_desc AS role, s.operational_state_desc AS operational,
       s.connected_state_desc AS connected, s.synchronization_health_desc AS health,
       s.last_connect_error_description AS error
FROM sys.availability_groups AS g
JOIN sys.availability_replicas AS r ON r.group_id = g.group_id
LEFT JOIN sys.dm_hadr_availability_replica_states AS s ON s.replica_id = r.replica_id AND s.group_id = r.group_id
ORDER BY g.name, r.replica_server_name
