"""What MySQL's grant tables say, as records that are the same for MariaDB: one method for each question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from dbops.model.access import Kind, Matching, Reserved, Rules
from dbops.model.server import Server
from dbops.spi import Reader
from dbops_mysql.access.dialect import DECIDED
from dbops_mysql.access.kinds import GRANT, Levels, kinds
from dbops_mysql.access.levels import DYNAMIC, MYSQL
from dbops_mysql.statement import text

__all__ = ["Account", "Defined", "Member", "MySQLCatalogue", "Proxy", "Right"]

WITHOUT_PASSWORD = (
    "auth_socket", "mysql_no_login", "authentication_ldap_sasl", "authentication_ldap_simple", "authentication_pam",
    "authentication_windows", "authentication_kerberos", "authentication_webauthn", "authentication_openid_connect",
    "authentication_oci", "AWSAuthenticationPlugin",
)  # fmt: skip
"""Plugins to which an empty authentication string is no empty password."""
UNSET = "none"
"""How a password is stored that is empty."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account or a role.

    :param actions: what it holds everywhere. :param dynamic: privileges with whether they may be passed on.
    :param denied: by database, what it does not have there of that. :param default: the role a session begins with.
    """

    user: str
    host: str
    role: bool = False
    attributes: tuple[str, ...] = ()
    password: str = UNSET
    settings: tuple[str, ...] = ()
    connection_limit: int | None = None
    actions: tuple[str, ...] = ()
    dynamic: dict[str, bool] = {}
    denied: dict[str, tuple[str, ...]] = {}
    system: bool = False


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """``user`` at ``host`` was granted a role.

    :param active: it has it from the beginning of a session. :param defining: and where it is a definer.
    """

    user: str
    host: str
    role: str
    role_host: str
    active: bool
    admin: bool = False
    implicit: bool = False
    defining: bool = True


class Right(msgspec.Struct, frozen=True):
    """A row of rights; ``path`` as in the row, ``actions`` as bits in the order of the kind."""

    user: str
    host: str
    kind: str
    path: tuple[str, ...]
    actions: int


class Proxy(msgspec.Struct, frozen=True):
    """``user`` at ``host`` may be taken for another account; two empty names stand for any."""

    user: str
    host: str
    proxied_user: str
    proxied_host: str
    grantable: bool


class Defined(msgspec.Struct, frozen=True, kw_only=True):
    """A view, routine, event or trigger. :param definer: None where this login is not shown it."""

    kind: str
    path: tuple[str, ...]
    definer: tuple[str, str] | None
    invoker: bool = False
    body: str | None = None


class MySQLCatalogue:
    """Asks one server, in the caller's snapshot."""

    routine_kinds: tuple[str, ...] = ("library",)
    routine_types: Mapping[str, str] = {"PROCEDURE": "procedure", "FUNCTION": "function", "LIBRARY": "library"}
    shown_by: Mapping[str, tuple[str, ...]] = {
        "routine": ("SHOW_ROUTINE", "SELECT", "EXECUTE", "ALTER ROUTINE", "CREATE ROUTINE"),
        "event": ("EVENT",),
        "trigger": ("TRIGGER",),
    }
    schemata = ("information_schema", "performance_schema", "mysql", "sys")

    def __init__(self, reader: Reader, server: Server) -> None:
        self.reader = reader
        self.server = server
        self.levels = self._levels()

    def _levels(self) -> Levels:
        return MYSQL

    @cached_property
    def variables(self) -> dict[str, str]:
        """Settings that decide about access."""
        return {str(name): str(value) for name, value in self.reader.tuples(text("access_variables"))}

    def on(self, name: str) -> bool:
        """Whether a setting is on."""
        return self.variables.get(name, "OFF") == "ON"

    # -- what the words mean ----------------------------------------------------------------------------------------

    def rules(self, dynamic: Iterable[str]) -> Rules:
        """The rules of this server; ``dynamic`` are privileges that were found on it."""
        return Rules(
            kinds=self._kinds((*DYNAMIC, *dynamic)),
            login="LOGIN",
            quotes=("`", "`"),
            inherit_list=True,
            any_host="%",
            decided=DECIDED,
            drop_takes_rights=True,
            matching=self._matching(),
        )

    def _kinds(self, dynamic: Iterable[str]) -> dict[str, Kind]:
        return kinds(self.levels, dynamic, self.routine_kinds)

    def _matching(self) -> Matching:
        return Matching(
            wildcards=not self.on("partial_revokes"),
            order="prefix",
            addresses_first=self.server.version >= ADDRESSES_FIRST,
            roles="replace",
            fold=self.variables.get("lower_case_table_names", "0") != "0",
            resolves=not self.on("skip_name_resolve"),
            restricts=True,
            definer_roles=True,
            reserved=self._reserved(),
        )

    def _reserved(self) -> tuple[Reserved, ...]:
        """What the server answers by itself (``IS_internal_schema_access``, ``PFS_internal_schema_access``)."""
        every = tuple(one for one in self.levels.database if one not in ("SELECT", GRANT))
        structure = (
            "CREATE", "REFERENCES", "INDEX", "ALTER", "CREATE TEMPORARY TABLES", "EXECUTE", "CREATE VIEW", "SHOW VIEW",
            "CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER",
        )  # fmt: skip
        return (
            Reserved("information_schema", everybody=("SELECT",), nobody=every),
            Reserved("performance_schema", nobody=structure),
        )

    # -- who --------------------------------------------------------------------------------------------------------

    def accounts(self) -> list[Account]:
        """Accounts and roles, in the order of the grant table."""
        dynamic: dict[tuple[str, str], dict[str, bool]] = {}
        for user, host, privilege, grantable in self.reader.tuples(text("access_dynamic")):
            dynamic.setdefault((user, host), {})[privilege] = bool(grantable)
        granted = {(row[2], row[3]) for row in self._edges} | set(self._mandatory())
        return [self._account(row, dynamic, granted) for row in self.reader.tuples(text("access_accounts"))]

    def _account(
        self, row: tuple[Any, ...], dynamic: Mapping[tuple[str, str], dict[str, bool]], granted: set[tuple[str, str]]
    ) -> Account:
        user, host, plugin, passwordless, locked, expired, ssl, limit, restrictions, second, actions = row
        empty = bool(passwordless) and plugin not in WITHOUT_PASSWORD
        attributes = {
            "LOGIN": not locked,
            "LOCKED": locked,
            "EXPIRED": expired,
            "NO PASSWORD": empty,
            "SECOND PASSWORD": second,
            **({f"REQUIRE {SSL_WORDS[ssl]}": True} if ssl else {}),
        }
        return Account(
            user=user,
            host=host,
            role=(user, host) in granted or bool(locked and passwordless),
            attributes=tuple(word for word, holds in attributes.items() if holds),
            password=UNSET if empty else plugin,
            settings=(f"plugin={plugin}",),
            connection_limit=limit or None,
            actions=bits(self.levels.server, actions),
            dynamic=dynamic.get((user, host), {}),
            denied=restricted(restrictions),
            system=user in ("mysql.sys", "mysql.session", "mysql.infoschema"),
        )

    @cached_property
    def _edges(self) -> list[tuple[Any, ...]]:
        return self.reader.tuples(text("access_members"))

    def _mandatory(self) -> list[tuple[str, str]]:
        """The roles of everybody, written like ``r1, `r2`@'%'``."""
        found: list[tuple[str, str]] = []
        for part in filter(None, map(str.strip, self.variables.get("mandatory_roles", "").split(","))):
            user, _, host = part.rpartition("@") if "@" in part else (part, "", "%")
            found.append((user.strip("`'\""), host.strip("`'\"")))
        return found

    def members(self, accounts: Iterable[Account]) -> Iterator[Member]:
        """Everybody's roles: granted, and mandatory. What a role was granted it always has.

        A session begins with its default roles, from 9.5 on with the mandatory ones (``activate_mandatory_roles``), and
        with all of them by ``activate_all_roles_on_login``. A definer has his default roles alone, whatever these
        settings are.
        """
        known = {(one.user, one.host): one for one in accounts}
        default = {tuple(row[:4]) for row in self.reader.tuples(text("access_defaults"))}
        mandatory = [one for one in self._mandatory() if one in known]
        edges = {tuple(row[:4]): bool(row[4]) for row in self._edges}
        implicit = [
            (*pair, *role)
            for pair, one in known.items()
            for role in mandatory
            if role != pair and not locked_role(one) and (*pair, *role) not in edges
        ]
        for user, host, role, role_host in (*edges, *implicit):
            member = known.get((user, host))
            always = (user, host, role, role_host) in default or (member is not None and locked_role(member))
            given = (role, role_host) in mandatory and self.on("activate_mandatory_roles")
            yield Member(
                user=user,
                host=host,
                role=role,
                role_host=role_host,
                active=always or given or self.on("activate_all_roles_on_login"),
                admin=edges.get((user, host, role, role_host), False),
                implicit=(user, host, role, role_host) not in edges,
                defining=always,
            )

    # -- what they may ----------------------------------------------------------------------------------------------

    def rights(self) -> Iterator[Right]:
        """Rows of rights on databases, tables, columns and routines."""
        for user, host, database, actions in self.reader.tuples(text(self._database_rows)):
            yield Right(user, host, "database", (database,), int(actions))
        for user, host, database, table, actions in self.reader.tuples(text("access_table_rows")):
            yield Right(user, host, "table", (database, table), int(actions))
        for user, host, database, table, column, actions in self.reader.tuples(text("access_column_rows")):
            yield Right(user, host, "column", (database, table, column), int(actions))
        for user, host, database, name, kind, actions in self.reader.tuples(text("access_routine_rows")):
            yield Right(user, host, self.routine_types.get(kind, "procedure"), (database, name), int(actions))

    @property
    def _database_rows(self) -> str:
        return "access_database_rows"

    def proxies(self) -> list[Proxy]:
        """Who may be taken for whom."""
        rows = self.reader.tuples(text("access_proxies"))
        return [Proxy(user, host, for_user, for_host, bool(may)) for user, host, for_user, for_host, may in rows]

    # -- on what ----------------------------------------------------------------------------------------------------

    def databases(self) -> list[str]:
        """Those that this login is shown."""
        return [row[0] for row in self.reader.tuples(text("access_schemata"))]

    def tables(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """Kind and path."""
        for database, name, what in self.reader.tuples(text("access_tables")):
            yield TABLES.get(what, "table"), (database, name)

    def views(self) -> Iterator[Defined]:
        """All but the server's own."""
        for database, name, definer, invoker, body in self.reader.tuples(text("access_views")):
            yield Defined(
                kind="view",
                path=(database, name),
                definer=definer_of(definer),
                invoker=bool(invoker),
                body=body or None,
            )

    def routines(self) -> Iterator[Defined]:
        """Procedures, functions and what is like them."""
        for database, name, what, definer, invoker in self.reader.tuples(text(self._routine_list)):
            if what in self.routine_types:
                yield Defined(
                    kind=self.routine_types[what],
                    path=(database, name),
                    definer=definer_of(definer),
                    invoker=bool(invoker),
                )

    @property
    def _routine_list(self) -> str:
        return "access_routines"

    def events(self) -> Iterator[Defined]:
        """What runs by the clock."""
        for database, name, definer in self.reader.tuples(text(self._event_list)):
            yield Defined(kind="event", path=(database, name), definer=definer_of(definer))

    @property
    def _event_list(self) -> str:
        return "access_events"

    def triggers(self) -> Iterator[Defined]:
        """What runs when rows change."""
        for database, name, definer in self.reader.tuples(text("access_triggers")):
            yield Defined(kind="trigger", path=(database, name), definer=definer_of(definer))


ADDRESSES_FIRST = (8, 0, 23)
SSL_WORDS = {"ANY": "SSL", "X509": "X509", "SPECIFIED": "SUBJECT"}
TABLES = {"VIEW": "view", "SYSTEM VIEW": "view", "SEQUENCE": "sequence"}


def locked_role(one: Account) -> bool:
    """A role and not an account that others were granted: nobody logs in as it."""
    return one.role and "LOGIN" not in one.attributes


def bits(actions: tuple[str, ...], mask: int) -> tuple[str, ...]:
    """The actions of a bit mask."""
    return tuple(action for at, action in enumerate(actions) if int(mask) >> at & 1)


def restricted(document: str | None) -> dict[str, tuple[str, ...]]:
    """Partial revokes: the part ``Restrictions`` of ``User_attributes``."""
    if not document:
        return {}
    found = msgspec.json.decode(document, type=list[dict[str, Any]])
    return {one["Database"]: tuple(word.upper() for word in one["Privileges"]) for one in found}


def definer_of(text: str | None) -> tuple[str, str] | None:
    """``root@localhost``, as views and routines have it, in its two parts; a role of MariaDB has no host."""
    if not text:
        return None
    user, at, host = text.rpartition("@")
    return (user, host) if at else (text, "")
