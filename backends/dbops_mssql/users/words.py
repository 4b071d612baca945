"""A users spec in the words of SQL Server; what has no meaning here is refused with its line.

Who logs in is one thing, who he is in a database another. A user of a spec is a login, and a user of the same name in
each managed database in which the spec gives him something; ``shop.alice`` is her user in ``shop`` alone. With
``attributes: [contained]`` or ``[without_login]`` there is no login, and a user in each managed database. A role is one
of each managed database, ``shop.reader`` one of ``shop``, and with ``attributes: [server]`` one of the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from dbops.access.naming import parts, split_kind
from dbops.errors import InputError, UsageError
from dbops.model.access import Kind, Rules
from dbops.model.server import Server
from dbops.model.users import (
    Desired,
    Requirement,
    SpecGrant,
    SpecMember,
    SpecPrincipal,
    Wanted,
    WantedGrant,
    WantedOwner,
    WantedPrincipal,
)
from dbops_mssql.access.people import account_name, split_name
from dbops_mssql.quoting import NAME_CHARACTERS, valid_name
from dbops_mssql.reach import reach
from dbops_mssql.users import members, sources
from dbops_mssql.users.actions import actions

__all__ = ["Words"]

_OWN = ("public", "dbo", "guest", "sys", "INFORMATION_SCHEMA", "sa")
ELSEWHERE = "Leave it out, or write the entry for other engines only: engines: [postgresql]."


class Words:
    """One reading of a spec."""

    def __init__(self, desired: Desired, server: Server, rules: Rules) -> None:
        self.desired, self.server, self.rules = desired, server, rules
        self._sids: dict[str, WantedPrincipal] = {}
        self.reach = reach(server)
        self._on_server = {one.name for one in desired.principals if not one.login and "SERVER" in sources.words(one)}
        self._requirements: list[Requirement] = []
        self._kept_out: set[str] = set()

    def wanted(self) -> Wanted:
        """:raises InputError: with ``file:line``."""
        principals: dict[str, WantedPrincipal] = {}
        grants: list[WantedGrant] = []
        owners: list[WantedOwner] = []
        for one in self.desired.principals:
            _check(one, self._split(one)[0])
            for made in self._principals(one):
                if not made.database:  # a contained user can have one SID in several databases
                    self._check_own_sid(made)
                if sources.NO_CONNECT in sources.words(one) or not (made.database or self.reach.server_rights):
                    self._kept_out.add(made.name)
                twin = principals.setdefault(made.name, made)
                if twin is not made:
                    raise InputError(f"{made.where}: {made.name} is also said in {twin.where}")
            if one.state != "absent":
                grants += self._grants(one)
                owners += self._owned(one)
        there = [one for one in principals.values() if one.kind == "user" and one.state != "absent"]
        grants += _unless_denied([self._enter(one) for one in there if one.name not in self._kept_out], grants)
        return Wanted(
            managed=self._managed(),
            databases=self.desired.databases,
            principals=tuple(principals.values()),
            grants=tuple(grants),
            owners=tuple(owners),
            origin=self.desired.origin,
            requirements=tuple(self._requirements),
        )

    def _check_own_sid(self, made: WantedPrincipal) -> None:
        twin = self._sids.setdefault(made.sid, made) if made.sid else made
        if twin is not made:
            raise InputError(f"{made.where}: the SID {made.sid} is also said in {twin.where}")

    def _managed(self) -> tuple[str, ...]:
        """Whoever owns a name owns who is called so in each of the databases."""
        return tuple(
            dict.fromkeys(
                name
                for pattern in self.desired.managed
                for name in (pattern, *(f"{account_name('', one)}.{pattern}" for one in self.desired.databases))
            )
        )

    # -- who there is -------------------------------------------------------------------------------------------------

    def _principals(self, one: SpecPrincipal) -> Iterator[WantedPrincipal]:
        database, name = self._split(one)
        if not one.login:
            self._check_roles(one, of_server=one.name in self._on_server)
            yield from (self._role(one, where, name) for where in self._databases(one, database))
            return
        if database or sources.of_databases(one):
            self._check_roles(one)
            yield from (self._user(one, where, name) for where in self._databases(one, database))
            return
        # Out of the databases first: a login that is gone leaves users that are nobody.
        if one.state == "absent":
            anywhere = account_name(self.desired.databases[0] if self.desired.databases else "master", name)
            yield WantedPrincipal(
                name=anywhere, state="absent", attributes=(), member_of=(), where=one.where, kind="user", user=name,
                every_host=True,
            )  # fmt: skip
        if not self.reach.logins and one.state == "absent":
            return
        yield self._login(one, name)
        if one.state != "absent":
            yield from (self._user(one, where, name) for where in self._given(one))

    def _split(self, one: SpecPrincipal) -> tuple[str, str]:
        database, name = self._named(one.name, one.where)
        if not valid_name(name):
            raise InputError(f"{one.where}: a name has 1 to {NAME_CHARACTERS} characters")
        if name.lower() in {own.lower() for own in _OWN}:
            raise InputError(f"{one.where}: {name!r} is the server's own", hint="Choose another name.")
        if database and database not in self.desired.databases:
            raise InputError(
                f"{one.where}: the database {database!r} is not among manage.databases",
                hint="Add it there; a name with a dot of its own is written in brackets.",
            )
        return database, name

    def _named(self, text: str, where: str) -> tuple[str, str]:
        """``shop.alice`` in its parts. Windows and Entra have dots in names: there a part is a database only if it is
        one of the managed."""
        try:
            database, name = split_name(text)
        except UsageError as error:
            raise InputError(f"{where}: {error.message}") from None
        if ("\\" in text or "@" in text) and "[" not in text:
            return (database, text.partition(".")[2]) if database in self.desired.databases else ("", text)
        return database, name

    def _databases(self, one: SpecPrincipal, database: str) -> tuple[str, ...]:
        if one.name in self._on_server:
            if not self.reach.server_rights:
                raise InputError(f"{one.where}: the roles of the server are the service's own in {self.server.edition}")
            return ("",)
        if not database and not self.desired.databases:
            sort, more = ("user", "") if one.login else ("role", ", or say attributes: [server]")
            raise InputError(
                f"{one.where}: the {sort} {one.name!r} is of no database",
                hint=f"Name databases under manage.databases{more}.",
            )
        return (database,) if database else self.desired.databases

    def _role(self, one: SpecPrincipal, database: str, name: str) -> WantedPrincipal:
        return WantedPrincipal(
            name=account_name(database, name),
            state=one.state,
            attributes=(),
            member_of=tuple(self._in_database(one, database) if database else self._at_server(one)),
            where=one.where,
            kind="role",
            user=name if database else "",
        )

    def _check_roles(self, one: SpecPrincipal, *, of_server: bool = False) -> None:
        for member in one.member_of:
            if not of_server and self._is_at_server(member):
                raise InputError(
                    f"{member.where}: {member.role} is a role of the server, and {one.name} is of databases"
                )

    def _login(self, one: SpecPrincipal, name: str) -> WantedPrincipal:
        if not self.reach.logins:
            here = account_name(self.server.database, name)
            raise InputError(
                f"{one.where}: {name!r} would be a login, and in {self.server.edition} logins are in master",
                hint=f"Connect to master for the login. Here, {here} is the user of a login that is there, and "
                "attributes: [contained] makes a user with a password of its own.",
            )
        login = ("LOGIN",) if one.state == "present" else ()
        return WantedPrincipal(
            name=account_name("", name),
            state=one.state,
            attributes=(*sources.login_words(one, name, self.reach, self.server), *login),
            member_of=tuple(self._at_server(one)),
            password=one.password,
            generate=one.generate,
            hashed=one.hashed,
            sid=sources.sid(one),
            where=one.where,
            kind="user",
            user=name if account_name("", name) != name else "",
            lacking=sources.lacking(one, name, self.reach),
        )

    def _user(self, one: SpecPrincipal, database: str, name: str) -> WantedPrincipal:
        alone = sources.of_databases(one)
        self._requirements += sources.requirements(one, name, database)
        return WantedPrincipal(
            name=account_name(database, name),
            state="absent" if one.state == "absent" else "present",
            attributes=sources.user_words(one, name, self.reach, self.server),
            member_of=tuple(self._in_database(one, database)) if one.state != "absent" else (),
            password=one.password if alone else None,
            generate=one.generate and alone,
            sid=sources.sid(one),
            where=one.where,
            kind="user",
            user=name,
            database=database,
            settings=sources.settings(one, self.reach, self.server),
            lacking=sources.lacking(one, name, self.reach) if alone else "",
        )

    def _given(self, one: SpecPrincipal) -> list[str]:
        """The managed databases in which he gets something."""
        return [
            database
            for database in self.desired.databases
            if any(True for _ in self._in_database(one, database)) or self._has_grants_in(one, database)
        ]

    def _has_grants_in(self, one: SpecPrincipal, database: str) -> bool:
        said = (_database_of(self._object(grant.object, grant.where)) for grant in (*one.grants, *one.denies))
        owned = (self._object(owned.object, owned.where)[1][0] for owned in one.owns)
        return database in (*said, *owned)

    # -- memberships --------------------------------------------------------------------------------------------------

    def _is_at_server(self, member: SpecMember) -> bool:
        return members.is_fixed(member) or member.role in self._on_server

    def _at_server(self, one: SpecPrincipal) -> Iterator[SpecMember]:
        for member in one.member_of:
            members.check(member)
            if self._is_at_server(member):
                yield members.wanted(member, member.role, admin=members.is_fixed(member))

    def _in_database(self, one: SpecPrincipal, database: str) -> Iterator[SpecMember]:
        """Roles of this database: those named with it, and those named without."""
        for member in one.member_of:
            members.check(member)
            if self._is_at_server(member):
                continue
            where, role = self._named(member.role, member.where)
            if where in ("", database):
                yield members.wanted(member, account_name(database, role))

    # -- grants -------------------------------------------------------------------------------------------------------

    def _enter(self, one: WantedPrincipal) -> WantedGrant:
        """What making somebody gives him by itself."""
        database = split_name(one.name)[0]
        if database:
            return WantedGrant(
                principal=one.name, kind="database", path=(database,), actions=("CONNECT",), where=one.where
            )
        return WantedGrant(principal=one.name, kind="server", path=(), actions=("CONNECT SQL",), where=one.where)

    def _grants(self, one: SpecPrincipal) -> Iterator[WantedGrant]:
        for deny, grant in (*((False, grant) for grant in one.grants), *((True, grant) for grant in one.denies)):
            kind, path = self._object(grant.object, grant.where)
            subject = self.rules.kinds["column"] if grant.columns else kind
            if grant.columns and kind.family != "table":
                raise InputError(f"{grant.where}: a {kind.name} has no columns")
            if grant.future != "no":
                raise InputError(
                    f"{grant.where}: 'future' has no meaning on SQL Server: there are no default privileges",
                    hint="A grant on the schema covers what is made in it later: object: schema:shop.dbo.",
                )
            yield WantedGrant(
                principal=self._grantee(one, grant, kind, path),
                kind=kind.name,
                path=path,
                actions=actions(grant, subject),
                columns=grant.columns,
                grantable=grant.grantable,
                deny=deny,
                where=grant.where,
            )

    def _grantee(self, one: SpecPrincipal, grant: SpecGrant, kind: Kind, path: tuple[str, ...]) -> str:
        own, name = self._split(one)
        database = _database_of((kind, path))
        if (own or database) and own not in ("", database):
            raise InputError(f"{grant.where}: {one.name} is of {own}, and {grant.object} is not in it")
        if not database and not self.reach.server_rights:
            raise InputError(
                f"{grant.where}: nothing can be granted on {grant.object} in {self.server.edition}",
                hint="Its roles ##MS_…## stand for rights on the server: member_of, in a spec for master.",
            )
        if database and not self.reach.own_rights and [word.lower() for word in grant.can] != ["connect"]:
            raise InputError(f"{grant.where}: nothing can be granted in {database} of {self.server.edition}")
        if not database and one.login and sources.of_databases(one):
            raise InputError(f"{grant.where}: {one.name!r} is a user of databases, and {grant.object} is the server's")
        if not database and not one.login and one.name not in self._on_server:
            raise InputError(
                f"{grant.where}: {one.name!r} is a role of databases, and {grant.object} is the server's",
                hint="Say attributes: [server] of the role.",
            )
        if database and one.name in self._on_server:
            raise InputError(
                f"{grant.where}: {one.name!r} is a role of the server, and {grant.object} is in a database"
            )
        return account_name(database, name)

    def _owned(self, one: SpecPrincipal) -> Iterator[WantedOwner]:
        for owned in one.owns:
            kind, path = self._object(owned.object, owned.where)
            if kind.name not in ("schema", "database", "role"):
                raise InputError(f"{owned.where}: a {kind.name} is owned by the owner of its schema", hint=ELSEWHERE)
            if kind.name == "database" and not self.reach.logins:
                raise InputError(
                    f"{owned.where}: a login owns a database, and in {self.server.edition} logins are in master"
                )
            database = "" if kind.name == "database" else path[0]
            yield WantedOwner(
                principal=account_name(database, self._split(one)[1]), kind=kind.name, path=path, where=owned.where
            )

    def _object(self, text: str, where: str) -> tuple[Kind, tuple[str, ...]]:
        name, rest = split_kind(text, self.rules)
        if not name:
            close = get_close_matches(text.partition(":")[0], self.rules.kinds, n=1)
            raise InputError(
                f"{where}: {text!r} does not begin with a kind of object",
                hint=f"Did you mean {close[0]}:…?" if close else f"Kinds: {', '.join(self.rules.kinds)}.",
            )
        kind = self.rules.kinds[name]
        try:
            path = parts(rest, self.rules) if rest else ()
        except UsageError as error:
            raise InputError(f"{where}: {error.message}") from None
        if name == "column" or len(path) != kind.depth:
            example = ".".join(("database", "schema", "name")[: kind.depth])
            hint = "Write the table, and columns: [name, …]." if name == "column" else f"Write {name}:{example}."
            raise InputError(f"{where}: {text!r} is not the name of a {name}", hint=hint)
        database = next(iter(path), "")
        if kind.contained and database not in self.desired.databases:
            raise InputError(
                f"{where}: the database {database!r} is not among manage.databases",
                hint="Add it there, or correct the name.",
            )
        return kind, path


def _unless_denied(entering: list[WantedGrant], said: list[WantedGrant]) -> Iterator[WantedGrant]:
    """What making somebody gives him is taken away again by a denial."""
    denied = {(one.principal, one.kind, one.path, action) for one in said if one.deny for action in one.actions}
    for grant in entering:
        if (grant.principal, grant.kind, grant.path, grant.actions[0]) not in denied:
            yield grant


def _database_of(named: tuple[Kind, tuple[str, ...]]) -> str:
    kind, path = named
    return next(iter(path), "") if kind.contained else ""


def _check(one: SpecPrincipal, database: str) -> None:
    if one.hosts:
        raise InputError(f"{one.where}: 'hosts' has no meaning on SQL Server: a login is one from everywhere")
    if not isinstance(one.valid_until, str):
        raise InputError(f"{one.where}: 'valid_until' has no meaning on SQL Server: a login has no end", hint=ELSEWHERE)
    if one.connection_limit not in ("keep", "unlimited"):
        raise InputError(f"{one.where}: 'connection_limit' has no meaning on SQL Server", hint=ELSEWHERE)
    sources.check(one, database)
