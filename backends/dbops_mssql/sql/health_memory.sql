-- The memory of the machine, and how much of it the server may take. SQL Server 2016+; VIEW SERVER STATE.
SELECT m.total_physical_memory_kb AS total_kb, m.available_physical_memory_kb AS available_kb,
       CONVERT(int, m.system_low_memory_signal_state) AS low_signal, m.system_memory_state_desc AS state,
       CONVERT(bigint, c.value_in_use) AS limit_mb
FROM sys.dm_os_sys_memory AS m
CROSS JOIN sys.configurations AS c
WHERE c.name = 'max server memory (MB)'
