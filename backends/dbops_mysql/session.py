"""How sessions with MySQL and MariaDB are set up, and what the driver's exceptions mean.

What the endpoint leaves out is taken from ``[client]`` of ``~/.my.cnf`` as long as no host is named: the driver lets a
``socket`` in that file win over a host, and a session must never end up on another server than the one it was sent to.
"""

from __future__ import annotations

import math

from dbops.errors import UsageError
from dbops.model.server import Endpoint, Session

__all__ = ["fault", "session"]

LOCK_TIMEOUT_S = 1
TLS_MODES = ("DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
DEFAULTS_FILE = "~/.my.cnf"
READ_GRACE_S = 2
# Of a password. The servers compare bytes; of a text the driver makes those of latin-1, as no program of theirs does.
LETTERS = "utf-8"

# One meaning for every text of ours, whatever the server's or the account's settings are. Names stand in backticks and
# texts without backslashes (see quoting), so that what is shown to a person means the same in a session of his.
_PINNED = (
    # Without the last one, MariaDB's GRANT makes an account that is not there, with an empty password.
    (
        "sql_mode = CONCAT('STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES'"
        " /*M! , ',NO_AUTO_CREATE_USER' */)"
    ),
    "time_zone = '+00:00'",
    "sql_auto_is_null = 0",
    "sql_big_selects = 1",
    "sql_select_limit = DEFAULT",
    "group_concat_max_len = 1048576",
)


def session(endpoint: Endpoint, *, read_only: bool, timeout_s: float) -> Session:
    """How to connect, without the password.

    A reader waits at most ``timeout_s`` for an answer and a second for a lock (the least that the server counts), so it
    never queues others behind itself for long. A writer waits ``timeout_s`` for a lock; what it runs then takes as long
    as it takes.
    :raises UsageError: an unknown ``ssl-mode``, or one that needs a certificate authority without ``ssl_ca``.
    """
    return Session(
        drivername="mysql+pymysql",
        connect=_connect(endpoint, read_only, timeout_s),
        preamble=_preamble(read_only, timeout_s),
        begin="START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        query={name: value for name, value in endpoint.options.items() if not _is_tls(name)},
        password_encoding=LETTERS,
    )


def _preamble(read_only: bool, timeout_s: float) -> tuple[str, ...]:
    wait = LOCK_TIMEOUT_S if read_only else max(1, math.ceil(timeout_s))
    limit_ms = max(1, round(timeout_s * 1000)) if read_only else 0
    # Which of the two it is, is not known yet: each executes the comment that is meant for it.
    limits = f"/*!50708 , max_execution_time = {limit_ms} */ /*M! , max_statement_time = {limit_ms / 1000:g} */"
    # Sizes and the next auto_increment as they are now: MySQL 8 would tell those of up to a day ago.
    limits += " /*!80011 , information_schema_stats_expiry = 0 */"
    waits = f"lock_wait_timeout = {wait}, innodb_lock_wait_timeout = {wait}"
    return (
        f"SET SESSION {', '.join(_PINNED)}, {waits} {limits}",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        f"SET SESSION TRANSACTION {'READ ONLY' if read_only else 'READ WRITE'}",
    )


def _connect(endpoint: Endpoint, read_only: bool, timeout_s: float) -> dict[str, object]:
    connect: dict[str, object] = {
        "charset": "utf8mb4",
        "connect_timeout": max(1, math.ceil(timeout_s)),
        "program_name": "dbops",
        **_tls(endpoint.options),
    }
    if read_only:
        # The server ends a statement that is late; this ends a session whose server is gone.
        connect["read_timeout"] = connect["write_timeout"] = max(1, math.ceil(timeout_s)) + READ_GRACE_S
    if endpoint.host and endpoint.host.startswith("/"):
        connect["unix_socket"] = endpoint.host
    if not endpoint.host and "read_default_file" not in endpoint.options and "unix_socket" not in endpoint.options:
        connect["read_default_file"] = DEFAULTS_FILE
    return connect


def _is_tls(option: str) -> bool:
    return option.replace("-", "_").startswith("ssl_")


def _tls(options: dict[str, str]) -> dict[str, object]:
    """The words of MySQL's own clients (``ssl-mode``, ``ssl-ca`` …) as the driver takes them.

    Without any, a server that has TLS is spoken to by TLS, without a look at its certificate: like ``PREFERRED``.
    """
    given = {name.replace("-", "_"): value for name, value in options.items() if _is_tls(name)}
    mode = given.pop("ssl_mode", "").upper()
    if mode and mode not in TLS_MODES:
        raise UsageError(f"ssl-mode={mode} is not known", hint=f"There is: {', '.join(TLS_MODES)}.")
    if mode.startswith("VERIFY") and "ssl_ca" not in given:
        raise UsageError(f"ssl-mode={mode} needs the certificate authority's file", hint="Add ssl-ca=/path/ca.pem.")
    if mode == "DISABLED":
        return {"ssl_disabled": True}
    tls: dict[str, object] = dict(given)
    for name in ("ssl_verify_cert", "ssl_verify_identity"):
        if name in given:
            tls[name] = given[name].lower() in ("1", "true", "yes", "on")
    if mode.startswith("VERIFY"):
        tls["ssl_verify_cert"] = True
        tls["ssl_verify_identity"] = mode == "VERIFY_IDENTITY"
    elif mode == "REQUIRED" and not tls:
        tls["ssl"] = {"check_hostname": False}
    return tls


# https://dev.mysql.com/doc/mysql-errors/9.4/en/ and https://mariadb.com/kb/en/mariadb-error-code-reference/
_BY_NUMBER = {
    **dict.fromkeys((1045, 1698, 1130, 1251, 1820, 1862, 2059, 2061, 3118, 3159, 4151, 4159), "auth_failed"),
    **dict.fromkeys((1044, 1142, 1143, 1227, 1370, 1095, 1379, 3530, 3879, 4056), "no_permission"),
    **dict.fromkeys((1040, 1203, 1226), "too_many_connections"),
    **dict.fromkeys((1053, 1152, 1927, 2002, 2003, 2005, 2006, 2013, 2014, 2026, 2055, 3169), "connect_failed"),
    **dict.fromkeys((1054, 1109, 1146, 1193, 1305, 1289, 4161), "not_supported_version"),
    **dict.fromkeys((1317, 1969, 3024), "timeout"),
    1049: "unknown_database",
    1205: "lock_timeout",
    1213: "deadlock",
    3572: "lock_timeout",
    1020: "concurrent_update",
    1094: "no_session",
}


def fault(error: BaseException) -> str:
    """The machine reason behind an exception of PyMySQL, by the server's or the client's error number.

    A table, column or variable that is not there reads as ``not_supported_version``: our questions name only what the
    catalogue of some version has.
    """
    if type(error).__name__ == "InterfaceError":
        return "connect_failed"  # the connection is closed already; its number is 0
    number = error.args[0] if error.args else None
    if isinstance(number, int) and not isinstance(error, OSError):
        words = str(error)
        if number in (2003, 2013) and "timed out" in words:
            return "timeout" if number == 2013 else "connect_failed"
        if number == 1047 and "WSREP" in words:
            return "connect_failed"  # a Galera node that is cut off from its cluster serves nobody
        return _BY_NUMBER.get(number, "query_failed")
    if isinstance(error, TimeoutError):
        return "timeout"
    return "connect_failed" if isinstance(error, OSError) else "query_failed"
