-- SQL Server 2016+, Azure SQL. VIEW DEFINITION on the database: what lies in it and in no schema.
SELECT 5 AS class, assembly_id AS major_id, name, principal_id FROM sys.assemblies WHERE is_user_defined = 1
UNION ALL
SELECT 15, message_type_id, name, principal_id FROM sys.service_message_types WHERE message_type_id > 65535
UNION ALL
SELECT 16, service_contract_id, name, principal_id FROM sys.service_contracts WHERE service_contract_id > 65535
UNION ALL
SELECT 17, service_id, name, principal_id FROM sys.services WHERE service_id > 65535
UNION ALL
SELECT 18, remote_service_binding_id, name, principal_id FROM sys.remote_service_bindings
UNION ALL
SELECT 19, route_id, name, principal_id FROM sys.routes WHERE route_id > 65535
UNION ALL
SELECT 23, fulltext_catalog_id, name, principal_id FROM sys.fulltext_catalogs
UNION ALL
SELECT 24, symmetric_key_id, name, principal_id FROM sys.symmetric_keys
UNION ALL
SELECT 25, certificate_id, name, principal_id FROM sys.certificates
UNION ALL
SELECT 26, asymmetric_key_id, name, principal_id FROM sys.asymmetric_keys
UNION ALL
SELECT 29, stoplist_id, name, principal_id FROM sys.fulltext_stoplists
UNION ALL
SELECT 31, property_list_id, name, principal_id FROM sys.registered_search_property_lists
UNION ALL
SELECT 32, credential_id, name, principal_id FROM sys.database_scoped_credentials
