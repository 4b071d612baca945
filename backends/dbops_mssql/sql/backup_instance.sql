-- What the instance is and which clock it has. SQL Server 2016+ and Managed Instance; needs no privilege.
SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ServerName')) AS server_name,
       CONVERT(nvarchar(128), SERVERPROPERTY('Edition')) AS edition,
       CONVERT(int, SERVERPROPERTY('EngineEdition')) AS engine_edition,
       CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')) AS version,
       DATEDIFF(minute, GETUTCDATE(), GETDATE()) AS zone
