"""One reading of a server's access: the shared catalogues first, then each database in one snapshot of its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from dbops.errors import DbopsError
from dbops.model.access import (
    AccessSnapshot,
    DefaultGrant,
    Membership,
    Principal,
    Reads,
    Scope,
    SecuredObject,
)
from dbops.model.finding import Missing
from dbops.model.server import Server
from dbops.spi import Reader
from dbops_postgresql.access.acl import Acls
from dbops_postgresql.access.kinds import ATTRIBUTES, rules
from dbops_postgresql.quoting import identifier
from dbops_postgresql.statement import text

__all__ = ["inspect", "signature"]

# What pg_class.relkind and pg_default_acl.defaclobjtype call a kind.
RELATIONS = {"r": "table", "p": "table", "v": "view", "m": "matview", "f": "foreign_table", "S": "sequence"}
DEFAULTS = {"r": "table", "S": "sequence", "f": "function", "T": "type", "n": "schema", "L": "large_object"}
FIXED_ROLES = 16384
OPTIONS_SINCE = 16
PARAMETERS_SINCE = 15


def inspect(reader: Reader, server: Server, scope: Scope) -> AccessSnapshot:
    """Everything that the login can see. A database that cannot be read is missing, with the reason."""
    building = _Building(server)
    with reader.snapshot():
        taken_at: datetime = reader.scalar(text("access_clock"))
        building.shared(reader)
        names = building.databases(reader, scope)
        if server.database in names:
            building.database(reader, server.database)
    for name in names:
        if name != server.database:
            building.sibling(reader, name)
    return building.snapshot(taken_at)


def signature(name: str, arguments: str) -> str:
    """``total(integer, text)``; the name quoted where it would not stand as it is."""
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    return f"{name if plain else identifier(name)}({arguments})"


# Any: rows as the driver gives them; their types are in the files of the questions.
Row = tuple[Any, ...]


class _Building:
    """The growing snapshot, and the positions of what was read by name and by OID."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.rules = rules(server.major)
        self.principals: list[Principal] = [Principal(name="PUBLIC", kind="public", system=True)]
        self.memberships: list[Membership] = []
        self.objects: list[SecuredObject] = []
        self.defaults: list[DefaultGrant] = []
        self.missing: dict[str, Missing] = {}
        self._by_name: dict[str, int] = {}
        self._by_oid: dict[int, int] = {}
        self._databases: dict[str, int] = {}
        self.acls = Acls(self._named)

    def snapshot(self, taken_at: datetime) -> AccessSnapshot:
        """What was read."""
        return AccessSnapshot(
            engine=self.server.engine,
            version=self.server.version,
            incarnation=self.server.incarnation,
            taken_at=taken_at,
            rules=self.rules,
            principals=tuple(self.principals),
            memberships=tuple(self.memberships),
            objects=tuple(self.objects),
            acls=tuple(self.acls.lists),
            defaults=tuple(self.defaults),
            databases_missing=self.missing,
            database=self.server.database,
        )

    def _named(self, name: str) -> int:
        """A name in an access list. One that no role has is a role that is gone, or was made a moment ago."""
        found = self._by_name.get(name)
        if found is None:
            found = self._by_name[name] = len(self.principals)
            self.principals.append(Principal(name=name, kind="unknown"))
        return found

    def _owner(self, oid: int) -> int:
        found = self._by_oid.get(oid)
        return self._named(str(oid)) if found is None else found

    # -- shared by all databases ------------------------------------------------------------------------------------

    def shared(self, reader: Reader) -> None:
        """Roles, memberships, tablespaces, parameters."""
        passwords = self._passwords(reader)
        for row in reader.tuples(text("access_principals")):
            oid, name = row[0], row[1]
            self._by_oid[oid] = self._by_name[name] = len(self.principals)
            self.principals.append(_principal(row, passwords.get(oid, Missing("no_permission", "pg_authid"))))
        version = 16 if self.server.major >= OPTIONS_SINCE else 13
        for member, group, grantor, inherit, may_set, admin in reader.tuples(text(f"access_memberships_{version}")):
            self.memberships.append(
                Membership(
                    member=self._owner(member),
                    group=self._owner(group),
                    grantor=self._owner(grantor),
                    inherit=inherit,
                    set=may_set,
                    admin=admin,
                )
            )
        self._outside(reader, "tablespace", "access_tablespaces")
        if self.server.major >= PARAMETERS_SINCE:
            self._outside(reader, "parameter", "access_parameters")

    def _passwords(self, reader: Reader) -> dict[int, str]:
        if not reader.scalar(text("access_passwords_readable")):
            return {}
        return dict(reader.tuples(text("access_passwords")))

    def _outside(self, reader: Reader, kind: str, question: str) -> None:
        for name, owner, acl in reader.tuples(text(question)):
            self._add(kind, (name,), owner, acl)

    def databases(self, reader: Reader, scope: Scope) -> list[str]:
        """All databases become objects; the names of those to be read are given back."""
        wanted: list[str] = []
        for name, owner, acl, open_, connectable in reader.tuples(text("access_databases")):
            self._databases[name] = self._add("database", (name,), owner, acl, flags=() if open_ else ("closed",))
            self._implicit_owner(name, self._owner(owner))
            if scope.databases and name not in scope.databases:
                continue
            if open_ and connectable:
                wanted.append(name)
            elif open_:
                self.missing[name] = Missing("no_permission", f"CONNECT on the database {name} is needed")
            elif scope.databases:
                self.missing[name] = Missing("not_reachable", "the database takes no connections")
        for name in scope.databases:
            if name not in self._databases:
                self.missing[name] = Missing("not_reachable", "there is no such database")
        return wanted

    def _implicit_owner(self, database: str, owner: int) -> None:
        """The owner of a database is a member of pg_database_owner there, without a row that says so."""
        group = self._by_name.get("pg_database_owner")
        if group is None:
            return
        inherits = self.server.major >= OPTIONS_SINCE or "INHERIT" in self.principals[owner].attributes
        self.memberships.append(
            Membership(member=owner, group=group, inherit=inherits, database=database, implicit=True)
        )

    # -- one database -----------------------------------------------------------------------------------------------

    def sibling(self, reader: Reader, name: str) -> None:
        """Another database of the server; what stops it is kept as the reason."""
        marks = len(self.objects), len(self.defaults)
        try:
            with reader.database(name) as other, other.snapshot():
                self.database(other, name)
        except DbopsError as error:
            del self.objects[marks[0] :], self.defaults[marks[1] :]
            self.missing[name] = Missing(error.reason or "connect_failed", error.message)

    def database(self, reader: Reader, name: str) -> None:
        """Everything inside a database, asked in its session."""
        parent = self._databases[name]
        extension = {row[0] for row in reader.tuples(text("access_extensions"))}
        schemas: dict[int, int] = {}
        for oid, schema, owner, acl, system in reader.tuples(text("access_schemas")):
            flags = ("system",) if system else ()
            schemas[oid] = self._add("schema", (name, schema), owner, acl, parent=parent, flags=flags)
        relations = self._relations(reader, schemas, extension)
        self._routines(reader, schemas, extension)
        self._types(reader, schemas, extension)
        self._top(reader, name, parent)
        self._reads(reader, relations)
        for creator, schema, kind, acl in reader.tuples(text("access_defaults")):
            if kind in DEFAULTS:
                self._default(self._owner(creator), name, schema, DEFAULTS[kind], acl)

    def _relations(self, reader: Reader, schemas: dict[int, int], extension: set[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for oid, schema, name, relkind, owner, acl, *facts in reader.tuples(text("access_relations")):
            parent = schemas[schema]
            flags = _relation_flags(facts, oid in extension)
            path = (*self.objects[parent].path, name)
            found[oid] = self._add(RELATIONS[relkind], path, owner, acl, parent=parent, flags=flags)
        for sequence, table in reader.tuples(text("access_linked")):
            if sequence in found and table in found:
                place = found[sequence]
                self.objects[place] = msgspec.structs.replace(self.objects[place], follows=found[table])
        self._columns(reader, found)
        return found

    def _columns(self, reader: Reader, relations: dict[int, int]) -> None:
        for oid, column, acl in reader.tuples(text("access_columns")):
            place = relations.get(oid)
            if place is not None:
                table = self.objects[place]
                number = self.acls.of(self.rules.kinds["column"], acl, table.owner)
                path = (*table.path, column)
                self.objects.append(SecuredObject("column", path, table.owner, number, place, follows=place))

    def _routines(self, reader: Reader, schemas: dict[int, int], extension: set[int]) -> None:
        for oid, schema, name, arguments, owner, acl, definer, fixed, system in reader.tuples(text("access_routines")):
            flags = _flags(definer=definer, path_fixed=fixed, system=system, extension=oid in extension)
            path = (*self.objects[schemas[schema]].path, signature(name, arguments))
            self._add("function", path, owner, acl, parent=schemas[schema], flags=flags)

    def _types(self, reader: Reader, schemas: dict[int, int], extension: set[int]) -> None:
        for oid, schema, name, owner, acl in reader.tuples(text("access_types")):
            path = (*self.objects[schemas[schema]].path, name)
            self._add("type", path, owner, acl, parent=schemas[schema], flags=_flags(extension=oid in extension))

    def _top(self, reader: Reader, database: str, parent: int) -> None:
        """What lies in a database but in no schema."""
        for _, name, owner, acl, trusted in reader.tuples(text("access_languages")):
            self._add("language", (database, name), owner, acl, parent=parent, flags=_flags(untrusted=not trusted))
        for kind, question in (
            ("fdw", "access_fdws"),
            ("foreign_server", "access_servers"),
            ("large_object", "access_large_objects"),
        ):
            for _, name, owner, acl in reader.tuples(text(question)):
                self._add(kind, (database, name), owner, acl, parent=parent)

    def _reads(self, reader: Reader, relations: dict[int, int]) -> None:
        reads: dict[int, list[Reads]] = {}
        for view, below, columns in reader.tuples(text("access_reads")):
            if view in relations and below in relations:
                reads.setdefault(relations[view], []).append(Reads(relations[below], tuple(columns or ())))
        for number, found in reads.items():
            self.objects[number] = msgspec.structs.replace(self.objects[number], reads=tuple(found))

    def _default(self, creator: int, database: str, schema: str, kind: str, acl: str) -> None:
        grants = self.acls.parse(self.rules.kinds[kind], acl)
        self.defaults.append(DefaultGrant(creator=creator, database=database, schema=schema, kind=kind, grants=grants))

    def _add(
        self,
        kind: str,
        path: tuple[str, ...],
        owner: int,
        acl: str | None,
        *,
        parent: int = -1,
        flags: tuple[str, ...] = (),
    ) -> int:
        """One object, its access list parsed; gives its position."""
        number = self._owner(owner)
        if acl is None:
            flags = (*flags, "default")
        position = self.acls.of(self.rules.kinds[kind], acl, number)
        self.objects.append(SecuredObject(kind, path, number, position, parent, flags))
        return len(self.objects) - 1


def _principal(row: Row, password: str | Missing) -> Principal:
    oid, name, superuser, inherit, createrole, createdb, login, replication, bypassrls, limit, until, settings = row
    given = (superuser, inherit, createrole, createdb, login, replication, bypassrls)
    return Principal(
        name=name,
        attributes=tuple(word for word, has in zip(ATTRIBUTES, given, strict=True) if has),
        valid_until=until,
        connection_limit=None if limit < 0 else limit,
        password=password,
        system=oid < FIXED_ROLES,
        settings=tuple(settings or ()),
    )


def _relation_flags(facts: Iterable[bool], extension: bool) -> tuple[str, ...]:
    rls, forced, policies, invoker, system, catalog = facts
    return _flags(
        rls=rls,
        rls_forced=rls and forced,
        policies=policies,
        invoker=invoker,
        system=system,
        catalog=catalog,
        extension=extension,
    )


def _flags(**facts: bool) -> tuple[str, ...]:
    return tuple(name for name, holds in facts.items() if holds)
