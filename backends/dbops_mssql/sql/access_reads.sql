-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database: what code and views stand on.
SELECT DISTINCT
    referencing_id, referenced_id, referenced_database_name, referenced_schema_name, referenced_entity_name
FROM sys.sql_expression_dependencies
WHERE referencing_class = 1 AND referenced_class = 1 AND referenced_server_name IS NULL
