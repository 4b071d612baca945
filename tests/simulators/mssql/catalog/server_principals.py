"""Logins, server roles and what they may do on the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql import azure
from tests.simulators.mssql.model import Principal
from tests.simulators.mssql.permissions import BUILTIN
from tests.simulators.mssql.registry import view
from tests.simulators.mssql.rights import CLASSES, Securable, has_server, server_identities, server_right
from tests.simulators.mssql.scope import Scope

Row = Mapping[str, object]
TYPES = {
    "S": "SQL_LOGIN",
    "U": "WINDOWS_LOGIN",
    "G": "WINDOWS_GROUP",
    "R": "SERVER_ROLE",
    "C": "CERTIFICATE_MAPPED_LOGIN",
    "K": "ASYMMETRIC_KEY_MAPPED_LOGIN",
    "E": "EXTERNAL_LOGIN",
    "X": "EXTERNAL_GROUP",
}
STATES = {"G": "GRANT", "W": "GRANT_WITH_GRANT_OPTION", "D": "DENY", "R": "REVOKE"}
CLASS_DESCRIPTIONS = {100: "SERVER", 101: "SERVER_PRINCIPAL", 105: "ENDPOINT", 108: "AVAILABILITY_GROUP"}

PRINCIPALS = """
    name sysname
    principal_id int
    sid varbinary(85)?
    type char(1)
    type_desc nvarchar(60)?
    is_disabled bit?
    create_date datetime
    modify_date datetime
    default_database_name sysname?
    default_language_name sysname?
    credential_id int?
    owning_principal_id int?
    is_fixed_role bit
    tenant_id uniqueidentifier? 16+
"""


def visible(scope: Scope, found: Principal) -> bool:
    """One's own login, sa, the fixed roles and those that one is in; all with a permission that shows them."""
    session = scope.session
    if not azure.shows_role(session, found.name, fixed=found.is_fixed_role):
        return False
    login = session.identity.login
    if login is None:
        return found.is_fixed_role or found.principal_id in {1, 2}
    if found.is_fixed_role or found.principal_id in {1, 2} | server_identities(session, login):
        return True
    role = found.type == "R"
    any_right = "ALTER ANY SERVER ROLE" if role else "ALTER ANY LOGIN"
    securable = Securable("SERVER ROLE" if role else "LOGIN", 101, found.principal_id, found.owner)
    return (
        has_server(session, any_right)
        or has_server(session, "VIEW ANY DEFINITION")
        or has_server(session, "VIEW ANY SECURITY DEFINITION")
        or server_right(session, login, "VIEW DEFINITION", securable)
    )


def _principal(found: Principal) -> dict[str, object]:
    role = found.type == "R"
    return {
        "name": found.name,
        "principal_id": found.principal_id,
        "sid": found.sid,
        "type": found.type,
        "type_desc": TYPES[found.type],
        "is_disabled": found.is_disabled,
        "create_date": found.create_date,
        "modify_date": found.modify_date,
        "default_database_name": None if role else found.default_database,
        "default_language_name": None if role else found.default_language,
        "owning_principal_id": found.owner if role else None,
        "is_fixed_role": found.is_fixed_role,
    }


@view("sys.server_principals", PRINCIPALS)
def server_principals(scope: Scope) -> Iterator[Row]:
    return (_principal(one) for one in scope.state.principals.values() if visible(scope, one))


@view(
    "sys.sql_logins",
    PRINCIPALS
    + """
    is_policy_checked bit?
    is_expiration_checked bit?
    password_hash varbinary(256)?
""",
)
def sql_logins(scope: Scope) -> Iterator[Row]:
    wanted = "VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION" if scope.instance.major >= 16 else "CONTROL SERVER"
    hashes = has_server(scope.session, wanted)
    for one in scope.state.principals.values():
        if one.type == "S" and visible(scope, one):
            yield {
                **_principal(one),
                "is_policy_checked": one.is_policy_checked,
                "is_expiration_checked": one.is_expiration_checked,
                "password_hash": one.password_hash if hashes else None,
            }


@view("sys.server_role_members", "role_principal_id int\nmember_principal_id int")
def server_role_members(scope: Scope) -> Iterator[Row]:
    principals = scope.state.principals
    for role, member in scope.state.members:
        if visible(scope, principals[role]) and visible(scope, principals[member]):
            yield {"role_principal_id": role, "member_principal_id": member}


@view(
    "sys.server_permissions",
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
)
def server_permissions(scope: Scope) -> Iterator[Row]:
    """Rows about principals that one may see, as grantee or as the securable."""
    for one in scope.state.permissions:
        if visible(scope, scope.state.principals[one.grantee]):
            yield {
                "class": one.class_,
                "class_desc": CLASS_DESCRIPTIONS[one.class_],
                "major_id": one.major_id,
                "minor_id": one.minor_id,
                "grantee_principal_id": one.grantee,
                "grantor_principal_id": one.grantor,
                "type": code(CLASSES[one.class_], one.name),
                "permission_name": one.name,
                "state": one.state,
                "state_desc": STATES[one.state],
            }


def code(class_desc: str, name: str) -> str:
    """Four characters, as in the ``char(4)`` of the catalog."""
    return BUILTIN[class_desc, name].type.ljust(4)
