-- Certificates of master: without them and their keys, encrypted backups and databases never open again. SQL Server 2016+.
-- Needs VIEW DEFINITION on the certificates (from 2022 on: VIEW ANY SECURITY DEFINITION).
SELECT c.name, CONVERT(varchar(42), c.thumbprint, 1) AS thumbprint, c.pvt_key_last_backup_date
  FROM master.sys.certificates AS c
 WHERE c.pvt_key_encryption_type = 'MK' AND c.name NOT LIKE '##%'
 ORDER BY c.name
