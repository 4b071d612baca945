-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database.
SELECT 6 AS class, user_type_id AS major_id, name, schema_id, principal_id
FROM sys.types
WHERE is_user_defined = 1
UNION ALL
SELECT 10, xml_collection_id, name, schema_id, principal_id
FROM sys.xml_schema_collections
WHERE xml_collection_id > 1
