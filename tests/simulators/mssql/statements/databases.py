"""CREATE, ALTER and DROP DATABASE, and KILL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import names, rights, transactions
from tests.simulators.mssql.answers import Answer, Done, Failed, Message, error, failed, unknown
from tests.simulators.mssql.fresh import new_database
from tests.simulators.mssql.lexer import Cursor, Kind
from tests.simulators.mssql.model import Database, File
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.rights import DATABASE

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

SWITCHES = {
    "AUTO_CLOSE": "is_auto_close_on",
    "AUTO_SHRINK": "is_auto_shrink_on",
    "AUTO_CREATE_STATISTICS": "is_auto_create_stats_on",
    "AUTO_UPDATE_STATISTICS": "is_auto_update_stats_on",
    "AUTO_UPDATE_STATISTICS_ASYNC": "is_auto_update_stats_async_on",
    "READ_COMMITTED_SNAPSHOT": "is_read_committed_snapshot_on",
    "TRUSTWORTHY": "is_trustworthy_on",
    "DB_CHAINING": "is_db_chaining_on",
    "ENCRYPTION": "is_encrypted",
    "QUERY_STORE": "is_query_store_on",
    "ANSI_NULLS": "is_ansi_nulls_on",
    "QUOTED_IDENTIFIER": "is_quoted_identifier_on",
    "ACCELERATED_DATABASE_RECOVERY": "is_accelerated_database_recovery_on",
}
WORDS: dict[str, dict[str, dict[str, object]]] = {
    "RECOVERY": {
        "FULL": {"recovery_model": 1},
        "BULK_LOGGED": {"recovery_model": 2},
        "SIMPLE": {"recovery_model": 3},
    },
    "PAGE_VERIFY": {
        "NONE": {"page_verify_option": 0},
        "TORN_PAGE_DETECTION": {"page_verify_option": 1},
        "CHECKSUM": {"page_verify_option": 2},
    },
    "ALLOW_SNAPSHOT_ISOLATION": {"ON": {"snapshot_isolation_state": 1}, "OFF": {"snapshot_isolation_state": 0}},
    "DELAYED_DURABILITY": {
        "DISABLED": {"delayed_durability": 0},
        "ALLOWED": {"delayed_durability": 1},
        "FORCED": {"delayed_durability": 2},
    },
}
FLAGS: dict[str, dict[str, object]] = {
    "ONLINE": {"state": 0},
    "OFFLINE": {"state": 6},
    "EMERGENCY": {"state": 5},
    "READ_ONLY": {"is_read_only": True},
    "READ_WRITE": {"is_read_only": False},
    "MULTI_USER": {"user_access": 0},
    "SINGLE_USER": {"user_access": 1},
    "RESTRICTED_USER": {"user_access": 2},
    "ENABLE_BROKER": {"is_broker_enabled": True},
    "DISABLE_BROKER": {"is_broker_enabled": False},
}


@statement("CREATE DATABASE")
def create(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    contained, files, collation = _created(cursor)
    transactions.forbid(session, "CREATE DATABASE")
    if not rights.has_server(session, "CREATE ANY DATABASE"):
        raise failed(262, "CREATE DATABASE permission denied in database 'master'.", severity=14)
    if names.find_database(session, name):
        raise failed(1801, f"Database '{name}' already exists. Choose a different database name.", state=3)
    if contained and not session.instance.state.configurations.get("contained database authentication"):
        raise failed(
            12824,
            "The sp_configure value 'contained database authentication' must be set to 1 in order to create a "
            "contained database.  You may need to use RECONFIGURE to set the value_in_use.",
        )
    session.instance.changing(session)
    made = add(session, name)
    made.options["containment"] = int(contained)
    if collation:
        made.options["collation_name"] = collation
    if files:
        made.files = files
    yield Done()


def add(session: Session, name: str) -> Database:
    """A copy of model's settings under a new name, owned by the session's login."""
    state = session.instance.state
    number = next(one for one in range(5, 32767) if one not in state.databases)
    login = session.identity.login
    owner = state.principals[login].sid if login is not None else b"\x01"
    made = new_database(name, number, owner or b"\x01", session.instance.now())
    made.options = {"recovery_model": state.databases[3].options.get("recovery_model", 1)}
    state.databases[number] = made
    return made


def _created(cursor: Cursor) -> tuple[bool, list[File], str]:
    contained, files, collation = False, list[File](), ""
    if cursor.accept("CONTAINMENT", "="):
        contained = cursor.choose("NONE", "PARTIAL") == "PARTIAL"
    if cursor.accept("ON"):
        cursor.accept("PRIMARY")
        files += _files(cursor, 0, 1)
    if cursor.accept("LOG", "ON"):
        files += _files(cursor, 1, len(files) + 1)
    if cursor.accept("COLLATE"):
        collation = cursor.name()
    return contained, files, collation


def _files(cursor: Cursor, kind: int, first: int) -> list[File]:
    found: list[File] = []
    while cursor.accept("("):
        cursor.expect("NAME", "=")
        name = cursor.string() if cursor.is_kind(Kind.STRING) else cursor.name()
        cursor.expect(",", "FILENAME", "=")
        found.append(File(first + len(found), kind, name, cursor.string(), 1024, file_guid=uuid.uuid4()))
        while cursor.accept(","):
            _size(cursor, found[-1])
        cursor.expect(")")
        if not cursor.accept(","):
            break
    return found


UNITS = {"KB": 1 / 8, "MB": 128, "GB": 131072, "TB": 134217728}


def _size(cursor: Cursor, file: File) -> None:
    word = cursor.choose("SIZE", "MAXSIZE", "FILEGROWTH")
    cursor.expect("=")
    if word == "MAXSIZE" and cursor.accept("UNLIMITED"):
        file.max_size = -1
        return
    number = cursor.number()
    percent = cursor.accept("%")
    unit = "MB" if cursor.done or cursor.sees(",") or cursor.sees(")") or percent else cursor.choose(*UNITS)
    pages = number if percent else int(number * UNITS[unit])
    if word == "FILEGROWTH":
        file.growth, file.is_percent_growth = pages, percent
    elif word == "SIZE":
        file.size = pages
    else:
        file.max_size = pages


@statement("ALTER DATABASE")
def alter(session: Session, cursor: Cursor) -> Iterator[Answer]:
    current = cursor.accept("CURRENT")
    name = session.database if current else cursor.name()
    found = names.find_database(session, name)
    if found is None or not may_alter(session, found):
        raise Failed(
            error(
                5011,
                f"User does not have permission to alter database '{name}', the database does not exist, or the "
                "database is not in a state that allows access checks.",
                severity=14,
                state=5,
            ),
            error(5069, "ALTER DATABASE statement failed."),
        )
    transactions.forbid(session, "ALTER DATABASE")
    session.instance.changing(session)
    if cursor.accept("SET"):
        _set(session, found, cursor)
    elif cursor.accept("MODIFY", "NAME", "="):
        _rename(session, found, cursor.name())
    elif cursor.accept("COLLATE"):
        found.options["collation_name"] = cursor.name()
    elif cursor.accept("MODIFY", "FILE"):
        _modify_file(session, found, cursor)
    else:
        raise unknown(f"ALTER DATABASE … {cursor.take().value}")
    yield Done()


def may_alter(session: Session, found: Database) -> bool:
    if rights.has_server(session, "ALTER ANY DATABASE"):
        return True
    return found.state == 0 and rights.has(session, "ALTER", DATABASE, found)


def _set(session: Session, found: Database, cursor: Cursor) -> None:
    while True:
        word = cursor.take().value.upper()
        _option(session, found, word, cursor)
        if not cursor.accept(","):
            break
    if cursor.accept("WITH"):
        if cursor.accept("ROLLBACK"):
            if cursor.choose("IMMEDIATE", "AFTER") == "AFTER":
                cursor.number()
                cursor.accept("SECONDS")
            _cut_others(session, found)
        else:
            cursor.choose("NO_WAIT")


def _option(session: Session, found: Database, word: str, cursor: Cursor) -> None:
    if word in FLAGS:
        if found.database_id < 5 and word in {"OFFLINE", "READ_ONLY", "SINGLE_USER"}:
            raise failed(5058, f"Option '{word}' cannot be set in database '{found.name}'.")
        found.options.update(FLAGS[word])
    elif word in SWITCHES:
        if word == "TRUSTWORTHY" and found.database_id in {2, 3}:
            raise failed(15309, "Cannot alter the trustworthy state of the model or tempdb databases.")
        cursor.accept("=")
        found.options[SWITCHES[word]] = cursor.choose("ON", "OFF") == "ON"
    elif word in WORDS:
        found.options.update(WORDS[word][cursor.choose(*WORDS[word])])
    elif word == "COMPATIBILITY_LEVEL":
        cursor.expect("=")
        found.options["compatibility_level"] = cursor.number()
    elif word == "CONTAINMENT":
        cursor.expect("=")
        found.options["containment"] = int(cursor.choose("NONE", "PARTIAL") == "PARTIAL")
    elif word == "TARGET_RECOVERY_TIME":
        cursor.expect("=")
        found.options["target_recovery_time_in_seconds"] = cursor.number()
        cursor.choose("SECONDS", "MINUTES")
    else:
        raise unknown(f"ALTER DATABASE … SET {word}")
    del session


def _cut_others(session: Session, found: Database) -> None:
    for other in list(session.instance.sessions.values()):
        if other is not session and other.database_id == found.database_id:
            other.killed = True
            other.attention.set()


def _rename(session: Session, found: Database, name: str) -> None:
    if names.find_database(session, name):
        raise failed(1801, f"Database '{name}' already exists. Choose a different database name.", state=3)
    found.name = name


def _modify_file(session: Session, found: Database, cursor: Cursor) -> None:
    cursor.expect("(", "NAME", "=")
    name = cursor.string() if cursor.is_kind(Kind.STRING) else cursor.name()
    file = next((one for one in found.files if session.same(one.name, name)), None)
    if file is None:
        raise failed(5041, f"MODIFY FILE failed. File '{name}' does not exist.")
    while cursor.accept(","):
        _size(cursor, file)
    cursor.expect(")")


@statement("DROP DATABASE")
def drop(session: Session, cursor: Cursor) -> Iterator[Answer]:
    quiet = cursor.accept("IF", "EXISTS")
    chosen = [cursor.name()]
    while cursor.accept(","):
        chosen.append(cursor.name())
    transactions.forbid(session, "DROP DATABASE")
    for name in chosen:
        found = names.find_database(session, name)
        if found is None and quiet:
            continue
        if found is None or not _may_drop(session, found):
            raise failed(
                3701,
                f"Cannot drop the database '{name}', because it does not exist or you do not have permission.",
                severity=11,
            )
        if found.database_id < 5:
            raise failed(3708, f"Cannot drop the database '{found.name}' because it is a system database.")
        if any(other.database_id == found.database_id for other in session.instance.sessions.values()):
            raise failed(3702, f'Cannot drop database "{found.name}" because it is currently in use.', state=3)
        session.instance.changing(session)
        del session.instance.state.databases[found.database_id]
    yield Done()


def _may_drop(session: Session, found: Database) -> bool:
    return rights.has_server(session, "ALTER ANY DATABASE") or rights.has(session, "CONTROL", DATABASE, found)


@statement("KILL")
def kill(session: Session, cursor: Cursor) -> Iterator[Answer]:
    number = cursor.number()
    status = cursor.accept("WITH", "STATUSONLY")
    transactions.forbid(session, "KILL")
    if not rights.has_server(session, "ALTER ANY CONNECTION"):
        raise failed(6102, "User does not have permission to use the KILL statement.", severity=14)
    if number == session.spid:
        raise failed(6104, "Cannot use KILL to kill your own process.")
    if number <= 50:
        raise failed(6107, "Only user processes can be killed.", severity=14)
    other = session.instance.sessions.get(number)
    if other is None:
        raise failed(6106, f"Process ID {number} is not an active process ID.")
    if status:
        yield Message(
            6120,
            1,
            0,
            f"Status report cannot be obtained. Rollback operation for Process ID {number} is not in progress.",
        )
    else:
        other.killed = True
        other.attention.set()
        session.instance.leave(other)
    yield Done()
