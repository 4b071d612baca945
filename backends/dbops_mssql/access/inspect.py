"""One reading of a server's access: the server first, then one pass of set-based questions for each database.

In Azure SQL Database there is no server that could be asked: logins and roles of the server are rows of another
database (``master``), where no permissions can be granted. The one database of the session is read, others are not.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dbops.errors import DbopsError
from dbops.model.access import AccessSnapshot, Grant, Scope
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.spi import Reader
from dbops_mssql.access.fixed import SYSTEM_DATABASES
from dbops_mssql.access.groups import read_groups
from dbops_mssql.access.inside import READ, Inside
from dbops_mssql.access.kinds import Builtin, rules
from dbops_mssql.access.people import PUBLIC_ID, Login, Logins, People
from dbops_mssql.access.things import Things
from dbops_mssql.reach import reach
from dbops_mssql.statement import text

__all__ = ["inspect"]

# Any: rows as the driver gives them; their types are in the files of the questions.
Row = tuple[Any, ...]
ON_SERVER, ON_PRINCIPAL, ON_ENDPOINT = 100, 101, 105
NOT_READ = {108: "availability_group", 34: "external_language"}
ONLINE = 0
_ELSEWHERE = Missing("not_reachable", "Azure SQL Database: a database is asked in its own session")
CONTAINED = 1


def inspect(reader: Reader, server: Server, scope: Scope) -> AccessSnapshot:
    """Everything that the login is shown. A database that cannot be read is missing, with the reason."""
    building = _Building(reader, server)
    building.server_level()
    for name in building.databases(scope):
        building.database(name)
    building.things.resolve()
    return building.snapshot()


class _Building:
    """The growing snapshot."""

    def __init__(self, reader: Reader, server: Server) -> None:
        self._reader, self._server = reader, server
        self.taken_at: datetime = reader.scalar(text("access_clock")).replace(tzinfo=UTC)
        self.rules = rules(Builtin(*row) for row in reader.tuples(text("access_builtin")))
        self.people = People()
        self.things = Things(self.rules)
        self.missing: dict[str, Missing] = {}
        self.kinds_missing: dict[str, Missing] = {}
        self._containment: dict[str, bool] = {}
        self._shown = True
        self._reach = reach(server)
        self._home = self.things.add("server", (), -1, ())
        # Nothing can be configured where sessions stay in their databases.
        asked = reader.tuples(text("access_settings")) if self._reach.crosses else ()
        self._settings: dict[str, int] = dict(asked)

    def snapshot(self) -> AccessSnapshot:
        """What was read."""
        return AccessSnapshot(
            engine=self._server.engine,
            version=self._server.version,
            incarnation=self._server.incarnation,
            taken_at=self.taken_at,
            rules=self.rules,
            principals=tuple(self.people.all),
            memberships=tuple(self.people.memberships),
            objects=tuple(self.things.all),
            acls=tuple(self.things.lists),
            databases_missing=self.missing,
            kinds_missing=self.kinds_missing,
            database=self._server.database,
        )

    # -- the server ---------------------------------------------------------------------------------------------------

    def server_level(self) -> None:
        """Logins, roles, their members and rights."""
        self._configured()
        if not self._reach.logins:
            for kind in ("login", "server_role"):
                self.kinds_missing[kind] = Missing("not_supported_version", "in Azure SQL Database they are in master")
            return
        [(definitions, *links)] = self._reader.tuples(text("access_visible"))
        self._shown = bool(definitions)
        if not any(links):
            self.kinds_missing["linked_server"] = Missing(
                "hidden_rows", "ALTER ANY LINKED SERVER shows as whom other logins act there"
            )
        if not self._shown:
            for kind in ("login", "server_role"):
                self.kinds_missing[kind] = Missing("hidden_rows", "VIEW ANY DEFINITION shows logins and their rights")
        logins = [Login(*row) for row in self._reader.tuples(text("access_principals"))]
        fixed = {one.principal_id for one in logins if one.is_fixed_role}
        for one in logins:
            self.people.login(one)
        for role, member in self._reader.tuples(text("access_members")):
            self.people.member(role, member, admin=role in fixed)
        read_groups(self._reader, self.people)
        self._rights(logins)
        linked = self._reader.tuples(text("access_linked")) if self._reach.server_rights else ()
        for server, number, remote in linked:
            self.people.linked(number, server, remote)

    def _configured(self) -> None:
        """Whether the server lets users in that are a database's alone, and whether chains go on everywhere."""
        facts = {
            "contained": self._reach.contained or self._settings.get("contained database authentication"),
            "chaining": self._settings.get("cross db ownership chaining"),
        }
        self.things.change(self._home, flags=tuple(word for word, holds in facts.items() if holds))

    def _rights(self, logins: list[Login]) -> None:
        rows: dict[tuple[int, int], list[Row]] = {}
        granted = self._reader.tuples(text("access_permissions")) if self._reach.server_rights else ()
        for class_, major, *rest in granted:
            rows.setdefault((class_, major), []).append(tuple(rest))
        self._not_read({class_ for class_, _ in rows} - {ON_SERVER, ON_PRINCIPAL, ON_ENDPOINT})
        self.things.grant(self._home, self._grants(rows.get((ON_SERVER, 0), ()), "server"))
        for one in logins:
            if one.is_fixed_role or one.principal_id == PUBLIC_ID:
                continue
            kind = "server_role" if one.type.strip() == "R" else "login"
            grants = self._grants(rows.get((ON_PRINCIPAL, one.principal_id), ()), kind)
            self.things.add(kind, (one.name,), self.people.at_server(one.owner), grants, parent=self._home)
        endpoints = self._reader.tuples(text("access_endpoints")) if self._reach.server_rights else ()
        for number, name, owner in endpoints:
            grants = self._grants(rows.get((ON_ENDPOINT, number), ()), "endpoint")
            self.things.add("endpoint", (name,), self.people.at_server(owner), grants, parent=self._home)

    def _not_read(self, classes: set[int]) -> None:
        """Permissions on what is not looked at are no answer to anything, and are said not to be."""
        for number in sorted(classes):
            kind = NOT_READ.get(number, f"class {number}")
            self.kinds_missing[kind] = Missing("not_read", "there are permissions on such things; they are not judged")

    def _grants(self, rows: Any, kind: str) -> tuple[Grant, ...]:
        return self.things.grants(kind, rows, self.people.at_server)

    # -- databases ----------------------------------------------------------------------------------------------------

    def databases(self, scope: Scope) -> list[str]:
        """All databases become objects; the names of those to be read are given back."""
        everywhere = bool(self._settings.get("cross db ownership chaining"))
        wanted: list[str] = []
        for name, sid, state, trusted, chaining, containment, access in self._reader.tuples(text("access_databases")):
            facts = {
                "trustworthy": bool(trusted),
                "chaining": bool(chaining) or everywhere,
                "closed": state != ONLINE,
                "system": name in SYSTEM_DATABASES,
                "contained": self._reach.contained or containment == CONTAINED,
            }
            flags = tuple(word for word, holds in facts.items() if holds)
            owner = self.people.by_sid.get(sid, -1) if sid is not None else -1
            self._containment[name] = facts["contained"]
            self.things.add("database", (name,), owner, (), parent=self._home, flags=flags)
            if scope.databases and name not in scope.databases:
                continue
            if not self._reach.crosses and name != self._server.database:
                self.missing[name] = _ELSEWHERE
            elif state == ONLINE and access:
                wanted.append(name)
            else:
                self.missing[name] = _why_not(name, state)
        for name in scope.databases:
            if name not in self._containment:
                there = Missing("not_reachable", "there is no such database")
                self.missing[name] = there if self._reach.crosses else _ELSEWHERE
        return wanted

    def _logins(self) -> Logins:
        return "elsewhere" if not self._reach.logins else "all" if self._shown else "some"

    def database(self, name: str) -> None:
        """Everything inside a database; what stops it is kept as the reason."""
        marks = self.things.mark(), len(self.people.all), len(self.people.memberships)
        try:
            with self._reader.database(name) as here:
                reading = Inside(here, name, self.people, self.things)
                shown = reading.read(contained=self._containment[name], logins=self._logins())
                self._not_read(reading.classes - READ)
        except DbopsError as error:
            self.things.back(marks[0])
            self.people.forget(name, marks[1], marks[2])
            self.missing[name] = Missing(error.reason or "connect_failed", error.message)
            return
        if not shown:
            self.missing[name] = Missing("hidden_rows", f"VIEW DEFINITION on {name} shows all of it; this is a part")


def _why_not(name: str, state: int) -> Missing:
    if state != ONLINE:
        return Missing("not_reachable", "the database is not online")
    return Missing("no_permission", f"the login is no user of {name}")
