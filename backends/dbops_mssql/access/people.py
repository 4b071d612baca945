"""Logins, users and roles of a server and of its databases as the principals of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec

from dbops.access.naming import parts
from dbops.model.access import Membership, Principal, Rules
from dbops.model.finding import Missing
from dbops_mssql.quoting import identifier

__all__ = ["BUILTIN_USERS", "LINKED", "PUBLIC_ID", "Login", "Logins", "People", "User", "account_name", "split_name"]

Logins = Literal["all", "some", "elsewhere"]
"""Which logins of the server were read; elsewhere: they are in a database that is none of the session's."""
Sort = Literal["public", "role", "user", "group", "unknown"]
_NAMES = Rules(kinds={}, quotes=("[", "]"))
PUBLIC_ID, SA_ID = 2, 1
DATABASE_PUBLIC_ID = 0
BUILTIN_USERS = ("dbo", "guest", "INFORMATION_SCHEMA", "sys")
_SORTS: dict[str, tuple[Sort, tuple[str, ...]]] = {
    "S": ("user", ("SQL",)),
    "U": ("user", ("WINDOWS",)),
    "G": ("group", ("WINDOWS",)),
    "E": ("user", ("ENTRA",)),
    "X": ("group", ("ENTRA",)),
    "C": ("user", ("CERTIFICATE",)),
    "K": ("user", ("ASYMMETRIC KEY",)),
    "R": ("role", ()),
    "A": ("role", ("APPLICATION ROLE",)),
}
_NOT_FOUND: dict[Logins, tuple[str, ...]] = {
    "all": ("ORPHANED",),
    "some": ("LOGIN NOT SHOWN",),
    "elsewhere": ("LOGIN NOT SHOWN", "LOGIN"),
}
_NOBODY_LOGS_IN = ("R", "A", "C", "K")
DATABASE_PASSWORD = 2
INSTANCE = 1
LINKED = "linked_server:"
"""How a setting of a principal begins that names a linked server, and whom he is there."""
UNSET = "none"
"""How a password is stored of who has none: it is not asked for one."""
PASSWORDS: dict[str, str | Missing] = {
    "unknown": Missing("no_permission", "CONTROL SERVER shows stored passwords"),
    "blank": "blank",
    "name": "name",
    "stored": "stored",
}


class Login(NamedTuple):
    """A row of ``access_principals``."""

    principal_id: int
    name: str
    type: str
    sid: bytes | None
    is_disabled: bool
    is_fixed_role: bool
    owner: int | None
    default_database: str | None
    policy: bool | None
    expiration: bool | None
    password: str | None


class User(NamedTuple):
    """A row of ``access_users``."""

    principal_id: int
    name: str
    type: str
    sid: bytes | None
    owner: int | None
    is_fixed_role: bool
    authentication: int | None
    default_schema: str | None = None
    default_language: str | None = None


def account_name(database: str, name: str) -> str:
    """``shop.alice``, and of the server ``alice``; a part with a dot or a bracket of its own is in brackets."""
    quoted = [identifier(part) if set(part) & set(".[](") else part for part in (database, name) if part]
    return ".".join(quoted)


def split_name(name: str) -> tuple[str, str]:
    """A principal's database, empty for the server, and the name that it has there."""
    path = parts(name, _NAMES)
    return ("", path[0]) if len(path) == 1 else (path[0], path[1])


