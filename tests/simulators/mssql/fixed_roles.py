"""What the fixed roles give, from the pages Server-level roles and Database-level roles."""

from __future__ import annotations

SERVER_GIVEN: dict[str, frozenset[str]] = {
    "securityadmin": frozenset({"ALTER ANY LOGIN"}),
    "serveradmin": frozenset(
        {
            "ALTER ANY ENDPOINT",
            "ALTER RESOURCES",
            "ALTER SERVER STATE",
            "ALTER SETTINGS",
            "SHUTDOWN",
            "VIEW SERVER STATE",
        }
    ),
    "setupadmin": frozenset({"ALTER ANY LINKED SERVER"}),
    "processadmin": frozenset({"ALTER ANY CONNECTION", "ALTER SERVER STATE"}),
    "diskadmin": frozenset({"ALTER RESOURCES"}),
    "dbcreator": frozenset({"CREATE ANY DATABASE", "ALTER ANY DATABASE"}),
    "bulkadmin": frozenset({"ADMINISTER BULK OPERATIONS"}),
    "##MS_ServerStateReader##": frozenset({"VIEW SERVER STATE"}),
    "##MS_ServerStateManager##": frozenset({"ALTER SERVER STATE"}),
    "##MS_DefinitionReader##": frozenset({"VIEW ANY DATABASE", "VIEW ANY DEFINITION"}),
    "##MS_DatabaseConnector##": frozenset({"CONNECT ANY DATABASE"}),
    "##MS_DatabaseManager##": frozenset({"CREATE ANY DATABASE", "ALTER ANY DATABASE"}),
    "##MS_LoginManager##": frozenset({"CREATE LOGIN", "ALTER ANY LOGIN"}),
    "##MS_SecurityDefinitionReader##": frozenset({"VIEW ANY SECURITY DEFINITION"}),
    "##MS_PerformanceDefinitionReader##": frozenset({"VIEW ANY PERFORMANCE DEFINITION"}),
    "##MS_ServerSecurityStateReader##": frozenset({"VIEW SERVER SECURITY STATE"}),
    "##MS_ServerPerformanceStateReader##": frozenset({"VIEW SERVER PERFORMANCE STATE"}),
}
_DDL = """ALTER ANY ASSEMBLY|ALTER ANY ASYMMETRIC KEY|ALTER ANY CERTIFICATE|ALTER ANY CONTRACT
ALTER ANY DATABASE DDL TRIGGER|ALTER ANY DATABASE EVENT NOTIFICATION|ALTER ANY DATASPACE|ALTER ANY FULLTEXT CATALOG
ALTER ANY MESSAGE TYPE|ALTER ANY REMOTE SERVICE BINDING|ALTER ANY ROUTE|ALTER ANY SCHEMA|ALTER ANY SERVICE
ALTER ANY SYMMETRIC KEY|CHECKPOINT|CREATE AGGREGATE|CREATE DEFAULT|CREATE FUNCTION|CREATE PROCEDURE|CREATE QUEUE
CREATE RULE|CREATE SYNONYM|CREATE TABLE|CREATE TYPE|CREATE VIEW|CREATE XML SCHEMA COLLECTION|REFERENCES"""
DATABASE_GIVEN: dict[str, frozenset[str]] = {
    "db_owner": frozenset({"CONTROL"}),
    "db_accessadmin": frozenset({"ALTER ANY USER", "CREATE SCHEMA", "CONNECT"}),
    "db_securityadmin": frozenset({"ALTER ANY APPLICATION ROLE", "ALTER ANY ROLE", "CREATE SCHEMA", "VIEW DEFINITION"}),
    "db_ddladmin": frozenset(_DDL.replace("\n", "|").split("|")),
    "db_backupoperator": frozenset({"BACKUP DATABASE", "BACKUP LOG", "CHECKPOINT"}),
    "db_datareader": frozenset({"SELECT"}),
    "db_datawriter": frozenset({"INSERT", "UPDATE", "DELETE"}),
}
DATABASE_DENIED: dict[str, frozenset[str]] = {
    "db_denydatareader": frozenset({"SELECT"}),
    "db_denydatawriter": frozenset({"INSERT", "UPDATE", "DELETE"}),
}
