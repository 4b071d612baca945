"""CREATE, ALTER and DROP LOGIN."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import azure, names, options, passwords, rights
from tests.simulators.mssql.answers import Answer, Done, failed
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.model import Permission, Principal
from tests.simulators.mssql.options import Options
from tests.simulators.mssql.refusals import login_exists, no_permission, not_found, special
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.rights import Securable

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

CREATING = {
    "PASSWORD": "password",
    "SID": "binary",
    "DEFAULT_DATABASE": "name",
    "DEFAULT_LANGUAGE": "name",
    "CHECK_EXPIRATION": "switch",
    "CHECK_POLICY": "switch",
    "CREDENTIAL": "name",
}
ALTERING = {
    "PASSWORD": "password",
    "OLD_PASSWORD": "string",
    "DEFAULT_DATABASE": "name",
    "DEFAULT_LANGUAGE": "name",
    "NAME": "name",
    "CHECK_POLICY": "switch",
    "CHECK_EXPIRATION": "switch",
    "CREDENTIAL": "name",
    "NO CREDENTIAL": "flag",
}
WINDOWS = {"DEFAULT_DATABASE": "name", "DEFAULT_LANGUAGE": "name"}
EXTERNAL = {**WINDOWS, "OBJECT_ID": "string", "SID": "binary", "TYPE": "name"}


def may_create(session: Session) -> bool:
    right = "CREATE LOGIN" if session.instance.major >= 16 else "ALTER ANY LOGIN"
    return rights.has_server(session, right)


@statement("CREATE LOGIN")
def create(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    if cursor.accept("FROM"):
        kind, given = _provider(cursor)
    else:
        cursor.expect("WITH")
        kind, given = "S", options.read(cursor, CREATING)
    azure.login_options(session, given)
    if not may_create(session):
        raise no_permission()
    if names.find_login(session, name):
        raise login_exists(name)
    session.instance.changing(session)
    made = _made(session, name, kind, given)
    session.instance.state.principals[made.principal_id] = made
    session.instance.state.permissions.append(Permission(100, 0, 0, made.principal_id, 1, "CONNECT SQL", "G"))
    yield Done()


def _provider(cursor: Cursor) -> tuple[str, Options]:
    if cursor.accept("WINDOWS"):
        return "U", options.read(cursor, WINDOWS) if cursor.accept("WITH") else {}
    cursor.expect("EXTERNAL", "PROVIDER")
    return "E", options.read(cursor, EXTERNAL) if cursor.accept("WITH") else {}


def _made(session: Session, name: str, kind: str, given: Options) -> Principal:
    state = session.instance.state
    now = session.instance.now()
    made = Principal(name, state.next_principal, kind, _sid(session, name, kind, given), now, now)
    if kind == "U":
        account = session.instance.windows.get(name.casefold())
        if "\\" not in name or account is None:
            raise failed(15401, f"Windows NT user or group '{name}' not found. Check the name again.", severity=11)
        made.type = account
    if kind == "S":
        if "PASSWORD" not in given:
            raise failed(102, "Incorrect syntax near 'WITH'.", severity=15)
        apply(session, made, given)
    _defaults(session, made, given)
    state.next_principal += 1
    return made


def _sid(session: Session, name: str, kind: str, given: Options) -> bytes:
    chosen = given.get("SID")
    if isinstance(chosen, bytes):
        if kind == "S" and len(chosen) != 16:
            raise failed(15419, "Supplied parameter sid should be binary(16).")
        if any(one.sid == chosen for one in session.instance.state.principals.values()):
            raise failed(15433, "Supplied parameter sid is in use.")
        return chosen
    if kind == "S":
        return uuid.uuid4().bytes
    digest = hashlib.sha256(name.casefold().encode()).digest()
    return bytes.fromhex("010500000000000515000000") + digest[:16] if kind == "U" else digest[:16]


def _defaults(session: Session, made: Principal, given: Options) -> None:
    database = given.get("DEFAULT_DATABASE")
    if isinstance(database, str):
        found = names.find_database(session, database)
        if found is None:
            raise failed(
                15010,
                f"The database '{database}' does not exist. Supply a valid database name. "
                "To see available databases, use sys.databases.",
            )
        made.default_database = found.name
    language = given.get("DEFAULT_LANGUAGE")
    if isinstance(language, str):
        made.default_language = "us_english" if language.casefold() == "english" else language
    if "CREDENTIAL" in given:
        made.credential = str(given["CREDENTIAL"])
    if "NO CREDENTIAL" in given:
        made.credential = None


def apply(session: Session, made: Principal, given: Options) -> None:
    """Password and policy of a SQL login, with the rules between them."""
    policy = bool(given.get("CHECK_POLICY", made.is_policy_checked))
    expiration = bool(given.get("CHECK_EXPIRATION", made.is_expiration_checked and policy))
    if expiration and not policy:
        raise failed(15122, "The CHECK_EXPIRATION option cannot be used when CHECK_POLICY is OFF.")
    if given.get("MUST_CHANGE") and not expiration:
        raise failed(15099, "The MUST_CHANGE option cannot be used when CHECK_EXPIRATION is OFF.")
    if made.must_change and "PASSWORD" not in given and not (policy and expiration):
        raise failed(
            15128, "The CHECK_POLICY and CHECK_EXPIRATION options cannot be turned OFF when MUST_CHANGE is ON."
        )
    made.is_policy_checked, made.is_expiration_checked = policy, expiration
    if "PASSWORD" in given:
        _password(session, made, given)
    if given.get("UNLOCK"):
        made.is_locked = False


def _password(session: Session, made: Principal, given: Options) -> None:
    password = given["PASSWORD"]
    if given.get("HASHED"):
        if not isinstance(password, bytes) or not passwords.is_hash(password):
            raise failed(15021, "Invalid value given for parameter PASSWORD. Specify a valid parameter value.")
        made.password_hash = password
    else:
        if not isinstance(password, str):
            raise failed(15021, "Invalid value given for parameter PASSWORD. Specify a valid parameter value.")
        if made.is_policy_checked and not passwords.strong(made.name, password):
            raise failed(
                15118,
                "Password validation failed. The password does not meet the operating system policy requirements "
                "because it is not complex enough.",
            )
        made.password_hash = passwords.hashed(password)
    made.must_change = bool(given.get("MUST_CHANGE"))
    made.password_last_set = session.instance.now()


@statement("ALTER LOGIN")
def alter(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    found = names.find_login(session, name)
    if cursor.accept("ENABLE") or cursor.accept("DISABLE"):
        disable = cursor.found[cursor.at - 1].is_word("DISABLE")
        _alter(session, found, name).is_disabled = disable
        yield Done()
        return
    if cursor.accept("ADD", "CREDENTIAL"):
        _alter(session, found, name).credential = cursor.name()
        yield Done()
        return
    if cursor.accept("DROP", "CREDENTIAL"):
        cursor.name()
        _alter(session, found, name).credential = None
        yield Done()
        return
    cursor.expect("WITH")
    given = options.read(cursor, ALTERING)
    azure.login_options(session, given)
    if found is not None and _own_password(session, found, given):
        session.instance.changing(session)
        changed = found
    else:
        changed = _alter(session, found, name)
    if given.keys() & {"PASSWORD", "CHECK_POLICY", "CHECK_EXPIRATION"} and changed.type == "S":
        apply(session, changed, given)
    _defaults(session, changed, given)
    if "NAME" in given:
        _rename(session, changed, str(given["NAME"]))
    changed.modify_date = session.instance.now()
    yield Done()


def _own_password(session: Session, found: Principal, given: Options) -> bool:
    """Everybody changes their own password, with the old one, and their own defaults."""
    if found.principal_id != session.identity.login or rights.has_server(session, "ALTER ANY LOGIN"):
        return False
    if not given.keys() <= {"PASSWORD", "OLD_PASSWORD", "DEFAULT_DATABASE", "DEFAULT_LANGUAGE"}:
        return False
    if "PASSWORD" in given:
        old = given.get("OLD_PASSWORD")
        if not isinstance(old, str) or found.password_hash is None or not passwords.matches(old, found.password_hash):
            raise not_found("alter", "login", found.name)
    return True


def _alter(session: Session, found: Principal | None, name: str) -> Principal:
    if found is None or found.type in {"R", "C", "K"}:
        raise not_found("alter", "login", name)
    allowed = rights.server_right(
        session, session.server_login, "ALTER", Securable("LOGIN", 101, found.principal_id, found.owner)
    )
    powerful = rights.is_sysadmin(session, found.principal_id) or rights.server_right(
        session, found.principal_id, "CONTROL SERVER"
    )
    if not allowed or (powerful and not rights.has_server(session, "CONTROL SERVER")):
        raise not_found("alter", "login", name)
    session.instance.changing(session)
    changed = session.instance.state.principals[found.principal_id]
    changed.modify_date = session.instance.now()
    return changed


def _rename(session: Session, found: Principal, name: str) -> None:
    other = names.find_login(session, name)
    if other is not None and other is not found:
        raise login_exists(name)
    found.name = name


@statement("DROP LOGIN")
def drop(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    found = names.find_login(session, name)
    if found is None or found.type == "R":
        raise not_found("drop", "login", name)
    if found.principal_id == 1:
        raise special("drop", "login", name)
    if not rights.server_right(
        session, session.server_login, "ALTER", Securable("LOGIN", 101, found.principal_id, found.owner)
    ):
        raise not_found("drop", "login", name)
    session.instance.changing(session)
    _free_to_go(session, found)
    state = session.instance.state
    del state.principals[found.principal_id]
    state.members = [one for one in state.members if one[1] != found.principal_id]
    forget(state.permissions, found.principal_id, 101)
    yield Done()


def _free_to_go(session: Session, found: Principal) -> None:
    state = session.instance.state
    if any(other.identities[0].login == found.principal_id for other in session.instance.sessions.values()):
        raise failed(15434, f"Could not drop login '{found.name}' as the user is currently logged in.")
    if any(one.owner_sid == found.sid for one in state.databases.values()):
        raise failed(
            15174,
            f"Login '{found.name}' owns one or more database(s). Change the owner of the database(s) before "
            "dropping the login.",
        )
    jobs = [one for one in session.instance.rows_of("dbo.sysjobs") if one.get("owner_sid") == found.sid]
    if jobs:
        raise failed(
            15170,
            f"This login is the owner of {len(jobs)} job(s). You must delete or reassign these jobs before the login "
            "can be dropped.",
        )
    if any(one.owner == found.principal_id for one in state.principals.values()):
        raise failed(15141, "The server principal owns one or more server role(s) and cannot be dropped.")
    if any(one.grantor == found.principal_id for one in state.permissions):
        raise failed(
            15173,
            f"Server principal '{found.name}' has granted one or more permission(s). Revoke the permission(s) before "
            "dropping the server principal.",
        )


def forget(permissions: list[Permission], principal_id: int, class_: int) -> None:
    """What was granted to a principal that goes, and on it."""
    permissions[:] = [
        one
        for one in permissions
        if one.grantee != principal_id and not (one.class_ == class_ and one.major_id == principal_id)
    ]
