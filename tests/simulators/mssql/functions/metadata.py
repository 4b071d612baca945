"""Names and numbers of databases, schemas and objects, and their properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.mssql import names, rights
from tests.simulators.mssql.catalog.databases import WORDS, row
from tests.simulators.mssql.lexer import Cursor, tokens
from tests.simulators.mssql.model import Database, Object
from tests.simulators.mssql.registry import function
from tests.simulators.mssql.scope import Scope

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@function("DB_NAME", "nvarchar(128)", "int?")
def database_name(session: Session, *given: int | None) -> str | None:
    if not given:
        return session.database
    found = session.instance.state.databases.get(given[0]) if given[0] is not None else None
    return found.name if found else None


@function("DB_ID", "smallint", "nvarchar(128)?")
def database_id(session: Session, *given: str | None) -> int | None:
    if not given:
        return session.database_id
    found = names.find_database(session, given[0] or "")
    return found.database_id if found else None


@function("SCHEMA_NAME", "nvarchar(128)", "int?")
def schema_name(session: Session, *given: int | None) -> str | None:
    if not given:
        return names.default_schema(session, session.current)
    found = session.current.schemas.get(given[0]) if given[0] is not None else None
    return found.name if found else None


@function("SCHEMA_ID", "int", "nvarchar(128)?")
def schema_id(session: Session, *given: str | None) -> int | None:
    wanted = given[0] if given else names.default_schema(session, session.current)
    found = names.schema_named(session, session.current, wanted or "")
    return found.schema_id if found else None


@function("OBJECT_ID", "int", "nvarchar(1035)", "nvarchar(2)?")
def object_id(session: Session, name: str | None, kind: str | None = None) -> int | None:
    """NULL where there is no such object, where it is of another type, and where one may not see it."""
    found = _object(session, name or "")
    if found is None or (kind and found[1].type != kind.strip()):
        return None
    return found[1].object_id if rights.sees(session, *found) else None


def _object(session: Session, name: str) -> tuple[Database, Object] | None:
    cursor = Cursor(name, tokens(name))
    parts = cursor.dotted()
    database = names.find_database(session, parts[-3]) if len(parts) > 2 and parts[-3] else session.current
    if database is None or names.user_of(session, database) is None:
        return None
    found = names.find_object(session, database, parts[-2] if len(parts) > 1 else "", parts[-1])
    return (database, found) if found else None


@function("OBJECT_NAME", "nvarchar(128)", "int", "int?")
def object_name(session: Session, number: int | None, database: int | None = None) -> str | None:
    found = _by_id(session, number, database)
    return found[1].name if found else None


@function("OBJECT_SCHEMA_NAME", "nvarchar(128)", "int", "int?")
def object_schema_name(session: Session, number: int | None, database: int | None = None) -> str | None:
    found = _by_id(session, number, database)
    return names.object_name(*found)[0] if found else None


def _by_id(session: Session, number: int | None, database: int | None) -> tuple[Database, Object] | None:
    where = session.current if database is None else session.instance.state.databases.get(database)
    found = where.objects.get(number) if where and number is not None else None
    return (where, found) if where and found and rights.sees(session, where, found) else None


@function("OBJECT_DEFINITION", "nvarchar(max)", "int")
def object_definition(session: Session, number: int | None) -> str | None:
    found = _by_id(session, number, None)
    return found[1].text if found else None


@function("TYPE_NAME", "nvarchar(128)", "int")
def type_name(_session: Session, number: int | None) -> str | None:
    from tests.simulators.mssql.catalog.objects import SYSTEM_TYPES

    known = {found[0]: name for name, found in SYSTEM_TYPES.items()} | {256: "sysname"}
    return known.get(number) if number is not None else None


@function("COL_NAME", "nvarchar(128)", "int", "int")
def column_name(session: Session, number: int | None, column: int | None) -> str | None:
    found = _by_id(session, number, None)
    return next((one.name for one in found[1].columns if one.column_id == column), None) if found else None


@function("FILEPROPERTY", "int", "nvarchar(128)", "nvarchar(128)")
def file_property(session: Session, name: str | None, wanted: str | None) -> int | None:
    found = next((one for one in session.current.files if session.same(one.name, name or "")), None)
    if found is None:
        return None
    known = {
        "isreadonly": 0,
        "isprimaryfile": int(found.file_id == 1),
        "islogfile": int(found.type == 1),
        "spaceused": found.used,
    }
    return known.get((wanted or "").casefold())


@function("DATABASEPROPERTYEX", "sql_variant", "nvarchar(128)", "nvarchar(128)")
def database_property(session: Session, name: str | None, wanted: str | None) -> object:
    """NULL for a database or a property that there is not."""
    found = names.find_database(session, name or "")
    if found is None:
        return None
    values = row(Scope(session, found), found)
    known: dict[str, object] = {
        "collation": values["collation_name"],
        "comparisonstyle": 196609,
        "edition": None,
        "lastgoodcheckdbtime": found.last_good_check,
        "lcid": 1033,
        "recovery": WORDS["recovery_model"][int(str(values["recovery_model"]))],
        "status": names.STATES[found.state],
        "updateability": "READ_ONLY" if values["is_read_only"] or values["is_in_standby"] else "READ_WRITE",
        "useraccess": values["user_access_desc"],
        "version": 904 if found.state == 0 else None,
        "isinstandby": int(bool(values["is_in_standby"])),
        "isautoclose": int(bool(values["is_auto_close_on"])),
        "isautoshrink": int(bool(values["is_auto_shrink_on"])),
        "isfulltextenabled": int(bool(values["is_fulltext_enabled"])),
    }
    return known.get((wanted or "").casefold())
