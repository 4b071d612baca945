"""HAS_PERMS_BY_NAME: what the session may do, by the evaluation that statements are judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.mssql import names, rights
from tests.simulators.mssql.answers import Failed
from tests.simulators.mssql.lexer import Cursor, tokens
from tests.simulators.mssql.permissions import find, of_class
from tests.simulators.mssql.registry import function
from tests.simulators.mssql.rights import SERVER, Securable

if TYPE_CHECKING:
    from tests.simulators.mssql.model import Database
    from tests.simulators.mssql.session import Session


@function(
    "HAS_PERMS_BY_NAME",
    "int",
    *("nvarchar(1035)", "nvarchar(60)", "nvarchar(128)", "nvarchar(128)?", "nvarchar(60)?"),
)
def has_permission(
    session: Session,
    name: str | None,
    class_name: str | None,
    permission: str | None,
    column: str | None = None,
    _column_class: str | None = None,
) -> int | None:
    """NULL for a permission, a class or a securable that there is not. ``ANY`` asks for any permission at all."""
    class_desc = (class_name or "SERVER").upper()
    found = securable_named(session, class_desc, name)
    if found is None or permission is None:
        return None
    database, securable = found
    if permission.upper() == "ANY":
        names_ = [one.name for one in of_class(class_desc, session.instance.major)]
        return int(any(holds(session, one, database, securable) for one in names_))
    known = find(class_desc, permission, session.instance.major)
    if known is None:
        return None
    if column is not None and database is not None:
        return _column(session, known.name, database, securable, column)
    return int(holds(session, known.name, database, securable))


def holds(session: Session, permission: str, database: Database | None, securable: Securable) -> bool:
    if database is None:
        return rights.server_right(session, session.server_login, permission, securable)
    if permission == "CONNECT" and securable.class_desc == "DATABASE":
        return names.user_of(session, database) is not None
    return rights.has(session, permission, securable, database)


def securable_named(session: Session, class_desc: str, name: str | None) -> tuple[Database | None, Securable] | None:
    if class_desc == "SERVER":
        return None, SERVER
    if class_desc in {"LOGIN", "SERVER ROLE"}:
        login = names.find_login(session, (name or "").strip("[]"))
        if login is None or (login.type == "R") != (class_desc == "SERVER ROLE"):
            return None
        return None, Securable(class_desc, 101, login.principal_id, login.owner)
    if class_desc == "DATABASE" and name is None:
        return session.current, rights.DATABASE
    try:
        parts = Cursor(name or "", tokens(name or "")).dotted()
    except Failed:  # not a name, unless it is quoted
        return None
    if class_desc == "DATABASE":
        found = names.find_database(session, parts[-1])
        return (found, rights.DATABASE) if found else None
    return _in_database(session, class_desc, parts)


def _in_database(session: Session, class_desc: str, parts: tuple[str, ...]) -> tuple[Database, Securable] | None:
    depth = {"OBJECT": 3}.get(class_desc, 2)
    database = names.find_database(session, parts[0]) if len(parts) == depth else session.current
    if database is None:
        return None
    if class_desc == "OBJECT":
        found = names.find_object(session, database, parts[-2] if len(parts) > 1 else "", parts[-1])
        return (database, rights.of_object(database, found)) if found else None
    if class_desc == "SCHEMA":
        schema = names.schema_named(session, database, parts[-1])
        return (database, rights.of_schema(database, schema.schema_id)) if schema else None
    if class_desc in {"USER", "ROLE", "APPLICATION ROLE"}:
        user = names.find_user(session, database, parts[-1])
        return (database, Securable(class_desc, 4, user.principal_id, user.owner)) if user else None
    return None


def _column(session: Session, permission: str, database: Database, securable: Securable, column: str) -> int | None:
    found = database.objects[securable.major_id]
    here = next((one.name for one in found.columns if session.same(one.name, column)), None)
    if here is None:
        return None
    if rights.owns(session, database, found):
        return 1
    states = rights.column_states(session, permission, database, found).get(here, set())
    if "D" in states:
        return 0
    apart = rights.parted(permission, database, found, here)
    granted = bool(states & {"G", "W"})
    return int(rights.has(session, permission, securable, database, on_column=granted, apart=apart))