class People:
    """The growing list, and where each number of the catalog is in it."""

    def __init__(self) -> None:
        self.all: list[Principal] = [Principal(name="public", kind="public", system=True)]
        self.memberships: list[Membership] = []
        self.by_sid: dict[bytes, int] = {}
        self.groups: list[int] = []
        self._server: dict[int, int] = {PUBLIC_ID: 0}
        self._of: dict[str, dict[int, int]] = {}
        self._by_sid: dict[tuple[str, bytes], int] = {}

    def _add(self, one: Principal) -> int:
        self.all.append(one)
        return len(self.all) - 1

    # -- the server ---------------------------------------------------------------------------------------------------

    def login(self, row: Login) -> None:
        """A login or a server role."""
        if row.principal_id == PUBLIC_ID:
            return
        sort, words = _sort(row.type, row.name)
        system = row.is_fixed_role or row.principal_id == SA_ID or row.name.startswith("##MS_")
        number = self._add(
            Principal(
                name=account_name("", row.name),
                user=row.name if account_name("", row.name) != row.name else "",
                kind=sort,
                attributes=(*words, *_login_words(row)),
                password=PASSWORDS[row.password] if row.password is not None else UNSET,
                system=system or row.name.startswith("NT "),
                settings=tuple(_settings(row.sid, default_database=row.default_database)),
            )
        )
        self._server[row.principal_id] = number
        if row.sid is not None:
            self.by_sid[row.sid] = number
        if sort == "group":
            self.groups.append(number)

    def at_server(self, number: int | None) -> int:
        """Where a number of the server is; somebody who is not shown gets a place of his own."""
        if number is None:
            return -1
        found = self._server.get(number)
        if found is None:
            found = self._server[number] = self._add(Principal(name=f"principal {number}", kind="unknown"))
        return found

    def member(self, role: int, member: int, *, admin: bool) -> None:
        """A membership of the server's roles."""
        self.memberships.append(Membership(member=self.at_server(member), group=self.at_server(role), admin=admin))

    def in_group(self, group: int, name: str) -> None:
        """Somebody of whom Windows says that he is in a group: a login of his own, or known by this alone."""
        known = (at for at, one in enumerate(self.all) if not one.database and _same(one, name))
        found = next(known, -1)
        if found < 0:
            by = ("WINDOWS", "LOGIN", "BY GROUP")
            found = self._add(
                Principal(name=account_name("", name), user=name, kind="user", attributes=by, password=UNSET)
            )
        self.memberships.append(Membership(member=found, group=group, implicit=True, set=False))

    def mark(self, number: int, *words: str) -> None:
        """More attributes."""
        one = self.all[number]
        self.all[number] = msgspec.structs.replace(one, attributes=(*one.attributes, *words))

    # -- a database ---------------------------------------------------------------------------------------------------

    def users(self, database: str, rows: Iterable[User], *, contained: bool, logins: Logins) -> None:
        """The users and roles of a database, and which logins they are."""
        self._of[database] = {}
        for row in rows:
            self._user(database, row, contained=contained, logins=logins)

    def _user(self, database: str, row: User, *, contained: bool, logins: Logins) -> None:
        sort, words = _sort(row.type, row.name)
        login = self.by_sid.get(row.sid, -1) if row.sid is not None and sort in ("user", "group") else -1
        public = row.principal_id == DATABASE_PUBLIC_ID
        builtin = row.name in BUILTIN_USERS
        if login < 0 and not builtin and sort in ("user", "group"):
            words = (*words, *_unmapped(row, contained=contained, logins=logins))
        number = self._add(
            Principal(
                name=account_name(database, row.name),
                kind="public" if public else sort,
                attributes=words,
                password="stored" if row.authentication == DATABASE_PASSWORD else UNSET,
                system=builtin or public or row.is_fixed_role or row.name.startswith("##MS_"),
                settings=tuple(_settings(row.sid, **_defaults(row))) if sort in ("user", "group") else (),
                database=database,
                user=row.name,
            )
        )
        self._of[database][row.principal_id] = number
        if row.sid is not None:
            self._by_sid[database, row.sid] = number
        if login >= 0 and row.name != "guest":
            mapped = Membership(member=login, group=number, implicit=True, set=False, database=database)
            self.memberships.append(mapped)

    def at(self, database: str, number: int | None) -> int:
        """Where a number of a database is."""
        if number is None:
            return -1
        known = self._of[database]
        if number not in known:
            name = account_name(database, f"principal {number}")
            known[number] = self._add(
                Principal(name=name, kind="unknown", database=database, user=f"principal {number}")
            )
        return known[number]

    def made_from(self, database: str, sid: bytes | None) -> tuple[int, ...]:
        """The login and the user of a key, which both have its SID."""
        if sid is None:
            return ()
        found = (self.by_sid.get(sid), self._by_sid.get((database, sid)))
        return tuple(number for number in found if number is not None)

    def linked(self, number: int, server: str, remote: str) -> None:
        """As whom a login acts on a linked server; number 0 means everybody."""
        place = self.at_server(number or PUBLIC_ID)
        one = self.all[place]
        self.all[place] = msgspec.structs.replace(one, settings=(*one.settings, f"{LINKED}{server}={remote}"))

    def forget(self, database: str, principals: int, memberships: int) -> None:
        """Take back what was read of a database, down to these counts."""
        self._of.pop(database, None)
        self._by_sid = {key: number for key, number in self._by_sid.items() if key[0] != database}
        del self.all[principals:], self.memberships[memberships:]

    def user_member(self, database: str, role: int, member: int) -> None:
        """A membership of a database's roles."""
        self.memberships.append(Membership(member=self.at(database, member), group=self.at(database, role)))


