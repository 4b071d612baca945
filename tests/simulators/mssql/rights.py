"""May the session do this? A plain evaluation of the stored rows, by the documented steps of a permission check.

sysadmin and dbo pass; owners of the securable and of what holds it pass; a DENY that applies fails; a GRANT passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from tests.simulators.mssql import names
from tests.simulators.mssql.answers import Failed, error, failed
from tests.simulators.mssql.fixed_roles import DATABASE_DENIED, DATABASE_GIVEN, SERVER_GIVEN
from tests.simulators.mssql.frames import Source
from tests.simulators.mssql.identity import DBO, SA, SERVER_PUBLIC
from tests.simulators.mssql.model import Database, Object, Permission, Principal, roles_of
from tests.simulators.mssql.permissions import BUILTIN, above, covering

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

CLASSES = {
    0: "DATABASE",
    1: "OBJECT",
    3: "SCHEMA",
    4: "USER",
    5: "ASSEMBLY",
    6: "TYPE",
    100: "SERVER",
    101: "LOGIN",
    105: "ENDPOINT",
    108: "AVAILABILITY GROUP",
}


class Securable(NamedTuple):
    """``class_desc`` as in ``sys.fn_builtin_permissions``; ``number`` as in the catalog's ``class``."""

    class_desc: str
    number: int
    major_id: int = 0
    owner: int | None = None
    schema: int | None = None


SERVER = Securable("SERVER", 100)
DATABASE = Securable("DATABASE", 0)


def of_object(database: Database, found: Object) -> Securable:
    schema = database.schemas[found.schema_id]
    owner = found.owner if found.owner is not None else schema.owner
    return Securable("OBJECT", 1, found.object_id, owner, found.schema_id)


def of_schema(database: Database, schema_id: int) -> Securable:
    return Securable("SCHEMA", 3, schema_id, database.schemas[schema_id].owner)


# the server


def server_identities(session: Session, login: int) -> set[int]:
    return {login, SERVER_PUBLIC} | roles_of(login, session.instance.state.members)


def is_sysadmin(session: Session, login: int | None) -> bool:
    if login is None:
        return False
    principals = session.instance.state.principals
    return login == SA or any(principals[one].name == "sysadmin" for one in server_identities(session, login))


def server_right(session: Session, login: int | None, permission: str, securable: Securable = SERVER) -> bool:
    if login is None:
        return False
    if is_sysadmin(session, login):
        return True
    state = session.instance.state
    who = server_identities(session, login)
    if securable.owner == login:
        return True
    wanted = list(_wanted(securable.class_desc, permission, {"SERVER": SERVER, securable.class_desc: securable}))
    rows = [one for one in state.permissions if one.grantee in who]
    given = {(SERVER, name) for one in who for name in SERVER_GIVEN.get(state.principals[one].name, ())}
    if securable.owner in who:
        given.add((securable, "CONTROL"))
    return _decide(wanted, rows, given, set())


# Three permissions that are in no table of what covers what. CONNECT ANY DATABASE is for "a login that must connect to
# all databases"; of one, "When denied, a high privileged login can be blocked from
# impersonating other logins. For example, a login with CONTROL SERVER"; of the other, "When granted, a login such as an
# auditor can view data in all databases that the user can connect to. When denied, prevents access to objects".
# https://learn.microsoft.com/sql/t-sql/statements/grant-server-permissions-transact-sql
BESIDE = {
    ("LOGIN", "IMPERSONATE"): "IMPERSONATE ANY LOGIN",
    ("OBJECT", "SELECT"): "SELECT ALL USER SECURABLES",
    ("DATABASE", "CONNECT"): "CONNECT ANY DATABASE",
}


def _wanted(class_desc: str, permission: str, chain: dict[str, Securable]) -> Iterator[tuple[Securable, str]]:
    """Every (securable, permission) that implies the one in question."""
    if class_desc not in chain:
        return
    for one in covering(class_desc, permission):
        yield chain[class_desc], one
        if (class_desc, one) in BESIDE:
            yield from _wanted("SERVER", BESIDE[class_desc, one], chain)
    for parent, name in above(class_desc, permission):
        yield from _wanted(parent, name, chain)


def _decide(
    wanted: Iterable[tuple[Securable, str]],
    rows: list[Permission],
    given: set[tuple[Securable, str]],
    denied: set[tuple[Securable, str]],
) -> bool:
    asked = set(wanted)
    keys = {(one.number, one.major_id, name): (one, name) for one, name in asked}
    states = {one.state for one in rows if one.minor_id == 0 and (one.class_, one.major_id, one.name) in keys}
    if "D" in states or asked & denied:
        return False
    return bool(states & {"G", "W"} or asked & given)


