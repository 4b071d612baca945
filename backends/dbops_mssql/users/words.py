"""A users spec in the words of SQL Server; what has no meaning here is refused with its line.

Who logs in is one thing, who he is in a database another. A user of a spec is a login, and a user of the same name in
each managed database in which the spec gives him something; ``shop.alice`` is her user in ``shop`` alone. A role is one
of each managed database, ``shop.reader`` one of ``shop``, and with ``attributes: [server]`` one of the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from dbops.access.naming import parts, split_kind
from dbops.errors import InputError, UsageError
from dbops.model.access import Kind, Rules
from dbops.model.server import Server
from dbops.model.users import (
    Desired,
    SpecGrant,
    SpecMember,
    SpecPrincipal,
    Wanted,
    WantedGrant,
    WantedOwner,
    WantedPrincipal,
)
from dbops_mssql.access.people import account_name, split_name
from dbops_mssql.probe import MANAGED_INSTANCE
from dbops_mssql.quoting import NAME_CHARACTERS, valid_name

__all__ = ["Words"]

SERVER_ROLES = (
    "sysadmin", "securityadmin", "serveradmin", "setupadmin", "processadmin", "diskadmin", "dbcreator", "bulkadmin",
)  # fmt: skip
_ATTRIBUTES = ("SERVER", "WITHOUT LOGIN", "ORPHANED")
_ENTRA_SINCE = (16,)
_SID = re.compile(r"0x[0-9a-fA-F]{32}\Z")
_OWN = ("public", "dbo", "guest", "sys", "INFORMATION_SCHEMA", "sa")
ELSEWHERE = "Leave it out, or write the entry for other engines only: engines: [postgresql]."


class Words:
    """One reading of a spec."""

    def __init__(self, desired: Desired, server: Server, rules: Rules) -> None:
        self.desired, self.server, self.rules = desired, server, rules
        self._sids: dict[str, WantedPrincipal] = {}
        self._on_server = {one.name for one in desired.principals if not one.login and "SERVER" in _words(one)}

    def wanted(self) -> Wanted:
        """:raises InputError: with ``file:line``."""
        principals: dict[str, WantedPrincipal] = {}
        grants: list[WantedGrant] = []
        owners: list[WantedOwner] = []
        for one in self.desired.principals:
            _check(one, self._split(one)[0])
            for made in self._principals(one):
                self._check_own_sid(made)
                twin = principals.setdefault(made.name, made)
                if twin is not made:
                    raise InputError(f"{made.where}: {made.name} is also said in {twin.where}")
            if one.state != "absent":
                grants += self._grants(one)
                owners += self._owned(one)
        there = [one for one in principals.values() if one.kind == "user" and one.state != "absent"]
        grants += _unless_denied([self._enter(one) for one in there], grants)
        return Wanted(
            managed=self._managed(),
            databases=self.desired.databases,
            principals=tuple(principals.values()),
            grants=tuple(grants),
            owners=tuple(owners),
            origin=self.desired.origin,
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
            yield from (self._role(one, where, name) for where in self._role_databases(one, database))
            return
        # Out of the databases first: a login that is gone leaves users that are nobody.
        if database:
            yield self._user(one, database, name)
            return
        if one.state == "absent":
            anywhere = account_name(self.desired.databases[0] if self.desired.databases else "master", name)
            yield WantedPrincipal(
                name=anywhere, state="absent", attributes=(), member_of=(), where=one.where, kind="user", user=name,
                every_host=True,
            )  # fmt: skip
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
        if ("\\" in text or "@" in text) and database not in self.desired.databases and not text.startswith("["):
            return "", text
        return database, name

    def _role_databases(self, one: SpecPrincipal, database: str) -> tuple[str, ...]:
        if one.name in self._on_server:
            return ("",)
        if not database and not self.desired.databases:
            raise InputError(
                f"{one.where}: the role {one.name!r} is of no database",
                hint="Name databases under manage.databases, or say attributes: [server].",
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

    def _login(self, one: SpecPrincipal, name: str) -> WantedPrincipal:
        login = ("LOGIN",) if one.state == "present" else ()
        return WantedPrincipal(
            name=account_name("", name),
            state=one.state,
            attributes=(*self._kind(one, name), *login),
            member_of=tuple(self._at_server(one)),
            password=one.password,
            generate=one.generate,
            hashed=one.hashed,
            sid=_sid(one),
            where=one.where,
            kind="user",
        )

    def _kind(self, one: SpecPrincipal, name: str) -> tuple[str, ...]:
        """Windows writes names with a backslash, Entra with an @."""
        if "\\" not in name and "@" not in name:
            return ("SQL",)
        if one.password is not None or one.sid:
            word = "SID" if one.password is None else "password"
            raise InputError(f"{one.where}: {name!r} has no {word} here: Windows and Entra keep those of theirs")
        if "\\" in name:
            return ("WINDOWS",)
        if self.server.version < _ENTRA_SINCE and self.server.edition != MANAGED_INSTANCE:
            raise InputError(f"{one.where}: logins of Entra need SQL Server 2022")
        return ("ENTRA",)

    def _user(self, one: SpecPrincipal, database: str, name: str) -> WantedPrincipal:
        return WantedPrincipal(
            name=account_name(database, name),
            state="absent" if one.state == "absent" else "present",
            attributes=tuple(word for word in _words(one) if word != "SERVER"),
            member_of=tuple(self._in_database(one, database)) if one.state != "absent" else (),
            where=one.where,
            kind="user",
            user=name,
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
        return member.role in SERVER_ROLES or member.role in self._on_server or member.role.startswith("##MS_")

    def _at_server(self, one: SpecPrincipal) -> Iterator[SpecMember]:
        for member in one.member_of:
            _check_member(member)
            if self._is_at_server(member):
                yield _member(member, member.role)

    def _in_database(self, one: SpecPrincipal, database: str) -> Iterator[SpecMember]:
        """Roles of this database: those named with it, and those named without."""
        for member in one.member_of:
            _check_member(member)
            if self._is_at_server(member):
                continue
            where, role = self._named(member.role, member.where)
            if where in ("", database):
                yield _member(member, account_name(database, role))

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
                actions=_actions(grant, subject),
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


def _words(one: SpecPrincipal) -> tuple[str, ...]:
    return tuple(" ".join(word.upper().replace("_", " ").split()) for word in one.attributes)


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
    for word in _words(one):
        if word not in _ATTRIBUTES:
            known = ", ".join(known.lower() for known in _ATTRIBUTES)
            raise InputError(f"{one.where}: unknown attribute {word.lower()!r}", hint=f"There is: {known}.")
    if "SERVER" in _words(one) and one.login:
        raise InputError(f"{one.where}: 'server' is said of a role: a login is always the server's")
    if not one.login and (one.password is not None or one.sid or one.state == "locked"):
        word = "password" if one.password is not None else "sid" if one.sid else "state: locked"
        raise InputError(f"{one.where}: {word!r} has no meaning for a role: nobody logs in as it")
    if database and (one.password is not None or one.sid or one.state == "locked"):
        raise InputError(
            f"{one.where}: {one.name} is a user of a database: its login has the password and the SID, and is locked"
        )


def _sid(one: SpecPrincipal) -> str:
    """As the server shows it. https://learn.microsoft.com/sql/t-sql/statements/create-login-transact-sql (SID)"""
    if one.sid and not _SID.match(one.sid):
        raise InputError(
            f"{one.where}: {one.sid!r} is not the SID of a login",
            hint="Write 0x and 32 hexadecimal digits, in quotes, as sys.sql_logins shows it.",
        )
    return f"0x{one.sid[2:].upper()}" if one.sid else ""


