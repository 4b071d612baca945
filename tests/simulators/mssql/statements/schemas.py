"""CREATE and DROP SCHEMA, ALTER SCHEMA … TRANSFER, ALTER AUTHORIZATION."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import names, rights, securables
from tests.simulators.mssql.answers import Answer, Done, failed, unknown
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.model import Permission, Schema
from tests.simulators.mssql.refusals import not_found, special
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.rights import DATABASE
from tests.simulators.mssql.securables import Named
from tests.simulators.mssql.statements.tables import first_in_batch

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@statement("CREATE SCHEMA")
def create(session: Session, cursor: Cursor) -> Iterator[Answer]:
    first_in_batch(cursor, "CREATE SCHEMA")
    name = "" if cursor.sees("AUTHORIZATION") else cursor.name()
    user = names.user_of(session, session.current)
    owner = user.principal_id if user else 1
    rights.demand(session, "CREATE SCHEMA", DATABASE, session.current)
    if cursor.accept("AUTHORIZATION"):
        chosen = cursor.name()
        found = names.find_user(session, session.current, chosen)
        if found is None:
            raise not_found("find", "user", chosen)
        owner, name = found.principal_id, name or chosen
    if not cursor.done:
        raise unknown("CREATE SCHEMA with the objects in it")
    if names.schema_named(session, session.current, name):
        raise failed(2714, f"There is already an object named '{name}' in the database.", state=6)
    session.instance.changing(session)
    database = session.current
    database.schemas[database.next_schema] = Schema(name, database.next_schema, owner)
    database.next_schema += 1
    yield Done()


@statement("DROP SCHEMA")
def drop(session: Session, cursor: Cursor) -> Iterator[Answer]:
    quiet = cursor.accept("IF", "EXISTS")
    name = cursor.name()
    found = names.schema_named(session, session.current, name)
    if found is None and quiet:
        yield Done()
        return
    if found is None or not _may_alter(session, found):
        raise not_found("drop", "schema", name)
    if found.schema_id < 5:
        raise special("drop", "schema", name)
    inside = next((one for one in session.current.objects.values() if one.schema_id == found.schema_id), None)
    if inside:
        raise failed(3729, f"Cannot drop schema '{name}' because it is being referenced by object '{inside.name}'.")
    session.instance.changing(session)
    database = session.current
    del database.schemas[found.schema_id]
    database.permissions = [one for one in database.permissions if (one.class_, one.major_id) != (3, found.schema_id)]
    yield Done()


def _may_alter(session: Session, found: Schema) -> bool:
    return rights.has(session, "CONTROL", rights.of_schema(session.current, found.schema_id), session.current)


@statement("ALTER SCHEMA")
def transfer(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    cursor.expect("TRANSFER")
    named = securables.read(session, cursor)
    schema = names.schema_named(session, session.current, name)
    if schema is None or not _may_alter(session, schema):
        raise not_found("alter", "schema", name)
    if named.securable.class_desc != "OBJECT":
        raise unknown(f"ALTER SCHEMA … TRANSFER {named.securable.class_desc}")
    session.instance.changing(session)
    database = session.current
    moved = database.objects[named.securable.major_id]
    moved.schema_id, moved.owner = schema.schema_id, None
    database.permissions = [one for one in database.permissions if (one.class_, one.major_id) != (1, moved.object_id)]
    yield Done()


@statement("ALTER AUTHORIZATION ON")
def authorization(session: Session, cursor: Cursor) -> Iterator[Answer]:
    named = _target(session, cursor)
    cursor.expect("TO")
    chosen = "" if cursor.accept("SCHEMA", "OWNER") else cursor.name()
    session.instance.changing(session)
    if named.database is None or named.securable.class_desc == "DATABASE":
        _of_server(session, named, chosen)
    else:
        _in_database(session, named, chosen)
    yield Done()


def _target(session: Session, cursor: Cursor) -> Named:
    """A database is named from any other one."""
    if cursor.accept("DATABASE", "::"):
        name = cursor.name()
        found = names.find_database(session, name)
        if found is None:
            raise not_found("find", "database", name)
        return Named(DATABASE, found, found.name)
    return securables.read(session, cursor)


def _of_server(session: Session, named: Named, chosen: str) -> None:
    login = names.find_login(session, chosen)
    if login is None:
        raise not_found("find", "principal", chosen)
    if named.database is not None:
        if login.type in {"R", "G", "X", "C", "K"}:
            raise failed(
                15345,
                "An entity of type database cannot be owned by a role, a group, or by principals mapped to "
                "certificates or asymmetric keys.",
            )
        _database_owner(session, named, login.sid or b"", login.principal_id)
        return
    if named.securable.class_desc != "SERVER ROLE":
        raise unknown(f"ALTER AUTHORIZATION ON {named.securable.class_desc}")
    if not rights.server_right(session, session.server_login, "TAKE OWNERSHIP", named.securable):
        raise not_found("find", "server role", named.name)
    role = session.instance.state.principals[named.securable.major_id]
    if role.is_fixed_role:
        raise special("alter", "server role", named.name)
    role.owner = login.principal_id


def _database_owner(session: Session, named: Named, sid: bytes, login: int) -> None:
    assert named.database is not None
    if not rights.has(session, "TAKE OWNERSHIP", DATABASE, named.database):
        raise failed(
            15151, f"Cannot find the database '{named.name}', because it does not exist or you do not have permission."
        )
    database = session.instance.state.databases[named.database.database_id]
    if database.database_id < 5:
        raise failed(15109, "Cannot change the owner of the master, model, tempdb or distribution database.")
    if any(one.sid == sid and one.principal_id != 1 for one in database.principals.values()):
        raise failed(15110, "The proposed new database owner is already a user or aliased in the database.")
    del login
    database.owner_sid = database.principals[1].sid = sid


def _in_database(session: Session, named: Named, chosen: str) -> None:
    assert named.database is not None
    database = session.instance.state.databases[named.database.database_id]
    owner = names.find_user(session, database, chosen) if chosen else None
    if chosen and owner is None:
        raise not_found("find", "principal", chosen)
    if not rights.has(session, "TAKE OWNERSHIP", named.securable, database):
        raise not_found("find", named.securable.class_desc.lower(), named.name)
    number = owner.principal_id if owner else None
    match named.securable.class_desc:
        case "SCHEMA":
            database.schemas[named.securable.major_id].owner = number or 1
            for one in database.objects.values():
                if one.schema_id == named.securable.major_id and one.owner is None:
                    database.permissions[:] = [
                        row for row in database.permissions if (row.class_, row.major_id) != (1, one.object_id)
                    ]
        case "OBJECT":
            database.objects[named.securable.major_id].owner = number
        case "ROLE":
            role = database.principals[named.securable.major_id]
            if role.is_fixed_role or role.principal_id == 0:
                raise special("alter", "role", role.name)
            role.owner = number
        case other:
            raise unknown(f"ALTER AUTHORIZATION ON {other}")
    _forget(database.permissions, named)


def _forget(permissions: list[Permission], named: Named) -> None:
    """Changing the owner drops what was granted on the entity; of a schema, also on what in it has its owner."""
    key = (named.securable.number, named.securable.major_id)
    permissions[:] = [one for one in permissions if (one.class_, one.major_id) != key]
