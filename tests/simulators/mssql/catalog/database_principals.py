"""Users, roles and what they may do in a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.catalog.server_principals import STATES, code
from tests.simulators.mssql.model import Principal
from tests.simulators.mssql.registry import view
from tests.simulators.mssql.rights import CLASSES, DATABASE, Securable, has, user_identities
from tests.simulators.mssql.scope import Scope

Row = Mapping[str, object]
TYPES = {
    "S": "SQL_USER",
    "U": "WINDOWS_USER",
    "G": "WINDOWS_GROUP",
    "R": "DATABASE_ROLE",
    "A": "APPLICATION_ROLE",
    "C": "CERTIFICATE_MAPPED_USER",
    "K": "ASYMMETRIC_KEY_MAPPED_USER",
    "E": "EXTERNAL_USER",
    "X": "EXTERNAL_GROUPS",
}
AUTHENTICATION = {"NONE": 0, "INSTANCE": 1, "DATABASE": 2, "WINDOWS": 3, "EXTERNAL": 4}
CLASS_DESCRIPTIONS = {
    0: "DATABASE",
    1: "OBJECT_OR_COLUMN",
    3: "SCHEMA",
    4: "DATABASE_PRINCIPAL",
    5: "ASSEMBLY",
    6: "TYPE",
    10: "XML_SCHEMA_COLLECTION",
    24: "SYMMETRIC_KEYS",
    25: "CERTIFICATE",
    26: "ASYMMETRIC_KEY",
}


def visible(scope: Scope, found: Principal) -> bool:
    """Oneself, the users and roles that every database has, and the roles that one is in."""
    if found.is_fixed_role or found.principal_id in {0, 1, 2, 3, 4}:
        return True
    if found.principal_id in user_identities(scope.session, scope.database):
        return True
    role = found.type == "R"
    securable = Securable("ROLE" if role else "USER", 4, found.principal_id, found.owner)
    rights = (("ALTER ANY ROLE" if role else "ALTER ANY USER", DATABASE), ("VIEW DEFINITION", securable))
    return any(has(scope.session, name, one, scope.database) for name, one in rights)


@view(
    "sys.database_principals",
    """
    name sysname
    principal_id int
    type char(1)
    type_desc nvarchar(60)?
    default_schema_name sysname?
    create_date datetime
    modify_date datetime
    owning_principal_id int?
    sid varbinary(85)?
    is_fixed_role bit
    authentication_type int
    authentication_type_desc nvarchar(60)?
    default_language_name sysname?
    default_language_lcid int?
    allow_encrypted_value_modifications bit
    tenant_id uniqueidentifier? 16+
""",
    per_database=True,
)
def database_principals(scope: Scope) -> Iterator[Row]:
    for found in scope.database.principals.values():
        if visible(scope, found):
            yield {
                "name": found.name,
                "principal_id": found.principal_id,
                "type": found.type,
                "type_desc": TYPES[found.type],
                "default_schema_name": found.default_schema,
                "create_date": found.create_date,
                "modify_date": found.modify_date,
                "owning_principal_id": found.owner,
                "sid": found.sid,
                "is_fixed_role": found.is_fixed_role,
                "authentication_type": AUTHENTICATION[found.authentication],
                "authentication_type_desc": found.authentication,
                "default_language_name": found.user_language,
                "allow_encrypted_value_modifications": found.allow_encrypted_value_modifications,
            }


@view("sys.database_role_members", "role_principal_id int\nmember_principal_id int", per_database=True)
def database_role_members(scope: Scope) -> Iterator[Row]:
    principals = scope.database.principals
    mine = user_identities(scope.session, scope.database)
    every = has(scope.session, "VIEW DEFINITION", DATABASE, scope.database)
    for role, member in scope.database.members:
        if every or member in mine or (visible(scope, principals[role]) and visible(scope, principals[member])):
            yield {"role_principal_id": role, "member_principal_id": member}


@view(
    "sys.database_permissions",
    """
    class tinyint
    class_desc nvarchar(60)?
    major_id int
    minor_id int
    grantee_principal_id int
    grantor_principal_id int
    type char(4)
    permission_name nvarchar(128)?
    state char(1)
    state_desc nvarchar(60)?
""",
    per_database=True,
)
def database_permissions(scope: Scope) -> Iterator[Row]:
    principals = scope.database.principals
    shown = {key for key, one in principals.items() if visible(scope, one)}
    for one in scope.database.permissions:
        if one.grantee in shown:
            yield {
                "class": one.class_,
                "class_desc": CLASS_DESCRIPTIONS[one.class_],
                "major_id": one.major_id,
                "minor_id": one.minor_id,
                "grantee_principal_id": one.grantee,
                "grantor_principal_id": one.grantor,
                "type": code(class_of(principals, one.class_, one.major_id), one.name),
                "permission_name": one.name,
                "state": one.state,
                "state_desc": STATES[one.state],
            }


def class_of(principals: dict[int, Principal], number: int, major_id: int) -> str:
    """The class in ``sys.fn_builtin_permissions``: of principals it tells users, roles and application roles apart."""
    if number != 4:
        return CLASSES[number]
    return {"R": "ROLE", "A": "APPLICATION ROLE"}.get(principals[major_id].type, "USER")
