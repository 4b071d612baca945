"""Who is who: logins, users, their SIDs, and what they are members of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.mssql import names, passwords, rights
from tests.simulators.mssql.model import roles_of
from tests.simulators.mssql.registry import function

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@function("SUSER_SNAME", "nvarchar(128)", "varbinary(85)?")
@function("SUSER_NAME", "nvarchar(128)", "int?")
def login_name(session: Session, *given: object) -> str | None:
    """Without an argument: the login whose context this is, not the original one."""
    if not given:
        return names.login_name(session)
    for one in session.instance.state.principals.values():
        if given[0] is not None and given[0] in {one.sid, one.principal_id}:
            return one.name
    return None


@function("ORIGINAL_LOGIN", "nvarchar(128)")
def original_login(session: Session) -> str:
    return session.original_login


@function("SUSER_SID", "varbinary(85)", "nvarchar(128)?", "int?")
def login_sid(session: Session, name: str | None = None, _valid: int | None = None) -> bytes | None:
    found = names.find_login(session, names.login_name(session) if name is None else name)
    return found.sid if found else None


@function("SUSER_ID", "int", "nvarchar(128)?")
def login_id(session: Session, name: str | None = None) -> int | None:
    found = names.find_login(session, names.login_name(session) if name is None else name)
    return found.principal_id if found else None


@function("USER_NAME", "nvarchar(128)", "int?")
def user_name(session: Session, *given: int | None) -> str | None:
    if not given:
        user = names.user_of(session, session.current)
        return user.name if user else "guest"
    found = session.current.principals.get(given[0]) if given[0] is not None else None
    return found.name if found else None


@function("USER_ID", "int", "nvarchar(128)?")
@function("DATABASE_PRINCIPAL_ID", "int", "nvarchar(128)?")
def user_id(session: Session, *given: str | None) -> int | None:
    if not given:
        user = names.user_of(session, session.current)
        return user.principal_id if user else None
    found = names.find_user(session, session.current, given[0] or "")
    return found.principal_id if found else None


@function("IS_SRVROLEMEMBER", "int", "nvarchar(128)", "nvarchar(128)?")
def is_server_role_member(session: Session, role: str | None, login: str | None = None) -> int | None:
    """NULL where the role or the login does not exist; 1 for everybody in public."""
    found = names.find_login(session, role or "")
    if found is None or found.type != "R":
        return None
    who = session.identity.login if login is None else (names.find_login(session, login) or found).principal_id
    if who is None or (login is not None and names.find_login(session, login) is None):
        return None
    inside = found.principal_id in {2} | roles_of(who, session.instance.state.members)
    return int(inside or (who == 1 and found.name == "sysadmin"))


@function("IS_ROLEMEMBER", "int", "nvarchar(128)", "nvarchar(128)?")
@function("IS_MEMBER", "int", "nvarchar(128)")
def is_role_member(session: Session, role: str | None, user: str | None = None) -> int | None:
    found = names.find_user(session, session.current, role or "")
    if found is None or found.type != "R":
        return None
    who = names.user_of(session, session.current) if user is None else names.find_user(session, session.current, user)
    if who is None:
        return None
    inside = roles_of(who.principal_id, session.current.members) | {0}
    return int(found.principal_id in inside or (user is None and found.principal_id == 16384 and who.principal_id == 1))


@function("HAS_DBACCESS", "int", "nvarchar(128)")
def has_database_access(session: Session, name: str | None) -> int | None:
    """0 also where the database is not online; NULL where there is none of this name."""
    found = names.find_database(session, name or "")
    if found is None:
        return None
    return int(found.state == 0 and names.user_of(session, found) is not None)


@function("PWDCOMPARE", "int", "nvarchar(128)", "varbinary(256)", "int?")
def password_compare(_session: Session, clear: str | None, stored: bytes | None, _version: int = 0) -> int | None:
    if clear is None or stored is None:
        return None
    return int(passwords.matches(clear, stored))


@function("PWDENCRYPT", "varbinary(256)", "nvarchar(128)")
def password_encrypt(_session: Session, clear: str | None) -> bytes | None:
    return None if clear is None else passwords.hashed(clear)


@function("LOGINPROPERTY", "sql_variant", "nvarchar(128)", "nvarchar(128)")
def login_property(session: Session, login: str | None, name: str | None) -> object:
    """NULL for a login that there is not, for a property that there is not, and where one may not see it."""
    found = names.find_login(session, login or "")
    if found is None or found.type != "S":
        return None
    own = found.principal_id == session.identity.login
    if not own and not rights.has_server(session, "VIEW ANY DEFINITION"):
        return None
    known: dict[str, object] = {
        "badpasswordcount": found.bad_passwords,
        "badpasswordtime": None,
        "daysuntilexpiration": None,
        "defaultdatabase": found.default_database,
        "defaultlanguage": found.default_language,
        "historylength": 0,
        "isexpired": 0,
        "islocked": int(found.is_locked),
        "ismustchange": int(found.must_change),
        "lockouttime": None,
        "passwordlastsettime": found.password_last_set,
        "passwordhash": found.password_hash,
        "passwordhashalgorithm": 1 if found.password_hash and found.password_hash[:2] == b"\x01\x00" else 2,
    }
    return known.get((name or "").casefold())