def vouches(session: Session, database: Database) -> bool:
    """Whether the server trusts a database to say who its users are."""
    owner = next((one for one in session.instance.state.principals.values() if one.sid == database.owner_sid), None)
    trustworthy = bool(database.options.get("is_trustworthy_on"))
    return trustworthy and owner is not None and server_right(session, owner.principal_id, "AUTHENTICATE SERVER")


def demand_server(session: Session, permission: str) -> None:
    if not has_server(session, permission):
        raise failed(300, f"{permission} permission was denied on object 'server', database 'master'.", severity=14)


def has_server(session: Session, permission: str) -> bool:
    return server_right(session, session.server_login, permission)


def demand_view(session: Session, needs: tuple[str, str]) -> None:
    """Error 300 and then 297, as DMVs answer; the names changed with SQL Server 2022."""
    permission = needs[session.instance.major >= 16]
    if permission and not has_server(session, permission):
        raise Failed(
            error(300, f"{permission} permission was denied on object 'server', database 'master'.", severity=14),
            error(297, "The user does not have permission to perform this action."),
        )


# a database


def enters(session: Session, login: int, database: Database, user: Principal) -> bool:
    """Whether a login gets in as this user: CONNECT, as everything else, of all that was said to either of them."""
    who = {user.principal_id, 0} | roles_of(user.principal_id, database.members)
    wanted = list(_wanted("DATABASE", "CONNECT", {"SERVER": SERVER, "DATABASE": DATABASE}))
    rows = [one for one in database.permissions if one.grantee in who]
    rows += [one for one in session.instance.state.permissions if one.grantee in server_identities(session, login)]
    roles = {database.principals[one].name for one in who}
    given = {(DATABASE, name) for role in roles for name in DATABASE_GIVEN.get(role, ())}
    return _decide(wanted, rows, given | _server_given(session, login), set())


def user_identities(session: Session, database: Database) -> set[int]:
    user = names.user_of(session, database)
    return {user.principal_id, 0} | roles_of(user.principal_id, database.members) if user else set()


def is_owner(session: Session, database: Database) -> bool:
    """dbo, and the members of db_owner."""
    user = names.user_of(session, database)
    return user is not None and (user.principal_id == DBO or 16384 in roles_of(user.principal_id, database.members))


def has(
    session: Session,
    permission: str,
    securable: Securable,
    database: Database,
    *,
    on_column: bool = False,
    apart: frozenset[int] = frozenset(),
) -> bool:
    """Whether the session has a permission on a securable of a database.

    :param on_column: it was granted on the column in question: "A GRANT of a column-level permission overrides a DENY
        at the object level", of which no other level is said.
        https://learn.microsoft.com/sql/relational-databases/security/permissions-database-engine
    :param apart: to whom the column in question was revoked: "Column-level permissions override object-level
        permissions on the same entity".
        https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-database-permissions-transact-sql
    """
    user = names.user_of(session, database)
    if user is None:
        return False
    if user.principal_id == DBO:
        return True
    who = user_identities(session, database)
    wanted = list(_wanted(securable.class_desc, permission, _chain(database, securable)))
    rows = [
        one
        for one in database.permissions
        if one.grantee in who
        and not (one.grantee in apart and one.name == permission and (one.class_, one.major_id) == securable[1:3])
    ]
    roles = {database.principals[one].name for one in who}
    given = {(one, name) for one, name in wanted for role in roles if _of_role(DATABASE_GIVEN, role, one, name)}
    denied = {(one, name) for one, name in wanted for role in roles if _of_role(DATABASE_DENIED, role, one, name)}
    login = session.server_login
    if login is not None:
        rows += [one for one in session.instance.state.permissions if one.grantee in server_identities(session, login)]
        given |= _server_given(session, login)
    given |= _of_owners(database, securable, who)
    if on_column:
        given |= {(securable, permission)}
        rows = [one for one in rows if one.state != "D" or (one.class_, one.major_id) != securable[1:3]]
    return securable.owner == user.principal_id or _decide(wanted, rows, given, denied)


def _of_owners(database: Database, securable: Securable, who: set[int]) -> set[tuple[Securable, str]]:
    """Who is in the role that owns has CONTROL, which a DENY takes away; the owner itself nothing is denied."""
    chain = [securable] if securable.schema is None else [securable, of_schema(database, securable.schema)]
    return {(one, "CONTROL") for one in chain if one.owner in who}


