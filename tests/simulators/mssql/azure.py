"""What is not there in Azure SQL Database, and what is there in ``master`` alone: each an error with its number.

"T-SQL differences between SQL Server and Azure SQL Database", "Azure SQL Database server roles for permission
management", CREATE LOGIN and ALTER LOGIN of the documentation; the numbers from "Database engine errors 40000-49999".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.simulators.mssql.answers import failed

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

MASTER_ONLY = ("CREATE LOGIN", "ALTER LOGIN", "DROP LOGIN", "ALTER SERVER ROLE", "CREATE DATABASE", "DROP DATABASE")
NOT_THERE = ("BACKUP", "RESTORE", "CREATE SERVER ROLE", "DROP SERVER ROLE", "RECONFIGURE", "SHUTDOWN")
PROCEDURES = ("sp_configure", "sp_update_job")
"""Those that this simulator has and Azure has not; besides what begins with ``xp_``."""
LOGIN_OPTIONS = {"PASSWORD", "OLD_PASSWORD", "SID", "NAME", "OBJECT_ID"}
VIEWS_OF_MASTER = ("sys.server_principals", "sys.sql_logins", "sys.server_role_members")
VIEWS_NOT_THERE = ("sys.server_permissions", "sys.endpoints", "sys.master_files")
SYSTEM = ("tempdb", "model", "msdb")
ROLES = (
    "##MS_DatabaseConnector##", "##MS_DatabaseManager##", "##MS_DefinitionReader##", "##MS_LoginManager##",
    "##MS_SecurityDefinitionReader##", "##MS_ServerStateReader##", "##MS_ServerStateManager##",
)  # fmt: skip
DATABASE_ROLES = ("dbmanager", "loginmanager")
"""Of ``master``."""


def statement(session: Session, words: Iterable[str]) -> None:
    """Raises 40510 for what is not there, 5001 for what is a matter of ``master``."""
    if not session.instance.azure:
        return
    said = " ".join(words)
    for known in NOT_THERE:
        if said.startswith(known):
            raise failed(40510, f"Statement '{known}' is not supported in this version of SQL Server.")
    if said.startswith(MASTER_ONLY) and session.database != "master":
        raise failed(5001, "User must be in the master database.")


def procedure(session: Session, name: str) -> None:
    """Raises 2812 for what is no procedure there."""
    if session.instance.azure and (name.startswith("xp_") or name in PROCEDURES):
        raise failed(2812, f"Could not find stored procedure '{name}'.", state=62)


def login_options(session: Session, given: Iterable[str]) -> None:
    """Raises 40517 for what only servers of one's own know of a login."""
    for word in given:
        if session.instance.azure and word not in LOGIN_OPTIONS:
            raise failed(40517, f"Keyword or statement option '{word}' is not supported in this version of SQL Server.")


def server_scope(session: Session) -> None:
    """Raises 40521: nothing is granted on the server."""
    if session.instance.azure:
        raise failed(40521, "Securable class 'server' not supported in the server scope in this version of SQL Server.")


def has_view(session: Session, name: str) -> bool:
    """The server's principals are rows of ``master``."""
    if not session.instance.azure:
        return True
    return name not in VIEWS_NOT_THERE and (name not in VIEWS_OF_MASTER or session.database == "master")


def shows_database(session: Session, name: str) -> bool:
    """``sys.databases`` has all of them in ``master``, and elsewhere that and one's own."""
    if not session.instance.azure:
        return True
    return name not in SYSTEM and (session.database == "master" or name in ("master", session.database))


def shows_role(session: Session, name: str, *, fixed: bool) -> bool:
    """Fixed roles of the server."""
    return not session.instance.azure or not fixed or name in ROLES
