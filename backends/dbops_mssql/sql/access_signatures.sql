-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database: code that is signed, by the SID of the key. What is
-- countersigned gets no rights by that.
SELECT p.major_id, c.sid
FROM sys.crypt_properties AS p
INNER JOIN sys.certificates AS c ON c.thumbprint = p.thumbprint
WHERE p.class = 1 AND p.crypt_type = 'SPVC'
UNION ALL
SELECT p.major_id, a.sid
FROM sys.crypt_properties AS p
INNER JOIN sys.asymmetric_keys AS a ON a.thumbprint = p.thumbprint
WHERE p.class = 1 AND p.crypt_type = 'SPVA'
