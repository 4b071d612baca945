"""What MariaDB's grant tables say, where they are not MySQL's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import msgspec

from dbops.model.access import Matching
from dbops_mysql.access.catalogue import UNSET, Account, Member, MySQLCatalogue
from dbops_mysql.access.kinds import Levels
from dbops_mysql.access.levels import ACCESS_BITS, SHOW_CREATE_ROUTINE, mariadb_levels
from dbops_mysql.statement import text

__all__ = ["MariaDBCatalogue"]

PUBLIC = "PUBLIC"
_NO_PASSWORD = ("unix_socket", "gssapi", "pam", "named_pipe")
_SSL = {1: "SSL", 2: "X509", 3: "SUBJECT"}
# The server fills in what an older version had no bit for (User_table_json::get_access).
_SPLIT, _MONITOR = 100502, 100508
_OF_SUPER = (
    "SET USER", "FEDERATED ADMIN", "CONNECTION ADMIN", "READ_ONLY ADMIN", "REPLICATION SLAVE ADMIN", "BINLOG ADMIN",
    "BINLOG REPLAY", "SLAVE MONITOR",
)  # fmt: skip
_OF_REPLICATION = ("REPLICATION MASTER ADMIN", "REPLICATION SLAVE ADMIN", "SLAVE MONITOR")


class _Privileges(msgspec.Struct, frozen=True):
    """The document of a row of ``mysql.global_priv``. Stored passwords were replaced by an asterisk."""

    access: int = 0
    version_id: int = 0
    plugin: str = "mysql_native_password"
    authentication_string: str = ""
    auth_or: tuple[dict[str, str], ...] = ()
    is_role: bool = False
    default_role: str = ""
    account_locked: bool = False
    password_last_changed: int | None = None
    ssl_type: int = 0
    max_user_connections: int = 0


class MariaDBCatalogue(MySQLCatalogue):
    """Asks one server, in the caller's snapshot."""

    routine_kinds = ("package", "package_body")
    shown_by: Mapping[str, tuple[str, ...]] = {"trigger": ("TRIGGER",)}
    routine_types: Mapping[str, str] = {
        "PROCEDURE": "procedure",
        "FUNCTION": "function",
        "PACKAGE": "package",
        "PACKAGE BODY": "package_body",
    }

    def _levels(self) -> Levels:
        return mariadb_levels(self.server.version)

    def _matching(self) -> Matching:
        return msgspec.structs.replace(
            super()._matching(),
            wildcards=True,
            order="fewest",
            addresses_first=False,
            roles="add",
            restricts=False,
            definer_roles=False,
            inner_unchecked=("DELETE",),
            public_enters=False,
        )

    @cached_property
    def _documents(self) -> list[tuple[str, str, _Privileges]]:
        rows = self.reader.tuples(text("access_accounts_mariadb"))
        return [(user, host, msgspec.json.decode(priv, type=_Privileges, strict=False)) for user, host, priv in rows]

    def accounts(self) -> list[Account]:
        """Accounts and roles; PUBLIC is not among them, it is the principal that stands for everybody."""
        return [self._from(user, host, priv) for user, host, priv in self._documents]

    def _from(self, user: str, host: str, priv: _Privileges) -> Account:
        plugins = [(one.get("plugin", priv.plugin), one.get("authentication_string")) for one in priv.auth_or]
        ways = [(plugin, priv.authentication_string if stored is None else stored) for plugin, stored in plugins] or [
            (priv.plugin, priv.authentication_string)
        ]
        open_ = [plugin for plugin, stored in ways if not stored and plugin not in _NO_PASSWORD]
        attributes = {
            "LOGIN": not priv.account_locked and not priv.is_role,
            "LOCKED": priv.account_locked,
            "EXPIRED": priv.password_last_changed == 0 and not priv.is_role,
            "NO PASSWORD": bool(open_) and not priv.is_role,
            **({f"REQUIRE {_SSL[priv.ssl_type]}": True} if priv.ssl_type in _SSL else {}),
        }
        return Account(
            user=user,
            host=host,
            role=priv.is_role,
            attributes=tuple(word for word, holds in attributes.items() if holds),
            password=UNSET if open_ or priv.is_role else " OR ".join(plugin for plugin, _ in ways),
            settings=() if priv.is_role else tuple(f"plugin={plugin}" for plugin, _ in ways),
            connection_limit=priv.max_user_connections if priv.max_user_connections > 0 else None,
            actions=self._actions(priv),
            system=user == "mariadb.sys",
        )

    def _actions(self, priv: _Privileges) -> tuple[str, ...]:
        found = {action for at, action in enumerate(ACCESS_BITS) if priv.access >> at & 1}
        if priv.version_id < _SPLIT:
            found |= {*_OF_SUPER} if "SUPER" in found else set()
            found |= {*_OF_REPLICATION} if "REPLICATION SLAVE" in found else set()
        elif priv.version_id < _MONITOR and "REPLICATION SLAVE ADMIN" in found:
            found.add("SLAVE MONITOR")
        return tuple(one for one in self.levels.server if one in found)

    def members(self, accounts: Iterable[Account]) -> Iterator[Member]:
        """Everybody's roles. A session begins with the one default role; what a role was granted it always has."""
        defaults = {(user, host): priv.default_role for user, host, priv in self._documents}
        del accounts
        for user, host, role, admin in self.reader.tuples(text("access_members_mariadb")):
            active = not host or defaults.get((user, host)) == role
            yield Member(user=user, host=host, role=role, role_host="", active=active, admin=bool(admin))

    @property
    def _database_rows(self) -> str:
        newer = self.server.version >= SHOW_CREATE_ROUTINE
        return "access_database_rows_mariadb_11" if newer else "access_database_rows_mariadb"

    @property
    def _routine_list(self) -> str:
        return "access_routines_mariadb"

    @property
    def _event_list(self) -> str:
        return "access_events_mariadb"
