-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database: keys that code can be signed with (NA: without the
-- private part, they cannot sign), and the SID of whoever was made from them.
SELECT 25 AS class, certificate_id AS major_id, sid, pvt_key_encryption_type FROM sys.certificates
UNION ALL
SELECT 26, asymmetric_key_id, sid, pvt_key_encryption_type FROM sys.asymmetric_keys
