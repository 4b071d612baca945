"""One pass over a database: its users and roles, what there is, who holds what on it, and what code stands on."""

from __future__ import annotations

from typing import Any

from dbops.errors import NotPermitted
from dbops.model.access import Grant
from dbops.spi import Reader
from dbops_mssql.access.kinds import CLASSES, MODULES, OBJECTS, TABLE_LIKE
from dbops_mssql.access.people import Logins, People, User
from dbops_mssql.access.things import Things
from dbops_mssql.statement import text

__all__ = ["READ", "Inside"]

# Any: rows as the driver gives them; their types are in the files of the questions.
Row = tuple[Any, ...]
DATABASE, OBJECT, SCHEMA, PRINCIPAL = 0, 1, 3, 4
SECURABLES = {
    5: "assembly", 6: "type", 10: "xml_schema_collection", 15: "message_type", 16: "contract", 17: "service",
    18: "remote_service_binding", 19: "route", 23: "fulltext_catalog", 24: "symmetric_key", 25: "certificate",
    26: "asymmetric_key", 29: "fulltext_stoplist", 31: "search_property_list", 32: "database_scoped_credential",
}  # fmt: skip
READ = {DATABASE, OBJECT, SCHEMA, PRINCIPAL, *SECURABLES}
PRINCIPALS = {"R": CLASSES["ROLE"], "A": CLASSES["APPLICATION ROLE"]}
AS_OWNER = -2
NO_PRIVATE_KEY = "NA"
MASTER = "master"


