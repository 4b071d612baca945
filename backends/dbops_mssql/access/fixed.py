"""What comes with every SQL Server and stands in no row: fixed roles, dbo, guest, public.

Sources: the roles of 2022 are a table of
https://learn.microsoft.com/sql/relational-databases/security/authentication-access/server-level-roles, those before it
only a picture there ("Permissions of server roles for SQL Server 2019 and earlier"), in which securityadmin has ALTER
ANY LOGIN and nothing else. What it says in words besides, that this role grants and denies permissions of the server
"and should be treated as equivalent to the sysadmin role", is a way to more and no permission: see ``escalates``.
"The CONTROL SERVER permission is similar but not identical to the sysadmin fixed server role": it is not sysadmin here.
"""

from __future__ import annotations

from dbops.model.access import Covering, Fixed

__all__ = ["COVERING", "SYSTEM_DATABASES"]

SYSTEM_DATABASES = ("master", "model", "msdb", "tempdb")

_SERVER = {
    "sysadmin": "CONTROL SERVER",
    "serveradmin": "ALTER ANY ENDPOINT, ALTER RESOURCES, ALTER SERVER STATE, ALTER SETTINGS, SHUTDOWN, "
    "VIEW SERVER STATE",
    "securityadmin": "ALTER ANY LOGIN",
    "processadmin": "ALTER ANY CONNECTION, ALTER SERVER STATE",
    "setupadmin": "ALTER ANY LINKED SERVER",
    "bulkadmin": "ADMINISTER BULK OPERATIONS",
    "diskadmin": "ALTER RESOURCES",
    "dbcreator": "ALTER ANY DATABASE, CREATE ANY DATABASE",
    "##MS_DatabaseConnector##": "CONNECT ANY DATABASE",
    "##MS_LoginManager##": "CREATE LOGIN, ALTER ANY LOGIN",
    "##MS_DatabaseManager##": "CREATE ANY DATABASE, ALTER ANY DATABASE",
    "##MS_ServerStateManager##": "ALTER SERVER STATE",
    "##MS_ServerStateReader##": "VIEW SERVER STATE",
    "##MS_ServerPerformanceStateReader##": "VIEW SERVER PERFORMANCE STATE",
    "##MS_ServerSecurityStateReader##": "VIEW SERVER SECURITY STATE",
    "##MS_DefinitionReader##": "VIEW ANY DATABASE, VIEW ANY DEFINITION",
    "##MS_PerformanceDefinitionReader##": "VIEW ANY PERFORMANCE DEFINITION",
    "##MS_SecurityDefinitionReader##": "VIEW ANY SECURITY DEFINITION",
}
_DDL = (
    "ALTER ANY ASSEMBLY, ALTER ANY ASYMMETRIC KEY, ALTER ANY CERTIFICATE, ALTER ANY CONTRACT, "
    "ALTER ANY DATABASE DDL TRIGGER, ALTER ANY DATABASE EVENT NOTIFICATION, ALTER ANY DATASPACE, "
    "ALTER ANY FULLTEXT CATALOG, ALTER ANY MESSAGE TYPE, ALTER ANY REMOTE SERVICE BINDING, ALTER ANY ROUTE, "
    "ALTER ANY SCHEMA, ALTER ANY SERVICE, ALTER ANY SYMMETRIC KEY, CHECKPOINT, CREATE AGGREGATE, CREATE DEFAULT, "
    "CREATE FUNCTION, CREATE PROCEDURE, CREATE QUEUE, CREATE RULE, CREATE SYNONYM, CREATE TABLE, CREATE TYPE, "
    "CREATE VIEW, CREATE XML SCHEMA COLLECTION, REFERENCES"
)
_DATABASE = {
    "db_owner": "CONTROL",
    "db_accessadmin": "ALTER ANY USER, CREATE SCHEMA, CONNECT",
    "db_securityadmin": "ALTER ANY APPLICATION ROLE, ALTER ANY ROLE, CREATE SCHEMA, VIEW DEFINITION",
    "db_ddladmin": _DDL,
    "db_backupoperator": "BACKUP DATABASE, BACKUP LOG, CHECKPOINT",
    "db_datareader": "SELECT",
    "db_datawriter": "INSERT, UPDATE, DELETE",
}
_DENIED = {"db_denydatareader": "SELECT", "db_denydatawriter": "INSERT, UPDATE, DELETE"}


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split(", "))


COVERING = Covering(
    unbound="sysadmin",
    owner="dbo",
    guest="guest",
    everybody="public",
    enters="CONNECT",
    connects="CONNECT SQL",
    nobody="WITHOUT LOGIN",
    accounts={"login": "IMPERSONATE", "user": "IMPERSONATE", "role": "", "application_role": "", "server_role": ""},
    alters="ALTER",
    strong="CONTROL SERVER",
    escalates=("securityadmin",),
    fixed=(
        *(Fixed(role, "server", _split(words)) for role, words in _SERVER.items()),
        *(Fixed(role, "database", _split(words)) for role, words in _DATABASE.items()),
        *(Fixed(role, "database", (), _split(words)) for role, words in _DENIED.items()),
    ),
)
