"""How sessions with SQL Server are set up.

What ODBC is told is put together here and not by SQLAlchemy, so that one rule quotes every value: in braces, a closing
one doubled.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from dbops.errors import ConfigError, UsageError
from dbops.model.server import Endpoint, Session
from dbops_mssql.driver import Driver, choose
from dbops_mssql.fault import fault

__all__ = ["fault", "quoted", "session"]

LOCK_TIMEOUT_MS = 1000
TOKEN = "ActiveDirectoryAccessToken"  # noqa: S105 - the word that says what the password is
# SQL_COPT_SS_ACCESS_TOKEN of msodbcsql.h: the token in UTF-16 behind its length in bytes.
TOKEN_ATTRIBUTE = 1256
APPLICATION = "dbops"
# One meaning for every text of ours, whatever the defaults of the server, the database or the login are; messages in
# English, which are looked at.
_PINNED = (
    "SET LANGUAGE us_english",
    "SET DATEFORMAT ymd",
    "SET ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT, CONCAT_NULL_YIELDS_NULL, QUOTED_IDENTIFIER ON",
    "SET NUMERIC_ROUNDABORT, IMPLICIT_TRANSACTIONS, NOEXEC, PARSEONLY, FMTONLY OFF",
    "SET ROWCOUNT 0",
    "SET TEXTSIZE 2147483647",
    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
)
# Of ODBC, said by the parts of a URL: a session must not end up on another server than the one it was sent to.
_OF_THE_URL = {"server", "address", "addr", "port", "database", "uid", "dsn", "filedsn", "savefile", "servername"}
_OURS = {"driver", "authentication", "encrypt", "trustservercertificate"}
# mssql_python/constants.py; another one ends in an exception of its own kind.
_OF_MSSQL_PYTHON = {
    "applicationintent", "hostnameincertificate", "ipaddresspreference", "keepalive", "keepaliveinterval",
    "multisubnetfailover", "packetsize", "servercertificate", "serverspn", "trusted_connection",
}  # fmt: skip
_HINTS = {
    "auth_failed": (
        "Is the password right, is the login enabled, and does it open the database that was asked for? Logins with a "
        "password need mixed authentication. The server's error log says which it was, by the state of 18456."
    ),
    "connect_failed": "Is the server up, and are its address and port right? Its error log and the firewall may tell.",
    "no_permission": "`dbops grants mssql --for JOB` prints what a login needs.",
    "timeout": (
        'Is the server up, are its address and port right, and is it not blocked? timeout = "30s" of the target waits '
        "longer."
    ),
    "unknown_database": "SELECT name, state_desc, user_access_desc FROM sys.databases shows what can be opened.",
    "certificate_untrusted": (
        "Have the server show a certificate of an authority that this machine trusts, for the name in the URL "
        "(?HostNameInCertificate=NAME says another). ?TrustServerCertificate=yes encrypts without knowing to whom."
    ),
    "driver_missing": (
        "The driver, or a library that it needs, is not on this machine: `ldd FILE` says which. "
        "pip install 'dbops[mssql]' brings the driver."
    ),
}
_YES = {"1", "yes", "true", "y", "on"}


def session(
    endpoint: Endpoint, *, read_only: bool, timeout_s: float, driver: Callable[[str], Driver] = choose
) -> Session:
    """How to connect, without the password.

    A reader waits at most ``timeout_s`` for an answer and a second for a lock, and gives way in a deadlock.
    A writer waits ``timeout_s`` for a lock; what it runs then takes as long as it takes. T-SQL has no sessions that
    cannot write: what a reader may not do is up to its login.
    :raises ConfigError: there is no ODBC driver, or it cannot do what the URL asks for.
    :raises UsageError: an option says what the URL says elsewhere.
    """
    options = {name.lower(): value for name, value in endpoint.options.items()}
    if taken := sorted(_OF_THE_URL & options.keys()):
        raise UsageError(
            f"the option {taken[0]} is a part of the URL", hint="Write it as mssql://user@host:1433/database."
        )
    seconds = max(1, math.ceil(timeout_s))
    made = Session(
        drivername="mssql+mssqlpython",
        connect={},
        preamble=_preamble(read_only, timeout_s),
        # No transaction sees metadata as of one moment: catalog views are not versioned.
        begin="BEGIN TRANSACTION",
        begin_writing="BEGIN TRANSACTION",
        rollback="IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION",
        attributes={"timeout": seconds if read_only else 0},
        hints=_HINTS,
    )
    if endpoint.engine.endswith("+mssqlpython"):
        return replace(made, query=_for_mssql_python(endpoint, options))
    chosen = driver(options.get("driver", ""))
    words = {**_where(endpoint, chosen), **_encryption(chosen, options)}
    words |= {name: value for name, value in options.items() if name not in _OURS}
    return replace(
        made,
        drivername="mssql+pyodbc",
        connect={"timeout": seconds, "autocommit": True},
        query={"odbc_connect": f"APP={APPLICATION}"},
        login=_login(endpoint, options, words, chosen),
    )


def quoted(value: str, driver: Driver) -> str:
    """A value in a connection string.

    :raises ConfigError: FreeTDS does not undouble a brace; what would end the value there cannot be said to it.
    """
    if driver.family == "microsoft":
        return "{" + value.replace("}", "}}") + "}"
    if "};" in value:
        raise ConfigError(
            "a name or password with a closing brace and a semicolon cannot be told to the ODBC driver of FreeTDS",
            hint="Use Microsoft's driver: pip install 'dbops[mssql]'.",
        )
    return "{" + value + "}"


def _preamble(read_only: bool, timeout_s: float) -> tuple[str, ...]:
    wait = LOCK_TIMEOUT_MS if read_only else max(1, round(timeout_s * 1000))
    # A writer's transaction ends as a whole with the first error in it.
    own = ("SET DEADLOCK_PRIORITY LOW",) if read_only else ("SET XACT_ABORT ON",)
    return ("; ".join((*_PINNED, f"SET LOCK_TIMEOUT {wait}", *own)),)


def _where(endpoint: Endpoint, driver: Driver) -> dict[str, str]:
    host = endpoint.host or "localhost"
    words = {"DRIVER": driver.name, "SERVER": host}
    if endpoint.port and driver.family == "freetds":
        words["PORT"] = str(endpoint.port)
    elif endpoint.port:
        words["SERVER"] = f"{host},{endpoint.port}"
    if driver.family == "freetds":
        words["TDS_Version"] = "7.4"
    else:
        # A session that was broken is not opened again behind our back: it would have lost its locks.
        words["ConnectRetryCount"] = "0"
    if endpoint.database:
        words["DATABASE"] = endpoint.database
    return words


def _encryption(driver: Driver, options: Mapping[str, str]) -> dict[str, str]:
    """On, and the certificate verified, unless it is told otherwise; driver 17 does neither by itself."""
    encrypt = options.get("encrypt", "yes")
    trusted = options.get("trustservercertificate", "no")
    if driver.family == "microsoft":
        return {"Encrypt": encrypt, "TrustServerCertificate": trusted}
    off = encrypt.lower() in ("no", "false", "optional", "0")
    if not off and trusted.lower() not in _YES:
        raise ConfigError(
            "the ODBC driver of FreeTDS does not verify the server's certificate",
            hint="Use Microsoft's driver (pip install 'dbops[mssql]'), or write ?TrustServerCertificate=yes.",
        )
    return {"Encryption": "off" if off else "require"}


def _login(
    endpoint: Endpoint, options: Mapping[str, str], words: Mapping[str, str], driver: Driver
) -> Callable[[str | None], dict[str, object]]:
    """With SQL Server's own password, a token or another way of Entra, or as the user of the operating system."""
    authentication = options.get("authentication", "")
    by_token = authentication.lower() == TOKEN.lower()

    def login(password: str | None) -> dict[str, object]:
        arguments: dict[str, object] = {name: quoted(value, driver) for name, value in words.items()}
        if by_token:
            return arguments | {"attrs_before": {TOKEN_ATTRIBUTE: _token(password)}}
        if authentication:
            arguments["Authentication"] = authentication
        elif not endpoint.user and "trusted_connection" not in options:
            arguments["Trusted_Connection"] = "yes"
        if endpoint.user:
            arguments["UID"] = quoted(endpoint.user, driver)
        if password is not None:
            arguments["PWD"] = quoted(password, driver)
        return arguments

    return login


