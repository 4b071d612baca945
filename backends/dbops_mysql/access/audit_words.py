"""What an audit calls strong or weak on each engine, as data.

Sources: "Privileges Provided by MySQL" and "Pluggable Authentication" in MySQL's manual, ``GRANT`` and "Authentication
Plugins" in MariaDB's. Items of CIS are given for the one edition whose numbering could be checked, MariaDB 10.6 v1.0.0;
for MySQL none are: they move between its editions, and a wrong number is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from dbops.model.finding import Benchmark, Severity
from dbops.model.server import Server
from dbops_mysql.access.mariadb_sql import MariaDBStatements
from dbops_mysql.access.sql import MySQLStatements

__all__ = ["MARIADB", "MYSQL", "Weak", "Words"]

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW


class Weak(msgspec.Struct, frozen=True):
    """A way to log in that is better given up: how bad, and why."""

    severity: Severity
    why: str


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """One engine.

    :param statements: makes its SQL. :param administrators: accounts that come with every server for whoever runs it.
    :param strong: privileges that end in being able to do everything, or that undo what holds others back.
    :param weak: plugins. :param better: the clause of ALTER USER that leads away from them.
    :param stored: the table in which passwords are stored. :param grant_tables: whoever writes these gives out rights;
        :param code_tables: and these make the server load or run what they say.
    :param benchmarks: by the last part of a rule's id.
    """

    statements: Callable[[Server], MySQLStatements]
    administrators: tuple[tuple[str, str], ...]
    strong: dict[str, Severity]
    weak: dict[str, Weak]
    better: str
    stored: str
    grant_tables: tuple[str, ...]
    code_tables: tuple[str, ...] = ("func", "plugin", "servers", "component")
    benchmarks: dict[str, tuple[Benchmark, ...]] = {}


_ROOT = (("root", "localhost"), ("root", "127.0.0.1"), ("root", "::1"))
_GRANT_TABLES = ("db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", "default_roles")
_OLD = Weak(HIGH, "its hash of 16 hexadecimal digits is broken in seconds, and reading it is enough to log in")

MYSQL = Words(
    statements=MySQLStatements,
    administrators=_ROOT,
    strong={
        "SUPER": HIGH,
        "CREATE USER": HIGH,
        "SYSTEM_VARIABLES_ADMIN": HIGH,
        "PERSIST_RO_VARIABLES_ADMIN": HIGH,
        "SET_USER_ID": HIGH,
        "SET_ANY_DEFINER": HIGH,
        "ROLE_ADMIN": HIGH,
        "REPLICATION_APPLIER": HIGH,
        "SYSTEM_USER": MEDIUM,
        "CONNECTION_ADMIN": MEDIUM,
        "BINLOG_ADMIN": MEDIUM,
        "REPLICATION_SLAVE_ADMIN": MEDIUM,
        "GROUP_REPLICATION_ADMIN": MEDIUM,
        "CLONE_ADMIN": MEDIUM,
        "ALLOW_NONEXISTENT_DEFINER": MEDIUM,
        "AUTHENTICATION_POLICY_ADMIN": MEDIUM,
        "PASSWORDLESS_USER_ADMIN": MEDIUM,
        "AUDIT_ADMIN": MEDIUM,
        "FIREWALL_ADMIN": MEDIUM,
        "ENCRYPTION_KEY_ADMIN": MEDIUM,
        "INNODB_REDO_LOG_ENABLE": MEDIUM,
    },
    weak={
        "mysql_old_password": _OLD,
        "mysql_native_password": Weak(
            MEDIUM,
            "an unsalted hash by SHA-1 that is quickly guessed from; it is off since 8.4 and gone in 9.0, where the "
            "account cannot log in any more",
        ),
        "sha256_password": Weak(LOW, "it is deprecated in favour of caching_sha2_password"),
    },
    better="IDENTIFIED WITH caching_sha2_password BY '…'",
    stored="user",
    grant_tables=("user", "global_grants", "role_edges", *_GRANT_TABLES),
)


def _cis(*items: str) -> tuple[Benchmark, ...]:
    return tuple(Benchmark(benchmark="CIS MariaDB 10.6", version="1.0.0", item=item) for item in items)


MARIADB = Words(
    statements=MariaDBStatements,
    # mariadb-install-db makes an account for the user that the server runs as, by its socket alone.
    administrators=(*_ROOT, ("mysql", "localhost")),
    strong={
        "SUPER": HIGH,
        "CREATE USER": HIGH,
        "SET USER": HIGH,
        "BINLOG REPLAY": HIGH,
        "CONNECTION ADMIN": MEDIUM,
        "BINLOG ADMIN": MEDIUM,
        "READ_ONLY ADMIN": MEDIUM,
        "FEDERATED ADMIN": MEDIUM,
        "REPLICATION SLAVE ADMIN": MEDIUM,
        "REPLICATION MASTER ADMIN": MEDIUM,
    },
    weak={
        "mysql_old_password": _OLD,
        "mysql_native_password": Weak(
            LOW,
            "it is what MariaDB uses when nothing else is said, and an unsalted hash by SHA-1 that is quickly guessed "
            "from once it is read; ed25519 and parsec are not",
        ),
    },
    better="IDENTIFIED VIA ed25519 USING PASSWORD('…')",
    stored="global_priv",
    grant_tables=("global_priv", "user", "roles_mapping", "proc", *_GRANT_TABLES),
    benchmarks={
        "skip_grants": _cis("4.5"),
        "anonymous": _cis("7.6"),
        "empty_password": _cis("7.3"),
        "old_plugin": _cis("7.1", "7.3"),
        "wide_host": _cis("7.5"),
        "strong_rights": _cis("5.4", "5.6"),
        "file": _cis("5.2"),
        "process": _cis("5.3", "5.5"),
        "grant_option": _cis("5.7"),
        "system_schema": _cis("5.1"),
        "definer_rights": _cis("5.10"),
        "test_rows": _cis("4.2"),
        "wide_rows": _cis("5.9"),
    },
)