def _server_given(session: Session, login: int) -> set[tuple[Securable, str]]:
    principals = session.instance.state.principals
    roles = [principals[one].name for one in server_identities(session, login)]
    return {(SERVER, name) for role in roles for name in SERVER_GIVEN.get(role, ())}


def _chain(database: Database, securable: Securable) -> dict[str, Securable]:
    chain = {"SERVER": SERVER, "DATABASE": DATABASE, securable.class_desc: securable}
    if securable.schema is not None:
        chain["SCHEMA"] = of_schema(database, securable.schema)
    return chain


def _of_role(table: dict[str, frozenset[str]], role: str, securable: Securable, name: str) -> bool:
    found = table.get(role, frozenset())
    return securable.class_desc == "DATABASE" and name in found


def demand(session: Session, permission: str, securable: Securable, database: Database) -> None:
    if not has(session, permission, securable, database):
        raise failed(262, f"{permission} permission denied in database '{database.name}'.", severity=14)


# rows of tables and views


def demand_read(session: Session, sources: list[Source]) -> None:
    for source in sources:
        if source.target is not None:
            database, found = source.target
            if session.chain_owner is not None and of_object(database, found).owner == session.chain_owner:
                continue
            demand_object(session, "SELECT", database, found, source.used)


def demand_object(session: Session, permission: str, database: Database, found: Object, columns: set[str]) -> None:
    """229 for the object, 230 for the first of its columns that is not allowed."""
    if owns(session, database, found):
        return
    schema, name = names.object_name(database, found)
    whole = has(session, permission, of_object(database, found), database)
    stored = column_states(session, permission, database, found)
    allowed = {"G", "W"} if has(session, permission, of_object(database, found), database, on_column=True) else set()
    if not columns and (whole or any(one & allowed for one in stored.values())):
        return
    for column in sorted(columns):
        states = stored.get(column, set())
        apart = parted(permission, database, found, column)
        here = has(session, permission, of_object(database, found), database, apart=apart) if apart else whole
        if "D" in states or (not here and not states & allowed):
            if stored:
                raise failed(
                    230,
                    f"The {permission} permission was denied on the column '{column}' of the object '{name}', database "
                    f"'{database.name}', schema '{schema}'.",
                    severity=14,
                )
            raise object_denied(permission, database, found)
    if not columns and not whole:
        raise object_denied(permission, database, found)


def owns(session: Session, database: Database, found: Object) -> bool:
    """dbo and the owner of the object: nothing is denied to them, on no column either."""
    user = names.user_of(session, database)
    return user is not None and user.principal_id in {DBO, of_object(database, found).owner}


def object_denied(permission: str, database: Database, found: Object) -> Failed:
    schema, name = names.object_name(database, found)
    return failed(
        229,
        f"The {permission} permission was denied on the object '{name}', database '{database.name}', "
        f"schema '{schema}'.",
        severity=14,
        state=5,
    )


def column_states(session: Session, permission: str, database: Database, found: Object) -> dict[str, set[str]]:
    who = user_identities(session, database)
    by_id = {one.column_id: one.name for one in found.columns}
    states: dict[str, set[str]] = {}
    for row in database.permissions:
        here = row.class_ == 1 and row.major_id == found.object_id and row.minor_id and row.name == permission
        if here and row.grantee in who:
            states.setdefault(by_id[row.minor_id], set()).add(row.state)
    return states


def parted(permission: str, database: Database, found: Object, column: str) -> frozenset[int]:
    """For whom what is said of the object does not count for a column."""
    number = next(one.column_id for one in found.columns if one.name == column)
    return frozenset(
        row.grantee
        for row in database.permissions
        if (row.class_, row.major_id, row.minor_id, row.name) == (1, found.object_id, number, permission)
        and row.state == "R"
    )


def sees(session: Session, database: Database, found: Object) -> bool:
    """Metadata visibility: any permission on an object, or owning it, shows it in the catalog."""
    if is_owner(session, database):
        return True
    securable = of_object(database, found)
    if any(has(session, one.name, securable, database) for one in BUILTIN.values() if one.class_desc == "OBJECT"):
        return True
    who = user_identities(session, database)
    return any(
        row.grantee in who and row.state in {"G", "W"}
        for row in database.permissions
        if row.class_ == 1 and row.major_id == found.object_id
    )
