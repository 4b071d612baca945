-- backup: what msdb remembers of backups and restores, those of others too.
USE [msdb];
IF USER_ID(:text) IS NULL
    CREATE USER :login FOR LOGIN :login;
GRANT SELECT ON [dbo].[backupset] TO :login;
GRANT SELECT ON [dbo].[backupmediaset] TO :login;
GRANT SELECT ON [dbo].[backupmediafamily] TO :login;
GRANT SELECT ON [dbo].[backupfile] TO :login;
GRANT SELECT ON [dbo].[restorehistory] TO :login;
USE [master];

-- backup: where the files of databases are, and how far a backup is.
GRANT VIEW ANY DATABASE, VIEW ANY DEFINITION, VIEW SERVER STATE TO :login;

-- backup: reads the headers of backups, and restores. It may also make, change and drop databases of its own, and
-- change or drop those of others.
ALTER SERVER ROLE [dbcreator] ADD MEMBER :login;

-- backup: in every database that is to be backed up, and in [model] for those that are yet to be made:
--   USE [shop];
--   CREATE USER :login FOR LOGIN :login;
--   ALTER ROLE [db_backupoperator] ADD MEMBER :login;
