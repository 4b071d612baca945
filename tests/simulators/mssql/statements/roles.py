"""CREATE, ALTER and DROP ROLE and SERVER ROLE, and their members."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import names, rights
from tests.simulators.mssql.answers import Answer, Done, failed
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.model import Principal, members_of, roles_of
from tests.simulators.mssql.refusals import login_exists, not_found, special, user_exists
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.rights import DATABASE, Securable
from tests.simulators.mssql.statements.logins import forget
from tests.simulators.mssql.statements.procedures import Arguments, bound, procedure
from tests.simulators.mssql.statements.users import free_to_go, remove

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@statement("CREATE ROLE")
def create(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    rights.demand(session, "CREATE ROLE", DATABASE, session.current)
    owner = _owner(session, cursor)
    if names.find_user(session, session.current, name):
        raise user_exists(name)
    session.instance.changing(session)
    database, now = session.current, session.instance.now()
    sid = bytes.fromhex("010500000000000904000000") + uuid.uuid4().bytes
    database.principals[database.next_principal] = Principal(
        name, database.next_principal, "R", sid, now, now, owner=owner
    )
    database.next_principal += 1
    yield Done()


def _owner(session: Session, cursor: Cursor) -> int:
    if cursor.accept("AUTHORIZATION"):
        name = cursor.name()
        found = names.find_user(session, session.current, name)
        if found is None:
            raise not_found("find", "user", name)
        return found.principal_id
    user = names.user_of(session, session.current)
    return user.principal_id if user else 1


@statement("ALTER ROLE")
def alter(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    verb = cursor.choose("ADD", "DROP", "WITH")
    cursor.expect("NAME", "=") if verb == "WITH" else cursor.expect("MEMBER")
    other = cursor.name()
    role = names.find_user(session, session.current, name)
    if role is None or role.type != "R" or not _may_alter(session, role):
        raise not_found("alter", "role", name)
    if role.principal_id == 0:
        raise failed(15081, "Membership of the public role cannot be changed.")
    session.instance.changing(session)
    if verb == "WITH":
        _rename(session, role, other)
    else:
        _member(session, role, verb, other)
    yield Done()


def _may_alter(session: Session, role: Principal) -> bool:
    if role.is_fixed_role:
        return rights.is_owner(session, session.current)
    securable = Securable("ROLE", 4, role.principal_id, role.owner)
    return rights.has(session, "ALTER", securable, session.current)


def _rename(session: Session, role: Principal, name: str) -> None:
    if role.is_fixed_role:
        raise special("alter", "role", role.name)
    if _taken(session, role, name):
        raise user_exists(name)
    session.current.principals[role.principal_id].name = name


def _taken(session: Session, role: Principal, name: str) -> bool:
    other = names.find_user(session, session.current, name)
    return other is not None and other.principal_id != role.principal_id


def _member(session: Session, role: Principal, verb: str, name: str) -> None:
    database = session.current
    found = names.find_user(session, database, name)
    word = "add" if verb == "ADD" else "drop"
    if found is None:
        raise not_found(word, "principal", name)
    if found.principal_id in {0, 1, 3, 4}:
        raise failed(15405, f"Cannot use the special principal '{found.name}'.", severity=11)
    pair = (role.principal_id, found.principal_id)
    if verb == "DROP":
        database.members = [one for one in database.members if one != pair]
        return
    if found.principal_id in {role.principal_id} | roles_of(role.principal_id, database.members):
        raise failed(15413, "Cannot make a role a member of itself.", severity=11)
    if pair not in database.members:
        database.members.append(pair)


@statement("DROP ROLE")
def drop(session: Session, cursor: Cursor) -> Iterator[Answer]:
    quiet = cursor.accept("IF", "EXISTS")
    name = cursor.name()
    role = names.find_user(session, session.current, name)
    if role is None and quiet:
        yield Done()
        return
    if role is None or role.type != "R" or not _may_alter(session, role):
        raise not_found("drop", "role", name)
    if role.is_fixed_role or role.principal_id == 0:
        raise special("drop", "role", name)
    session.instance.changing(session)
    database = session.current
    if list(members_of(role.principal_id, database.members)):
        raise failed(15144, "The role has members. It must be empty before it can be dropped.")
    free_to_go(database, role)
    remove(database, role)
    yield Done()


@statement("CREATE SERVER ROLE")
def create_server_role(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    if not rights.has_server(session, "CREATE SERVER ROLE"):
        raise failed(15247, "User does not have permission to perform this action.")
    owner = session.identity.login or 1
    if cursor.accept("AUTHORIZATION"):
        chosen = cursor.name()
        found = names.find_login(session, chosen)
        if found is None:
            raise not_found("find", "login", chosen)
        owner = found.principal_id
    if names.find_login(session, name):
        raise login_exists(name)
    session.instance.changing(session)
    state, now = session.instance.state, session.instance.now()
    sid = bytes.fromhex("0106000000000009") + uuid.uuid4().bytes
    state.principals[state.next_principal] = Principal(name, state.next_principal, "R", sid, now, now, owner=owner)
    state.next_principal += 1
    yield Done()


@statement("ALTER SERVER ROLE")
def alter_server_role(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    verb = cursor.choose("ADD", "DROP", "WITH")
    cursor.expect("NAME", "=") if verb == "WITH" else cursor.expect("MEMBER")
    other = cursor.name()
    role = names.find_login(session, name)
    if role is None or role.type != "R" or not _may_alter_server(session, role):
        raise not_found("alter", "server role", name)
    session.instance.changing(session)
    if verb == "WITH":
        if role.is_fixed_role or role.principal_id == 2:
            raise special("alter", "server role", name)
        if names.find_login(session, other):
            raise login_exists(other)
        session.instance.state.principals[role.principal_id].name = other
    else:
        _server_member(session, role, verb, other)
    yield Done()


def _may_alter_server(session: Session, role: Principal) -> bool:
    """A member of a fixed server role may add others to it; for roles of users it takes ALTER on the role."""
    login = session.server_login
    if login is None:
        return False
    if role.is_fixed_role:
        inside = role.principal_id in rights.server_identities(session, login)
        return rights.is_sysadmin(session, login) or (inside and role.name != "sysadmin")
    securable = Securable("SERVER ROLE", 101, role.principal_id, role.owner)
    return rights.server_right(session, login, "ALTER", securable)


def _server_member(session: Session, role: Principal, verb: str, name: str) -> None:
    state = session.instance.state
    found = names.find_login(session, name)
    if found is None or (found.is_fixed_role and found.principal_id != role.principal_id):
        raise not_found("add" if verb == "ADD" else "drop", "server principal", name)
    if role.principal_id == 2 or found.principal_id in {1, 2}:
        chosen = name if found.principal_id in {1, 2} else role.name
        raise failed(15405, f"Cannot use the special principal '{chosen}'.", severity=11)
    pair = (role.principal_id, found.principal_id)
    if verb == "DROP":
        state.members = [one for one in state.members if one != pair]
        return
    if found.principal_id in {role.principal_id} | roles_of(role.principal_id, state.members):
        raise failed(15413, "Cannot make a role a member of itself.", severity=11)
    if pair not in state.members:
        state.members.append(pair)


@statement("DROP SERVER ROLE")
def drop_server_role(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    role = names.find_login(session, name)
    if role is None or role.type != "R" or not _may_alter_server(session, role):
        raise not_found("drop", "server role", name)
    if role.is_fixed_role or role.principal_id == 2:
        raise special("drop", "server role", name)
    session.instance.changing(session)
    state = session.instance.state
    if list(members_of(role.principal_id, state.members)):
        raise failed(15144, "The role has members. It must be empty before it can be dropped.")
    if any(one.owner == role.principal_id for one in state.principals.values()):
        raise failed(15141, "The server principal owns one or more server role(s) and cannot be dropped.")
    del state.principals[role.principal_id]
    state.members = [one for one in state.members if one[1] != role.principal_id]
    forget(state.permissions, role.principal_id, 101)
    yield Done()


@procedure("sp_addrolemember")
def sp_addrolemember(session: Session, arguments: Arguments) -> Iterator[Answer]:
    yield from _by_procedure(session, arguments, "ADD")


@procedure("sp_droprolemember")
def sp_droprolemember(session: Session, arguments: Arguments) -> Iterator[Answer]:
    yield from _by_procedure(session, arguments, "DROP")


def _by_procedure(session: Session, arguments: Arguments, verb: str) -> Iterator[Answer]:
    given = bound(arguments, "@rolename", "@membername")
    role = names.find_user(session, session.current, str(given["@rolename"]))
    if role is None or role.type != "R" or not _may_alter(session, role):
        raise failed(15014, f"The role '{given['@rolename']}' does not exist in the current database.")
    session.instance.changing(session)
    _member(session, role, verb, str(given["@membername"]))
    yield Done()
