"""The state of one modelled instance, as mutable records whose fields are named like the columns of the catalog.

Nothing here knows T-SQL. A transaction, a backup or a restore copies these records whole: they hold no connections.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from tests.simulators.mssql.answers import Message

SERVER = 100
"""``class`` of a permission on the server itself, in ``sys.server_permissions``."""
DATABASE, OBJECT, SCHEMA, PRINCIPAL = 0, 1, 3, 4


@dataclass
class Permission:
    """One stored row of ``sys.server_permissions`` or ``sys.database_permissions``."""

    class_: int
    major_id: int
    minor_id: int
    grantee: int
    grantor: int
    name: str
    state: str
    """``G`` grant, ``W`` grant with grant option, ``D`` deny, ``R`` revoke (a column's exception)."""


@dataclass
class Principal:
    """A login, a server role, a user, a database role or an application role."""

    name: str
    principal_id: int
    type: str
    sid: bytes | None
    create_date: datetime
    modify_date: datetime
    is_fixed_role: bool = False
    owner: int | None = None
    # of logins
    is_disabled: bool = False
    default_database: str = "master"
    default_language: str = "us_english"
    password_hash: bytes | None = None
    is_policy_checked: bool = True
    is_expiration_checked: bool = False
    must_change: bool = False
    bad_passwords: int = 0
    is_locked: bool = False
    password_last_set: datetime | None = None
    credential: str | None = None
    # of users
    default_schema: str | None = None
    user_language: str | None = None
    authentication: str = "NONE"
    """``NONE``, ``INSTANCE``, ``DATABASE``, ``WINDOWS`` or ``EXTERNAL``."""
    allow_encrypted_value_modifications: bool = False


@dataclass
class Column:
    name: str
    column_id: int
    type: str
    nullable: bool = True
    identity: bool = False
    computed: str | None = None
    default: str | None = None


@dataclass
class Schema:
    name: str
    schema_id: int
    owner: int


@dataclass
class Object:
    """A row of ``sys.objects``; a table keeps its own rows here."""

    name: str
    object_id: int
    schema_id: int
    type: str
    create_date: datetime
    modify_date: datetime
    owner: int | None = None
    parent: int = 0
    is_shipped: bool = False
    columns: list[Column] = field(default_factory=list)
    rows: list[tuple[object, ...]] = field(default_factory=list)
    key: tuple[str, ...] = ()
    definition: str | None = None
    """The query of a view, the body of a program."""
    text: str | None = None
    """The whole statement that made it, as ``sys.sql_modules`` gives it."""
    execute_as: int | None = None
    """``execute_as_principal_id``: None is CALLER, -2 is OWNER."""
    base: str | None = None
    """What a synonym stands for."""
    returns: str | None = None
    parameters: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class File:
    file_id: int
    type: int
    name: str
    physical_name: str
    size: int
    """Pages of 8 KiB, as in ``sys.database_files``."""
    max_size: int = -1
    growth: int = 8192
    is_percent_growth: bool = False
    used: int = 0
    file_guid: uuid.UUID | None = None


@dataclass
class Database:
    name: str
    database_id: int
    owner_sid: bytes
    create_date: datetime
    options: dict[str, object] = field(default_factory=dict)
    """Columns of ``sys.databases`` that differ from those of a new database: ``{"recovery_model": 1}``."""
    last_good_check: str = "1900-01-01 00:00:00.000"
    """When DBCC CHECKDB last found it whole, as DATABASEPROPERTYEX gives it; this is never."""
    principals: dict[int, Principal] = field(default_factory=dict)
    members: list[tuple[int, int]] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)
    schemas: dict[int, Schema] = field(default_factory=dict)
    objects: dict[int, Object] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    """Rows of this database's views that a test has set."""
    refusal: Message | None = None
    """What is said to whoever opens it, where its state is not all that closes it (976, 983 …)."""
    next_object: int = 581577110
    next_principal: int = 5
    next_schema: int = 5
    database_guid: uuid.UUID = field(default_factory=uuid.uuid4)
    family_guid: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def state(self) -> int:
        """``sys.databases.state``: 0 ONLINE, 1 RESTORING, 6 OFFLINE …"""
        found = self.options.get("state", 0)
        assert isinstance(found, int)
        return found


@dataclass
class State:
    """Everything that a transaction can take back."""

    principals: dict[int, Principal] = field(default_factory=dict)
    members: list[tuple[int, int]] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)
    databases: dict[int, Database] = field(default_factory=dict)
    configurations: dict[str, int] = field(default_factory=dict)
    """Values in use, by the name in ``sys.configurations``, where they are not the default."""
    pending: dict[str, int] = field(default_factory=dict)
    """Values that are configured and wait for RECONFIGURE, or for a restart."""
    rows: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    """Rows of server-wide views that a test has set."""
    next_principal: int = 259


Same = Callable[[str, str], bool]
"""Whether two names are one under the collation at hand."""


def folded(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def exact(one: str, other: str) -> bool:
    return one == other


def named(principals: dict[int, Principal], name: str, same: Same) -> Principal | None:
    return next((one for one in principals.values() if same(one.name, name)), None)


def roles_of(principal_id: int, members: list[tuple[int, int]]) -> set[int]:
    """The roles that a principal is in, directly or through other roles; ``members`` are (role, member)."""
    found: set[int] = set()
    waiting = [principal_id]
    while waiting:
        one = waiting.pop()
        new = {role for role, member in members if member == one} - found
        found |= new
        waiting += new
    return found


def members_of(role_id: int, members: list[tuple[int, int]]) -> Iterator[int]:
    return (member for role, member in members if role == role_id)
