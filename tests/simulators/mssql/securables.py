"""``CLASS::name`` in GRANT and ALTER AUTHORIZATION: what is meant, and the error when it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.simulators.mssql import names, rights
from tests.simulators.mssql.answers import failed
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.model import Database
from tests.simulators.mssql.refusals import not_found
from tests.simulators.mssql.rights import DATABASE, SERVER, Securable

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

ON_SERVER = ("SERVER ROLE", "LOGIN", "ENDPOINT", "AVAILABILITY GROUP", "SERVER")
IN_DATABASE = {
    "DATABASE SCOPED CREDENTIAL": (32, "sys.database_scoped_credentials", "credential_id"),
    "DATABASE": (0, "", ""),
    "SCHEMA": (3, "", ""),
    "OBJECT": (1, "", ""),
    "USER": (4, "", ""),
    "APPLICATION ROLE": (4, "", ""),
    "ROLE": (4, "", ""),
    "ASSEMBLY": (5, "sys.assemblies", "assembly_id"),
    "ASYMMETRIC KEY": (26, "sys.asymmetric_keys", "asymmetric_key_id"),
    "CERTIFICATE": (25, "sys.certificates", "certificate_id"),
    "CONTRACT": (16, "sys.service_contracts", "service_contract_id"),
    "FULLTEXT CATALOG": (23, "sys.fulltext_catalogs", "fulltext_catalog_id"),
    "FULLTEXT STOPLIST": (29, "sys.fulltext_stoplists", "stoplist_id"),
    "MESSAGE TYPE": (15, "sys.service_message_types", "message_type_id"),
    "REMOTE SERVICE BINDING": (18, "sys.remote_service_bindings", "remote_service_binding_id"),
    "ROUTE": (19, "sys.routes", "route_id"),
    "SEARCH PROPERTY LIST": (31, "sys.registered_search_property_lists", "property_list_id"),
    "SERVICE": (17, "sys.services", "service_id"),
    "SYMMETRIC KEY": (24, "sys.symmetric_keys", "symmetric_key_id"),
    "TYPE": (6, "sys.types", "user_type_id"),
    "XML SCHEMA COLLECTION": (10, "sys.xml_schema_collections", "xml_collection_id"),
}


class Named(NamedTuple):
    """``database`` is None for what belongs to the server."""

    securable: Securable
    database: Database | None
    name: str


def read(session: Session, cursor: Cursor) -> Named:
    """A class with ``::`` or a bare name, which is that of an object."""
    class_desc = _class(cursor)
    name = cursor.name() if class_desc not in {"OBJECT", "TYPE", "XML SCHEMA COLLECTION"} else ""
    parts = (name,) if name else cursor.dotted()
    if class_desc in ON_SERVER:
        return _on_server(session, class_desc, parts[-1])
    return _in_database(session, class_desc, parts)


def _class(cursor: Cursor) -> str:
    for words in (*ON_SERVER, *sorted(IN_DATABASE, key=len, reverse=True)):
        if cursor.accept(*words.split(), "::"):
            return words
    following = cursor.ahead()
    if following is not None and following.is_symbol("::"):
        raise cursor.wrong()
    return "OBJECT"


def _on_server(session: Session, class_desc: str, name: str) -> Named:
    if class_desc == "SERVER":
        return Named(SERVER, None, name)
    if class_desc in {"LOGIN", "SERVER ROLE"}:
        found = names.find_login(session, name)
        if found is None or (found.type == "R") != (class_desc == "SERVER ROLE"):
            raise not_found("find", class_desc.lower(), name)
        return Named(Securable(class_desc, 101, found.principal_id, found.owner), None, found.name)
    number, view, key = {
        "ENDPOINT": (105, "sys.endpoints", "endpoint_id"),
        "AVAILABILITY GROUP": (108, "sys.availability_groups", "group_id"),
    }[class_desc]
    for row in session.instance.rows_of(view):
        if session.same(str(row["name"]), name):
            return Named(Securable(class_desc, number, int(str(row[key]))), None, name)
    raise not_found("find", class_desc.lower(), name)


def _in_database(session: Session, class_desc: str, parts: tuple[str, ...]) -> Named:
    database = session.current
    name = parts[-1]
    match class_desc:
        case "DATABASE":
            if not session.same(name, database.name):
                raise failed(
                    15151,
                    f"Cannot find the database '{name}', because it does not exist or you do not have permission.",
                )
            return Named(DATABASE, database, database.name)
        case "SCHEMA":
            schema = names.schema_named(session, database, name)
            if schema is None:
                raise not_found("find", "schema", name)
            return Named(rights.of_schema(database, schema.schema_id), database, schema.name)
        case "USER" | "ROLE" | "APPLICATION ROLE":
            return _principal(session, database, class_desc, name)
        case "OBJECT":
            return _object(session, database, parts)
        case _:
            return _stored(session, class_desc, name)


def _principal(session: Session, database: Database, class_desc: str, name: str) -> Named:
    found = names.find_user(session, database, name)
    kind = {"R": "ROLE", "A": "APPLICATION ROLE"}.get(found.type, "USER") if found else ""
    if found is None or kind != class_desc:
        raise not_found("find", class_desc.lower(), name)
    return Named(Securable(class_desc, 4, found.principal_id, found.owner), database, found.name)


def _object(session: Session, database: Database, parts: tuple[str, ...]) -> Named:
    if len(parts) > 2 and parts[-3] and not session.same(parts[-3], database.name):
        raise failed(4610, "You can only grant or revoke permissions on objects in the current database.")
    found = names.find_object(session, database, parts[-2] if len(parts) > 1 else "", parts[-1])
    if found is None:
        raise not_found("find", "object", parts[-1])
    return Named(rights.of_object(database, found), database, found.name)


def _stored(session: Session, class_desc: str, name: str) -> Named:
    """Classes that the model keeps no records of are found in the rows that a test has set for their view."""
    number, view, key = IN_DATABASE[class_desc]
    for row in session.current.rows.get(view, []):
        if session.same(str(row["name"]), name):
            owner = row.get("principal_id")
            securable = Securable(class_desc, number, int(str(row[key])), owner if isinstance(owner, int) else None)
            return Named(securable, session.current, name)
    raise not_found("find", class_desc.lower(), name)