def _check_member(member: SpecMember) -> None:
    if member.inherit is False or member.set is False or member.admin:
        raise InputError(
            f"{member.where}: who is in a role has what it has, and lets nobody else in",
            hint="Leave out inherit, set and admin. ALTER on the role lets somebody change its members.",
        )


def _member(member: SpecMember, role: str) -> SpecMember:
    return SpecMember(role=role, inherit=True, set=True, admin=False, where=member.where)


def _actions(grant: SpecGrant, kind: Kind) -> tuple[str, ...]:
    found: set[str] = set()
    for word in grant.can:
        found.update(_meaning(word, kind, grant.where))
    return tuple(action for action in kind.actions if action in found)


def _meaning(word: str, kind: Kind, where: str) -> tuple[str, ...]:
    plain = " ".join(word.upper().replace("_", " ").split())
    for portable in kind.words:
        if portable.word == word.lower():
            return portable.actions
    if plain in kind.actions:
        return (plain,)
    known = [*(one.word for one in kind.words), *(action.lower() for action in kind.actions)]
    close = get_close_matches(word.lower(), known, n=1)
    raise InputError(
        f"{where}: {word!r} has no meaning for a {kind.name}",
        hint=f"Did you mean {close[0]!r}?" if close else f"There is: {', '.join(known)}.",
    )