def _same(one: Principal, name: str) -> bool:
    return (one.user or one.name).lower() == name.lower()


def _sort(kind: str, name: str) -> tuple[Sort, tuple[str, ...]]:
    """What somebody is; of who has a password that Entra knows nothing of him, where his name lets one think so."""
    sort, words = _SORTS.get(kind.strip(), ("user", ()))
    return sort, (*words, "NO ENTRA") if words == ("SQL",) and "@" in name else words


def _login_words(row: Login) -> list[str]:
    kind = row.type.strip()
    if kind == "R":
        return ["SERVER"]
    found = ["DISABLED"] if row.is_disabled and kind not in _NOBODY_LOGS_IN else []
    if kind not in _NOBODY_LOGS_IN and not row.is_disabled:
        found.append("LOGIN")
    found += ["SA"] if row.principal_id == SA_ID else []
    found += ["CHECK_POLICY"] if row.policy else []
    found += ["CHECK_EXPIRATION"] if row.expiration else []
    return found


def _settings(sid: bytes | None, **others: str | None) -> list[str]:
    found = [f"sid=0x{sid.hex().upper()}"] if sid is not None else []
    return found + [f"{name}={value}" for name, value in others.items() if value]


def _defaults(row: User) -> dict[str, str | None]:
    """Where what he names without a schema is looked for, and in which language he is answered."""
    if row.name in BUILTIN_USERS:
        return {}
    return {"default_schema": row.default_schema, "default_language": row.default_language}


def _unmapped(row: User, *, contained: bool, logins: Logins) -> tuple[str, ...]:
    """What a user is whose login is not there: made so, contained, come by a group of Windows, or orphaned."""
    if row.authentication == DATABASE_PASSWORD:
        return ("CONTAINED", "LOGIN")
    if row.type.strip() in ("C", "K"):
        return ()
    if row.type.strip() in ("E", "X") and logins == "elsewhere" and _of_entra_login(row.sid):
        return _NOT_FOUND[logins]
    if row.type.strip() in ("U", "G", "E", "X"):
        return ("CONTAINED", "LOGIN") if contained or logins == "elsewhere" else ("BY GROUP",)
    if row.authentication != INSTANCE:
        return ("WITHOUT LOGIN",)
    return _NOT_FOUND[logins]


def _of_entra_login(sid: bytes | None) -> bool:
    """Of a user that was made for a login of Entra, not for an identity of Entra itself: "Microsoft Entra server
    principals" tells them apart by the end of the SID."""
    return sid is not None and len(sid) == 18 and sid.endswith(b"\xaa\xde")
