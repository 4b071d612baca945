"""An instance as setup leaves it: its principals, its system databases, what public may do."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from tests.simulators.mssql import azure
from tests.simulators.mssql.model import Column, Database, File, Object, Permission, Principal, Schema, State
from tests.simulators.mssql.passwords import hashed
from tests.simulators.mssql.registry import VIEWS

if TYPE_CHECKING:
    from tests.simulators.mssql.instance import Instance

SETUP = datetime.fromisoformat("2003-04-08 09:10:35.897")
"""What the catalog gives as ``create_date`` of whatever setup brought."""
ROLES = {
    2: "public",
    3: "sysadmin",
    4: "securityadmin",
    5: "serveradmin",
    6: "setupadmin",
    7: "processadmin",
    8: "diskadmin",
    9: "dbcreator",
    10: "bulkadmin",
}
ROLES_2022 = {
    11: "##MS_ServerStateReader##",
    12: "##MS_ServerStateManager##",
    13: "##MS_DefinitionReader##",
    14: "##MS_DatabaseConnector##",
    15: "##MS_DatabaseManager##",
    16: "##MS_LoginManager##",
    17: "##MS_SecurityDefinitionReader##",
    18: "##MS_PerformanceDefinitionReader##",
    19: "##MS_ServerSecurityStateReader##",
    20: "##MS_ServerPerformanceStateReader##",
}
CERTIFICATES = {
    101: "##MS_SQLResourceSigningCertificate##",
    102: "##MS_SQLReplicationSigningCertificate##",
    103: "##MS_SQLAuthenticatorCertificate##",
    105: "##MS_PolicySigningCertificate##",
}
INTERNAL = {256: "##MS_PolicyEventProcessingLogin##", 257: "##MS_PolicyTsqlExecutionLogin##"}
DATABASE_ROLES = {
    16384: "db_owner",
    16385: "db_accessadmin",
    16386: "db_securityadmin",
    16387: "db_ddladmin",
    16389: "db_backupoperator",
    16390: "db_datareader",
    16391: "db_datawriter",
    16392: "db_denydatareader",
    16393: "db_denydatawriter",
}
SA_SID = b"\x01"
GUEST_SID = b"\x00"
FOR_EVERYBODY = ("suspect_pages",)
"""Of msdb: the documentation says that whoever may enter reads it."""


def fresh_state(instance: Instance, sa_password: str, *, contained: bool) -> State:
    state = State()
    roles = {**ROLES, **(ROLES_2022 if instance.major >= 16 else {})}
    state.principals[1] = _login(1, "sa", "S", sid=SA_SID, found=hashed(sa_password), when=instance.started)
    for number, name in roles.items():
        state.principals[number] = Principal(
            name, number, "R", bytes([number]), SETUP, SETUP, is_fixed_role=number != 2, owner=1
        )
    for number, name in CERTIFICATES.items():
        state.principals[number] = _login(number, name, "C", sid=_sid(name), found=None, when=SETUP)
    for number, name in INTERNAL.items():
        found = _login(number, name, "S", sid=_sid(name), found=hashed(uuid.uuid4().hex), when=SETUP)
        found.is_disabled = True
        state.principals[number] = found
    state.members = [(3, 1)]
    state.permissions = [
        *(Permission(100, 0, 0, one, 1, "CONNECT SQL", "G") for one in state.principals if one == 1 or one > 100),
        Permission(100, 0, 0, 2, 1, "VIEW ANY DATABASE", "G"),
        *(Permission(105, endpoint, 0, 2, 1, "CONNECT", "G") for endpoint in (2, 3, 4, 5)),
    ]
    if contained:
        state.configurations["contained database authentication"] = 1
    for number, name in enumerate(("master", "tempdb", "model", "msdb"), 1):
        state.databases[number] = new_database(name, number, SA_SID, SETUP if number != 2 else instance.started)
        state.databases[number].options.update(_SYSTEM[name])
        _shipped_tables(state.databases[number])
    if instance.azure:
        _as_in_azure(state)
    return state


def _as_in_azure(state: State) -> None:
    """No logins of the server's own, and roles of ``master`` for who may make databases and logins."""
    for number in (*CERTIFICATES, *INTERNAL):
        del state.principals[number]
    state.permissions = [one for one in state.permissions if one.grantee in state.principals and one.class_ == 100]
    master = state.databases[1]
    for name in azure.DATABASE_ROLES:
        number = master.next_principal
        master.principals[number] = Principal(name, number, "R", _sid(name), SETUP, SETUP, owner=1)
        master.next_principal += 1