class Inside:
    """Reads one database into what grows."""

    def __init__(self, reader: Reader, name: str, people: People, things: Things) -> None:
        self._reader, self._name = reader, name
        self._people, self._things = people, things
        self._parent = things.places["database", (name,)]
        self._rights: dict[tuple[int, int, int], list[Row]] = {}
        self._schemas: dict[int, int] = {}
        self._objects: dict[int, int] = {}
        self.classes: set[int] = set()
        """Of what permissions were found, by the number that the catalog has for it."""

    def read(self, *, contained: bool, logins: Logins) -> bool:
        """Whether all of it is shown to this login."""
        shown = bool(self._reader.scalar(text("access_visible_here")))
        users = [User(*row) for row in self._reader.tuples(text("access_users"))]
        self._people.users(self._name, users, contained=contained, logins=logins)
        for role, member in self._reader.tuples(text("access_user_members")):
            self._people.user_member(self._name, role, member)
        for class_, major, minor, *rest in self._reader.tuples(text("access_user_permissions")):
            self._rights.setdefault((class_, major, minor), []).append(tuple(rest))
        self.classes = {class_ for class_, _, _ in self._rights}
        self._things.grant(self._parent, self._grants("database", DATABASE, 0))
        self._accounts(users)
        self._in_schemas()
        self._code()
        self._rest()
        return shown

    def _at(self, number: int | None) -> int:
        return self._people.at(self._name, number)

    def _grants(self, kind: str, class_: int, major: int, minor: int = 0) -> tuple[Grant, ...]:
        return self._things.grants(kind, self._rights.get((class_, major, minor), ()), self._at)

    def _accounts(self, users: list[User]) -> None:
        """Users and roles as what rights are granted on; fixed roles and public are none of that."""
        for one in users:
            if one.is_fixed_role or one.principal_id == 0:
                continue
            kind = PRINCIPALS.get(one.type.strip(), "user")
            grants = self._grants(kind, PRINCIPAL, one.principal_id)
            self._things.add(kind, (self._name, one.name), self._at(one.owner), grants, parent=self._parent)

    # -- schemas and what is in them ----------------------------------------------------------------------------------

    def _in_schemas(self) -> None:
        for number, name, owner in self._reader.tuples(text("access_schemas")):
            grants = self._grants("schema", SCHEMA, number)
            path = (self._name, name)
            self._schemas[number] = self._things.add("schema", path, self._at(owner), grants, parent=self._parent)
        for number, schema, name, kind, owner, shipped in self._reader.tuples(text("access_objects")):
            if kind.strip() in OBJECTS and schema in self._schemas:
                sort, mine = OBJECTS[kind.strip()], self._owner(schema, owner)
                place = self._contained(sort, name, schema, mine, self._grants(sort, OBJECT, number))
                follows = self._schemas[schema] if owner is None else -1
                self._things.change(place, flags=("system",) if shipped else (), follows=follows)
                self._objects[number] = place
        for number, column, name in self._reader.tuples(text("access_columns")):
            if number in self._objects:
                self._column(number, column, name)
        for class_, number, name, schema, owner in self._reader.tuples(text("access_types")):
            if schema in self._schemas:
                grants = self._grants(SECURABLES[class_], class_, number)
                place = self._contained(SECURABLES[class_], name, schema, self._owner(schema, owner), grants)
                self._things.change(place, follows=self._schemas[schema] if owner is None else -1)
        for (number,) in self._reader.tuples(text("access_policies")):
            if number in self._objects:
                self._things.change(self._objects[number], flags=("rls", "rls_forced", "policies"))

    def _owner(self, schema: int, owner: int | None) -> int:
        """An object without an owner of its own has that of its schema."""
        return self._things.all[self._schemas[schema]].owner if owner is None else self._at(owner)

    def _column(self, number: int, column: int, name: str) -> None:
        table = self._objects[number]
        one = self._things.all[table]
        if one.kind in TABLE_LIKE:
            grants = self._grants("column", OBJECT, number, column)
            place = self._things.add("column", (*one.path, name), one.owner, grants, parent=table)
            self._things.change(place, follows=table)

    def _contained(self, kind: str, name: str, schema: int, owner: int, grants: tuple[Grant, ...]) -> int:
        parent = self._schemas[schema]
        return self._things.add(kind, (*self._things.all[parent].path, name), owner, grants, parent=parent)

    # -- code ---------------------------------------------------------------------------------------------------------

    def _code(self) -> None:
        for number, runs_as in self._reader.tuples(text("access_modules")):
            if number in self._objects:
                place = self._objects[number]
                owner = self._things.all[place].owner
                who = owner if runs_as == AS_OWNER else self._at(runs_as)
                self._things.change(place, runs_as=who, flags=(*self._things.all[place].flags, "definer"))
        for number, sid in self._reader.tuples(text("access_signatures")):
            if number in self._objects:
                self._signed(self._objects[number], sid)
        try:
            rows = self._reader.tuples(text("access_reads"))
        except NotPermitted:  # only members of db_owner may read it, unless it was granted
            for place in self._objects.values():
                one = self._things.all[place]
                if one.kind in MODULES:
                    self._things.change(place, flags=(*one.flags, "unread"))
            return
        for module, below, database, schema, name in rows:
            self._reads(module, below, database, schema, name)

    def _signed(self, place: int, sid: bytes | None) -> None:
        mine = self._things.all[place].signers
        more = (one for one in self._people.made_from(self._name, sid) if one not in mine)
        self._things.change(place, signers=(*mine, *more))

    def _reads(self, module: int, below: int | None, database: str | None, schema: str | None, name: str) -> None:
        place = self._objects.get(module)
        if place is None:
            return
        if below is not None and below in self._objects:
            self._things.stands_on(place, self._objects[below])
        elif database is not None:
            self._things.later(place, (database, schema or "dbo", name))

    # -- what lies in no schema ---------------------------------------------------------------------------------------

    def _rest(self) -> None:
        places: dict[tuple[int, int], int] = {}
        for class_, number, name, owner in self._reader.tuples(text("access_securables")):
            kind = SECURABLES[class_]
            grants = self._grants(kind, class_, number)
            self._things.add(kind, (self._name, name), self._at(owner), grants, parent=self._parent)
            places[class_, number] = self._things.mark() - 1
        for class_, number, sid, private in self._reader.tuples(text("access_keys")):
            if (class_, number) in places:
                self._signed(places[class_, number], sid)
                flags = ("keyless",) if private.strip() == NO_PRIVATE_KEY else ()
                self._things.change(places[class_, number], flags=flags)
        if self._name == MASTER:
            self._extended()

    def _extended(self) -> None:
        """Extended stored procedures that somebody was granted: they come with the server and reach out of it."""
        rows: dict[tuple[int, str, str], list[Row]] = {}
        for number, schema, name, *rest in self._reader.tuples(text("access_extended")):
            rows.setdefault((number, schema, name), []).append(tuple(rest))
        for (_, schema, name), found in rows.items():
            parent = self._things.places.get(("schema", (self._name, schema)), self._parent)
            grants = self._things.grants("procedure", found, self._at)
            owner = self._things.all[parent].owner
            path = (self._name, schema, name)
            if ("procedure", path) not in self._things.places:
                self._things.add("procedure", path, owner, grants, parent=parent, flags=("system", "extended"))
