"""CREATE, ALTER and DROP USER, and application roles."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import names, options, passwords, rights
from tests.simulators.mssql.answers import Answer, Done, failed
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.model import Database, Permission, Principal
from tests.simulators.mssql.options import Options
from tests.simulators.mssql.refusals import not_found, special, user_exists
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.rights import DATABASE, Securable
from tests.simulators.mssql.statements.logins import forget

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

CREATING = {
    "PASSWORD": "password",
    "DEFAULT_SCHEMA": "name",
    "DEFAULT_LANGUAGE": "name",
    "SID": "binary",
    "ALLOW_ENCRYPTED_VALUE_MODIFICATIONS": "switch",
    "OBJECT_ID": "string",
    "TYPE": "name",
}
ALTERING = {
    "NAME": "name",
    "DEFAULT_SCHEMA": "name",
    "LOGIN": "name",
    "PASSWORD": "password",
    "OLD_PASSWORD": "string",
    "DEFAULT_LANGUAGE": "name",
    "ALLOW_ENCRYPTED_VALUE_MODIFICATIONS": "switch",
}
OF_LOGIN = {"S": "INSTANCE", "U": "WINDOWS", "G": "WINDOWS", "E": "EXTERNAL", "X": "EXTERNAL", "C": "NONE", "K": "NONE"}


@statement("CREATE USER")
def create(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    source, login = _source(cursor, name)
    given = options.read(cursor, CREATING) if cursor.accept("WITH") else {}
    if "PASSWORD" in given:
        source = "password"
    database = session.current
    right = "CREATE USER" if session.instance.major >= 16 else "ALTER ANY USER"
    if not rights.has(session, right, DATABASE, database):
        raise failed(15247, "User does not have permission to perform this action.")
    if names.find_user(session, database, name):
        raise user_exists(name)
    session.instance.changing(session)
    database = session.current
    made = _made(session, name, source, login, given)
    database.principals[made.principal_id] = made
    if source != "without":
        database.permissions.append(Permission(0, 0, 0, made.principal_id, 1, "CONNECT", "G"))
    yield Done()


def _source(cursor: Cursor, name: str) -> tuple[str, str]:
    if cursor.accept("WITHOUT", "LOGIN"):
        return "without", ""
    if cursor.accept("FROM", "EXTERNAL", "PROVIDER"):
        return "external", ""
    if cursor.accept("FOR") or cursor.accept("FROM"):
        cursor.expect("LOGIN")
        return "login", cursor.name()
    return "login", name


def _made(session: Session, name: str, source: str, login: str, given: Options) -> Principal:
    database = session.current
    now = session.instance.now()
    made = Principal(name, database.next_principal, "S", None, now, now)
    match source:
        case "without":
            made.sid = bytes.fromhex("010500000000000903000000") + uuid.uuid4().bytes
        case "external":
            made.type, made.authentication = "E", "EXTERNAL"
            made.sid = hashlib.sha256(name.casefold().encode()).digest()[:16]
        case "password":
            _contained(session, database, made, given)
        case _:
            _mapped(session, database, made, login)
    made.default_schema = _schema(made, given)
    _language(made, given)
    made.allow_encrypted_value_modifications = bool(given.get("ALLOW_ENCRYPTED_VALUE_MODIFICATIONS"))
    database.next_principal += 1
    return made


def _schema(made: Principal, given: Options) -> str | None:
    if "DEFAULT_SCHEMA" in given:
        chosen = given["DEFAULT_SCHEMA"]
        return None if chosen is None else str(chosen)
    return None if made.type in {"G", "X"} else "dbo"


def _contained(session: Session, database: Database, made: Principal, given: Options) -> None:
    if not session.instance.contains(database):
        raise failed(33233, "You can only create a user with a password in a contained database.")
    made.authentication = "DATABASE"
    made.password_hash = passwords.hashed(_strong(made, given["PASSWORD"]))
    chosen = given.get("SID")
    made.sid = chosen if isinstance(chosen, bytes) else bytes.fromhex("010500000000000902000000") + uuid.uuid4().bytes


def _strong(made: Principal, password: object) -> str:
    if not isinstance(password, str) or not passwords.strong(made.name, password):
        raise failed(
            15118,
            "Password validation failed. The password does not meet the operating system policy requirements "
            "because it is not complex enough.",
        )
    return password


def _authenticates(found: Principal, parameter: str) -> None:
    """33234 of an option that only users have whom the database itself lets in."""
    if found.authentication != "DATABASE":
        raise failed(
            33234, f"The parameter {parameter} cannot be provided for users that cannot authenticate in a database."
        )


def _language(found: Principal, given: Options) -> None:
    """``NONE``: that of the database."""
    if "DEFAULT_LANGUAGE" not in given:
        return
    _authenticates(found, "DEFAULT_LANGUAGE")
    chosen = str(given["DEFAULT_LANGUAGE"])
    found.user_language = None if chosen.casefold() == "none" else chosen


def _mapped(session: Session, database: Database, made: Principal, login: str) -> None:
    found = names.find_login(session, login)
    if found is None and session.instance.windows.get(login.casefold()) and "\\" in login:
        made.type = session.instance.windows[login.casefold()]
        made.authentication = "WINDOWS"
        made.sid = bytes.fromhex("010500000000000515000000") + hashlib.sha256(login.casefold().encode()).digest()[:16]
        return
    if found is None or found.type == "R":
        raise failed(15007, f"'{login}' is not a valid login or you do not have permission.")
    if found.principal_id == 1:
        raise failed(15405, f"Cannot use the special principal '{login}'.", severity=11)
    if any(one.sid == found.sid for one in database.principals.values()):
        raise failed(15063, "The login already has an account under a different user name.")
    made.type, made.sid, made.authentication = found.type, found.sid, OF_LOGIN[found.type]


@statement("ALTER USER")
def alter(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    cursor.expect("WITH")
    given = options.read(cursor, ALTERING)
    found = names.find_user(session, session.current, name)
    if found is None or found.type in {"R", "A"} or not _may_alter(session, found):
        raise not_found("alter", "user", name)
    if found.principal_id in {1, 2, 3, 4}:
        raise special("alter", "user", name)
    session.instance.changing(session)
    found = session.current.principals[found.principal_id]
    _change(session, found, given)
    found.modify_date = session.instance.now()
    yield Done()


def _may_alter(session: Session, found: Principal) -> bool:
    securable = Securable("USER", 4, found.principal_id, found.owner)
    return rights.has(session, "ALTER", securable, session.current)


def _change(session: Session, found: Principal, given: Options) -> None:
    if "LOGIN" in given:
        login = names.find_login(session, str(given["LOGIN"]))
        if login is None or login.type == "R":
            raise failed(15007, f"'{given['LOGIN']}' is not a valid login or you do not have permission.")
        if login.type != found.type or found.authentication == "DATABASE":
            raise failed(33017, "Cannot remap a user of one type to a login of a different type.")
        if any(one.sid == login.sid and one is not found for one in session.current.principals.values()):
            raise failed(15063, "The login already has an account under a different user name.")
        found.sid, found.authentication = login.sid, OF_LOGIN[login.type]
    if "NAME" in given:
        other = names.find_user(session, session.current, str(given["NAME"]))
        if other is not None and other is not found:
            raise user_exists(str(given["NAME"]))
        found.name = str(given["NAME"])
    if "DEFAULT_SCHEMA" in given:
        found.default_schema = _schema(found, given)
    _language(found, given)
    if "PASSWORD" in given:
        _authenticates(found, "PASSWORD")
        _strong(found, given["PASSWORD"])
        found.password_hash = passwords.hashed(str(given["PASSWORD"]))


@statement("DROP USER")
def drop(session: Session, cursor: Cursor) -> Iterator[Answer]:
    quiet = cursor.accept("IF", "EXISTS")
    name = cursor.name()
    found = names.find_user(session, session.current, name)
    if found is None and quiet:
        yield Done()
        return
    if found is None or found.type in {"R", "A"} or not _may_alter(session, found):
        raise not_found("drop", "user", name)
    if found.principal_id in {1, 3, 4}:
        raise special("drop", "user", name)
    session.instance.changing(session)
    database = session.current
    if found.principal_id == 2:
        _disable_guest(database, found)
        yield Done()
        return
    free_to_go(database, found)
    remove(database, found)
    yield Done()


def _disable_guest(database: Database, found: Principal) -> None:
    """guest is there in every database; dropping it takes its way in."""
    if database.database_id in {1, 2}:
        raise failed(15182, "Cannot disable access to the guest user in master or tempdb.")
    kept = [one for one in database.permissions if (one.grantee, one.name) != (found.principal_id, "CONNECT")]
    if len(kept) == len(database.permissions):
        raise failed(
            15539,
            f"User '{found.name}' cannot be dropped, it can only be disabled. The user is already disabled in the "
            "current database.",
        )
    database.permissions = kept


def free_to_go(database: Database, found: Principal) -> None:
    """15138, 15183 and 15421 for what it owns, 15284 for what it has granted."""
    number = found.principal_id
    if any(one.owner == number for one in database.schemas.values()):
        raise failed(15138, "The database principal owns a schema in the database, and cannot be dropped.")
    if any(one.owner == number for one in database.objects.values()):
        raise failed(15183, "The database principal owns objects in the database and cannot be dropped.")
    if any(one.owner == number for one in database.principals.values()):
        raise failed(15421, "The database principal owns a database role and cannot be dropped.")
    if any(one.grantor == number for one in database.permissions):
        raise failed(
            15284,
            "The database principal has granted or denied permissions to objects in the database and cannot be "
            "dropped.",
        )
    if any(one.execute_as == number for one in database.objects.values()):
        raise failed(
            15136,
            "The database principal is set as the execution context of one or more procedures, functions, or event "
            "notifications and cannot be dropped.",
        )


def remove(database: Database, found: Principal) -> None:
    del database.principals[found.principal_id]
    database.members = [one for one in database.members if found.principal_id not in one]
    forget(database.permissions, found.principal_id, 4)


@statement("CREATE APPLICATION ROLE")
def create_application_role(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    cursor.expect("WITH")
    given = options.read(cursor, {"PASSWORD": "password", "DEFAULT_SCHEMA": "name"})
    rights.demand(session, "ALTER ANY APPLICATION ROLE", DATABASE, session.current)
    if names.find_user(session, session.current, name):
        raise user_exists(name)
    session.instance.changing(session)
    database, now = session.current, session.instance.now()
    made = Principal(name, database.next_principal, "A", uuid.uuid4().bytes, now, now)
    made.password_hash = passwords.hashed(str(given["PASSWORD"]))
    made.default_schema = _schema(made, given)
    database.principals[made.principal_id] = made
    database.next_principal += 1
    yield Done()


@statement("DROP APPLICATION ROLE")
def drop_application_role(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    found = names.find_user(session, session.current, name)
    if (
        found is None
        or found.type != "A"
        or not rights.has(session, "ALTER ANY APPLICATION ROLE", DATABASE, session.current)
    ):
        raise not_found("drop", "application role", name)
    session.instance.changing(session)
    free_to_go(session.current, found)
    remove(session.current, found)
    yield Done()
