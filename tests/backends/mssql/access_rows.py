"""A server as the rows that the questions about access answer: what a test sets, and what every server has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dbops.access.covered import Covered
from dbops.access.evaluator import evaluator
from dbops.access.naming import find, find_principal
from dbops.access.simulate import simulate
from dbops.errors import NotPermitted
from dbops.model.access import AccessSnapshot, Scope
from dbops.model.server import Server
from dbops_mssql.access.inspect import inspect
from dbops_mssql.access.parse import parse
from dbops_mssql.quoting import literal
from dbops_mssql.statement import text
from tests.simulators.mssql.permissions import BUILTIN

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SERVER_ROLES = (
    "sysadmin", "securityadmin", "serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin",
    "##MS_ServerStateReader##", "##MS_ServerStateManager##", "##MS_DefinitionReader##", "##MS_DatabaseConnector##",
    "##MS_DatabaseManager##", "##MS_LoginManager##", "##MS_SecurityDefinitionReader##",
    "##MS_PerformanceDefinitionReader##", "##MS_ServerSecurityStateReader##", "##MS_ServerPerformanceStateReader##",
)  # fmt: skip
DATABASE_ROLES = (
    "db_owner", "db_accessadmin", "db_securityadmin", "db_ddladmin", "db_backupoperator", "db_datareader",
    "db_datawriter", "db_denydatareader", "db_denydatawriter",
)  # fmt: skip
SA_SID = b"\x01"
Row = tuple[Any, ...]


def builtin(major: int = 16) -> list[Row]:
    """``sys.fn_builtin_permissions`` of a version, as the modelled instance has it."""
    found = (one for one in BUILTIN.values() if one.since <= major)
    return [(one.class_desc, one.name, one.covering, one.parent, one.parent_covering) for one in found]


def sid_of(name: str) -> bytes:
    return name.encode("utf-16-le")


@dataclass
class Database:
    """One database; ``parts`` gives numbers to what it has."""

    name: str
    number: int
    owner: bytes = SA_SID
    state: int = 0
    trustworthy: bool = False
    chaining: bool = False
    containment: int = 0
    access: bool = True
    visible: bool = True
    refuses: tuple[str, ...] = ()
    users: list[Row] = field(default_factory=list)
    members: list[Row] = field(default_factory=list)
    permissions: list[Row] = field(default_factory=list)
    schemas: list[Row] = field(default_factory=list)
    objects: list[Row] = field(default_factory=list)
    columns: list[Row] = field(default_factory=list)
    modules: list[Row] = field(default_factory=list)
    reads: list[Row] = field(default_factory=list)
    policies: list[Row] = field(default_factory=list)
    types: list[Row] = field(default_factory=list)
    securables: list[Row] = field(default_factory=list)
    extended: list[Row] = field(default_factory=list)
    signatures: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.users += [
            (0, "public", "R", b"p", 1, False, 0),
            (1, "dbo", "S", self.owner, None, False, 1),
            (2, "guest", "S", b"\x00", None, False, 0),
            (3, "INFORMATION_SCHEMA", "S", None, None, False, 0),
            (4, "sys", "S", None, None, False, 0),
        ]
        self.users += [(16384 + at, name, "R", b"", 1, True, 0) for at, name in enumerate(DATABASE_ROLES)]
        self.schemas += [(1, "dbo", 1), (2, "guest", 2), (3, "INFORMATION_SCHEMA", 3), (4, "sys", 4)]

    def id(self, name: str) -> int:
        found: int = next(row[0] for row in self.users if row[1] == name)
        return found

    def user(self, name: str, kind: str = "S", *, login: str | None = "", authentication: int = 1) -> Database:
        """:param login: the one that it is for, by default of its own name; None for one without a login."""
        sid = sid_of(f"no login of {name}") if login is None else sid_of(login or name)
        number = len(self.users) + 20
        self.users.append((number, name, kind, sid, 1, False, authentication))
        self.permissions.append((0, 0, 0, number, 1, "CONNECT", "G"))  # as CREATE USER does
        return self

    def role(self, name: str, kind: str = "R", *, owner: str = "dbo") -> Database:
        self.users.append((len(self.users) + 20, name, kind, b"", self.id(owner), False, 0))
        return self

    def member(self, member: str, role: str) -> Database:
        self.members.append((self.id(role), self.id(member)))
        return self

    def schema(self, name: str, owner: str = "dbo") -> Database:
        self.schemas.append((len(self.schemas) + 5, name, self.id(owner)))
        return self

    def thing(self, name: str, kind: str = "U", *, owner: str | None = None, shipped: bool = False) -> Database:
        """``schema.name`` of a type of ``sys.objects``."""
        schema, last = name.split(".")
        number = next(row[0] for row in self.schemas if row[1] == schema)
        mine = None if owner is None else self.id(owner)
        self.objects.append((1000 + len(self.objects), number, last, f"{kind:2}", mine, shipped))
        return self

    def object_id(self, name: str) -> int:
        schema, last = name.split(".")
        number = next(row[0] for row in self.schemas if row[1] == schema)
        found: int = next(row[0] for row in self.objects if row[1:3] == (number, last))
        return found

    def key(self, name: str, kind: int = 25, *, private: str = "MK", owner: str = "dbo") -> Database:
        """A certificate (or an asymmetric key, 26), whose SID is that of its name."""
        number = 500 + len(self.keys)
        self.securables.append((kind, number, name, self.id(owner)))
        self.keys.append((kind, number, sid_of(name), private))
        return self

    def sign(self, module: str, key: str) -> Database:
        self.signatures.append((self.object_id(module), sid_of(key)))
        return self

    def reading(self, module: str, *names: str) -> Database:
        """What a view or procedure stands on; three parts for something in another database."""
        for name in names:
            *other, schema, last = name.split(".")
            if other:
                self.reads.append((self.object_id(module), None, other[0], schema, last))
            else:
                self.reads.append((self.object_id(module), self.object_id(name), None, schema, last))
        return self


class Rows:
    """Implements :class:`dbops.spi.Reader` for the questions about access. ``sa`` owns all that is not said to be
    somebody else's; number 1 is sa, 2 is public."""

    def __init__(self, major: int = 16) -> None:
        self.major = major
        self.logins: list[Row] = [(1, "sa", "S", SA_SID, True, False, None, "master", True, False, "stored")]
        self.logins += [(2, "public", "R", b"2", False, False, 1, None, None, None, None)]
        names = [name for name in SERVER_ROLES if major >= 16 or not name.startswith("##")]
        self.logins += [
            (3 + at, name, "R", b"", False, True, 1, None, None, None, None) for at, name in enumerate(names)
        ]
        self.members: list[Row] = [(3, 1)]
        self.permissions: list[Row] = [(100, 0, 2, 1, "VIEW ANY DATABASE", "G"), (105, 2, 2, 1, "CONNECT", "G")]
        self.endpoints: list[Row] = [(2, "TSQL Local Machine", 1), (4, "TSQL Default TCP", 1)]
        self.settings: dict[str, int] = {}
        self.databases: dict[str, Database] = {}
        self.groups: dict[str, list[Row]] = {}
        self.linked: list[Row] = []
        self.builtin = builtin(major)
        self.visible = self.links_visible = True
        self.edition = ""
        self.inside: Database | None = None
        self.asked: list[str] = []

    # -- making a server ----------------------------------------------------------------------------------------------

    def login(
        self,
        name: str,
        kind: str = "S",
        *,
        disabled: bool = False,
        policy: bool = True,
        password: str = "stored",
    ) -> Rows:
        number = 259 + len(self.logins)
        sql = kind == "S"
        facts = (policy, False, password) if sql else (None, None, None)
        self.logins.append((number, name, kind, sid_of(name), disabled, False, None, "master", *facts))
        self.permissions.append((100, 0, number, 1, "CONNECT SQL", "G"))
        return self

    def role(self, name: str, owner: int = 1) -> Rows:
        self.logins.append((259 + len(self.logins), name, "R", b"", False, False, owner, None, None, None, None))
        return self

    def id(self, name: str) -> int:
        found: int = next(row[0] for row in self.logins if row[1] == name)
        return found

    def member(self, member: str, role: str) -> Rows:
        self.members.append((self.id(role), self.id(member)))
        return self

    def database(self, name: str, **facts: Any) -> Any:
        """Makes one while a server is made; as a reader it opens one."""
        if self.inside is None and name not in self.databases:
            made = self.databases[name] = Database(name, len(self.databases) + 1, **facts)
            return made
        return self._opened(name)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Rows]:
        found = self.databases[name]
        before, self.inside = self.inside, found
        try:
            yield self
        finally:
            self.inside = before

    # -- answering ----------------------------------------------------------------------------------------------------

    def scalar(self, sql: str, parameters: Mapping[str, object] | None = None) -> Any:
        return self.tuples(sql, parameters)[0][0]

    def tuples(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[Row]:
        assert not parameters
        if "xp_logininfo" in sql:
            return self._members(sql)
        for name, rows in self._answers().items():
            if sql == text(f"access_{name}"):
                self.asked.append(name)
                if self.inside is not None and name in self.inside.refuses:
                    raise NotPermitted(f"no right to ask {name}", reason="no_permission")
                return rows
        raise AssertionError(f"an unknown question: {sql}")

    def _members(self, sql: str) -> list[Row]:
        for group, rows in self.groups.items():
            if f"@acctname = {literal(group)},".lower() in sql.lower():
                return rows
        raise NotPermitted("The EXECUTE permission was denied on the object 'xp_logininfo'", reason="no_permission")

    def _answers(self) -> dict[str, list[Row]]:
        here = self.inside
        inside: dict[str, list[Row]] = {}
        if here is not None:
            inside = {
                "visible_here": [(int(here.visible),)],
                "users": here.users,
                "user_members": here.members,
                "user_permissions": here.permissions,
                "schemas": here.schemas,
                "objects": here.objects,
                "columns": here.columns,
                "modules": here.modules,
                "reads": here.reads,
                "policies": here.policies,
                "types": here.types,
                "securables": here.securables,
                "extended": here.extended,
                "signatures": here.signatures,
                "keys": here.keys,
            }
        return {
            "clock": [(NOW.replace(tzinfo=None),)],
            "visible": [(int(self.visible), 0, int(self.links_visible))],
            "builtin": self.builtin,
            "principals": self.logins,
            "members": self.members,
            "permissions": self.permissions,
            "endpoints": self.endpoints,
            "linked": self.linked,
            "settings": list(self.settings.items()),
            "databases": [
                (one.name, one.owner, one.state, one.trustworthy, one.chaining, one.containment, int(one.access))
                for one in self.databases.values()
            ],
            **inside,
        }

    # -- judging ------------------------------------------------------------------------------------------------------

    def server(self, database: str = "master") -> Server:
        return Server(
            engine="mssql",
            version=(self.major, 0),
            version_text=str(self.major),
            role="primary",
            incarnation="a server",
            edition=self.edition,
            database=database,
        )

    def snapshot(self, sql: str = "", database: str = "") -> AccessSnapshot:
        """The server after some statements."""
        first = database or next((name for name in self.databases if name != "master"), "master")
        reader: Any = self  # the rest of a Reader is not asked for
        found = inspect(reader, self.server(first), Scope())
        return simulate(found, parse(sql, found)) if sql else found

    def effective(self, sql: str = "", database: str = "") -> Covered:
        judged = evaluator(self.snapshot(sql, database), NOW)
        assert isinstance(judged, Covered)
        return judged


def may(effective: Covered, who: str, action: str, what: str, *, usable: bool = False) -> bool:
    """Whether somebody holds an action on something, both as people write them."""
    found = effective.snapshot
    one = found.objects[find(found, what)]
    holders = effective.usable(one, action) if usable else effective.nominal(one, action)
    return bool(holders >> find_principal(found, who) & 1)