def _shipped_tables(found: Database) -> None:
    """Tables that only this database has, as things that rights can be given on; their rows are those of the view."""
    for number, one in enumerate(one for one in VIEWS.values() if one.database == found.name):
        name = one.name.removeprefix("dbo.")
        columns = [Column(field.name, place, field.type, field.nullable) for place, field in enumerate(one.fields, 1)]
        table = Object(name, 5575058 + number, 1, "U", SETUP, SETUP, is_shipped=True, columns=columns)
        found.objects[table.object_id] = table
        if name in FOR_EVERYBODY:
            found.permissions.append(Permission(1, table.object_id, 0, 0, 1, "SELECT", "G"))


_SYSTEM: dict[str, dict[str, object]] = {
    "master": {"recovery_model": 3, "is_db_chaining_on": True},
    "tempdb": {"recovery_model": 3, "is_db_chaining_on": True},
    "model": {"recovery_model": 1},
    "msdb": {"recovery_model": 3, "is_db_chaining_on": True, "is_trustworthy_on": True, "is_broker_enabled": True},
}


def _sid(name: str) -> bytes:
    return uuid.uuid5(uuid.NAMESPACE_OID, name).bytes


def _login(number: int, name: str, kind: str, *, sid: bytes, found: bytes | None, when: datetime) -> Principal:
    return Principal(name, number, kind, sid, when, when, password_hash=found, password_last_set=when)


def new_database(name: str, number: int, owner_sid: bytes, when: datetime) -> Database:
    """With what every database has: its special users, fixed roles and schemas, and CONNECT of dbo."""
    made = Database(name, number, owner_sid, when)
    made.principals = {
        0: Principal("public", 0, "R", bytes([1, 5, 0, 0, 0, 0, 0, 9, *[4] * 16]), SETUP, SETUP, owner=1),
        1: Principal("dbo", 1, "S", owner_sid, SETUP, when, default_schema="dbo", authentication="INSTANCE"),
        2: Principal("guest", 2, "S", GUEST_SID, SETUP, SETUP, default_schema="guest"),
        3: Principal("INFORMATION_SCHEMA", 3, "S", None, SETUP, SETUP),
        4: Principal("sys", 4, "S", None, SETUP, SETUP),
    }
    for role, text in DATABASE_ROLES.items():
        sid = bytes.fromhex("01050000000000090400000000000000000000000000000000") + role.to_bytes(3, "big")
        made.principals[role] = Principal(text, role, "R", sid, SETUP, SETUP, is_fixed_role=True, owner=1)
    made.members = [(16384, 1)]
    names = {1: "dbo", 2: "guest", 3: "INFORMATION_SCHEMA", 4: "sys", **DATABASE_ROLES}
    made.schemas = {key: Schema(text, key, key) for key, text in names.items()}
    made.permissions = [
        Permission(0, 0, 0, 1, 1, "CONNECT", "G"),
        Permission(0, 0, 0, 0, 1, "VIEW ANY COLUMN ENCRYPTION KEY DEFINITION", "G"),
        Permission(0, 0, 0, 0, 1, "VIEW ANY COLUMN MASTER KEY DEFINITION", "G"),
    ]
    if name in {"master", "tempdb", "msdb"}:
        made.permissions.append(Permission(0, 0, 0, 2, 1, "CONNECT", "G"))
    made.files = _files(name)
    return made


def _files(name: str) -> list[File]:
    folder = "/var/opt/mssql/data"
    data, log = {
        "master": ("master", "mastlog"),
        "tempdb": ("tempdev", "templog"),
        "model": ("modeldev", "modellog"),
        "msdb": ("MSDBData", "MSDBLog"),
    }.get(name, (name, f"{name}_log"))
    return [
        File(1, 0, data, f"{folder}/{data}.mdf", 1024, used=400, file_guid=uuid.uuid4()),
        File(2, 1, log, f"{folder}/{log}.ldf", 1024, max_size=268435456, used=10, file_guid=uuid.uuid4()),
    ]
