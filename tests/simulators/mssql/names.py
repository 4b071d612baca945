"""From names to what they mean: databases that a login can reach, objects by schema, users by login."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql.answers import Failed, failed
from tests.simulators.mssql.identity import DBO, GUEST, SA
from tests.simulators.mssql.model import Database, Object, Principal, Schema, named, roles_of
from tests.simulators.mssql.permissions import covering

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

STATES = {
    0: "ONLINE",
    1: "RESTORING",
    2: "RECOVERING",
    3: "RECOVERY_PENDING",
    4: "SUSPECT",
    5: "EMERGENCY",
    6: "OFFLINE",
}


def find_database(session: Session, name: str) -> Database | None:
    return next((one for one in session.instance.state.databases.values() if session.same(one.name, name)), None)


AZURE_SQL_DATABASE = 5


def reach(session: Session, name: str) -> Database:
    """A database by name, to be used or read now. Raises 911, 927, 942, 945 or 916; in Azure SQL Database 40515."""
    elsewhere = not session.same(name, session.database) and name.casefold() != "tempdb"
    if session.instance.engine_edition == AZURE_SQL_DATABASE and elsewhere:
        raise failed(
            40515,
            f"Reference to database and/or server name in '{name}' is not supported in this version of SQL Server.",
            severity=15,
        )
    found = find_database(session, name)
    if found is None:
        raise failed(911, f"Database '{name}' does not exist. Make sure that the name is entered correctly.")
    usable(found)
    if user_of(session, found) is None:
        raise failed(
            916,
            f'The server principal "{login_name(session)}" is not able to access the database "{found.name}" under the '
            "current security context.",
            severity=14,
            state=2,
        )
    open_to(session, found)
    return found


_INACCESSIBLE = (
    "Database '{}' cannot be opened due to inaccessible files or insufficient memory or disk space. See the SQL Server "
    "errorlog for details."
)
_SUSPECT = (
    "Database '{}' cannot be opened. It has been marked SUSPECT by recovery. See the SQL Server errorlog for more "
    "information."
)
REFUSALS: dict[int, tuple[int, int, str]] = {
    1: (927, 14, "Database '{}' cannot be opened. It is in the middle of a restore."),
    2: (922, 14, "Database '{}' is being recovered. Waiting until recovery is finished."),
    3: (945, 16, _INACCESSIBLE),
    4: (926, 14, _SUSPECT),
    6: (942, 14, "Database '{}' cannot be opened because it is offline."),
}


def usable(found: Database) -> None:
    """Raises for a database that is not online, or that a test says is closed, as a secondary can be."""
    if found.refusal is not None:
        raise Failed(found.refusal)
    if found.state in REFUSALS:
        number, severity, text = REFUSALS[found.state]
        raise failed(number, text.format(found.name), severity=severity, state=2)


def open_to(session: Session, found: Database) -> None:
    """924 and 923 of databases that are in single or restricted use."""
    access = found.options.get("user_access", 0)
    others = [one for one in session.instance.sessions.values() if one is not session]
    if access == 1 and any(one.database_id == found.database_id for one in others):
        raise failed(924, f"Database '{found.name}' is already open and can only have one user at a time.", severity=14)
    user = user_of(session, found)
    owners = {1} if user is None else {1} & {user.principal_id} or roles_of(user.principal_id, found.members) & {16384}
    if access == 2 and not owners:
        raise failed(
            923,
            f"Database '{found.name}' is in restricted mode. Only the database owner and members of the dbcreator and "
            "sysadmin roles can access it.",
            severity=14,
        )


def login_name(session: Session) -> str:
    login = session.identity.login
    return session.instance.state.principals[login].name if login is not None else session.original_login


def user_of(session: Session, database: Database) -> Principal | None:
    """The user that the session is in a database; None where it may not enter at all."""
    identity = session.identity
    if identity.user is not None:
        return (
            database.principals.get(identity.user[1]) if identity.user[0] == database.database_id else _guest(database)
        )
    if identity.login is None:
        return None
    return user_of_login(session, identity.login, database)


def user_of_login(session: Session, login_id: int, database: Database) -> Principal | None:
    state = session.instance.state
    login = state.principals[login_id]
    roles = roles_of(login_id, state.members) | {login_id}
    if (
        login_id == SA
        or any(state.principals[one].name == "sysadmin" for one in roles)
        or login.sid == database.owner_sid
    ):
        return database.principals[DBO]
    sids = [login.sid, *(state.principals[one].sid for one in roles if state.principals[one].type in {"G", "X"})]
    for sid in sids:
        found = next((one for one in database.principals.values() if sid and one.sid == sid and one.type != "R"), None)
        if found is not None:
            break
    else:
        found = database.principals[GUEST]
    from tests.simulators.mssql.rights import enters

    return found if enters(session, login_id, database, found) else None


def _guest(database: Database) -> Principal | None:
    guest = database.principals[GUEST]
    return guest if connects(database, guest) else None


def connects(database: Database, user: Principal) -> bool:
    """CONNECT, or what includes it, of the user, of public or of a role; a DENY of any of them keeps it out."""
    if user.principal_id == DBO:
        return True
    who = {user.principal_id, 0} | roles_of(user.principal_id, database.members)
    includes = covering("DATABASE", "CONNECT")
    stored = {
        one.state for one in database.permissions if one.class_ == 0 and one.grantee in who and one.name in includes
    }
    return "D" not in stored and (bool(stored) or 16384 in who)


def schema_named(session: Session, database: Database, name: str) -> Schema | None:
    return next((one for one in database.schemas.values() if session.same(one.name, name)), None)


def default_schema(session: Session, database: Database) -> str:
    user = user_of(session, database)
    return (user.default_schema if user else None) or "dbo"


def find_object(session: Session, database: Database, schema: str, name: str) -> Object | None:
    """Without a schema: the user's default schema first, then dbo."""
    for one in [schema] if schema else dict.fromkeys([default_schema(session, database), "dbo"]):
        found_schema = schema_named(session, database, one)
        if found_schema is None:
            continue
        for found in database.objects.values():
            if found.schema_id == found_schema.schema_id and session.same(found.name, name):
                return found
    return None


def object_name(database: Database, found: Object) -> tuple[str, str]:
    return database.schemas[found.schema_id].name, found.name


def find_user(session: Session, database: Database, name: str) -> Principal | None:
    return named(database.principals, name, session.same)


def find_login(session: Session, name: str) -> Principal | None:
    return named(session.instance.state.principals, name, session.same)


def tokens(session: Session, database: Database, user: Principal) -> Iterator[int]:
    """The principals that a user counts as in a database: itself, its roles and public."""
    yield user.principal_id
    yield 0
    yield from roles_of(user.principal_id, database.members)
