-- health: sessions, waits, memory, volumes, logs and replicas. From 2022 on a narrower right is enough.
GRANT VIEW SERVER STATE TO :login;

-- health: the state of every database and the size of its files, without a look at its tables.
GRANT VIEW ANY DATABASE, VIEW ANY DEFINITION, CONNECT ANY DATABASE TO :login;

-- health: what msdb remembers of backups, damaged pages and jobs.
USE [msdb];
IF USER_ID(:text) IS NULL
    CREATE USER :login FOR LOGIN :login;
GRANT SELECT ON [dbo].[backupset] TO :login;
GRANT SELECT ON [dbo].[backupmediafamily] TO :login;
GRANT SELECT ON [dbo].[suspect_pages] TO :login;
GRANT SELECT ON [dbo].[sysjobs] TO :login;
GRANT SELECT ON [dbo].[sysjobservers] TO :login;
USE [master];