def _token(password: str | None) -> bytes:
    if not password:
        raise ConfigError(f"Authentication={TOKEN} takes the token as the password, and there is none")
    raw = password.encode("utf-16-le")
    return struct.pack("<I", len(raw)) + raw


def _for_mssql_python(endpoint: Endpoint, options: Mapping[str, str]) -> dict[str, str]:
    """The words of the driver mssql-python, which brings Microsoft's own along."""
    if options.get("authentication", "").lower() == TOKEN.lower():
        raise UsageError(
            f"Authentication={TOKEN} is for mssql:// URLs",
            hint="mssql+mssqlpython:// finds a token by itself: Authentication=ActiveDirectoryDefault.",
        )
    others = {name: value for name, value in options.items() if name not in _OURS}
    if unknown := sorted(others.keys() - _OF_MSSQL_PYTHON):
        raise UsageError(f"the driver mssql-python has no option {unknown[0]}", hint="mssql:// hands it to ODBC.")
    query = {"Encrypt": options.get("encrypt", "yes"), "ConnectRetryCount": "0"}
    query["TrustServerCertificate"] = options.get("trustservercertificate", "no")
    if not endpoint.database:
        query["database"] = "master"  # it takes no empty one
    if "authentication" in options:
        query["Authentication"] = options["authentication"]
    elif not endpoint.user and "trusted_connection" not in options:
        query["Trusted_Connection"] = "yes"
    return query | others
