"""Who is let in: the checks of a login in the order of the server, each with its error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.mssql import names, passwords
from tests.simulators.mssql.answers import Failed, Message, Refused, error
from tests.simulators.mssql.identity import Identity
from tests.simulators.mssql.model import Database, Principal, named
from tests.simulators.mssql.rights import server_right
from tests.simulators.mssql.session import Session

if TYPE_CHECKING:
    from tests.simulators.mssql.instance import Instance


def login(instance: Instance, user: str, password: str, database: str) -> Session:
    target = _lets_its_own_in(instance, database)
    known = named(target.principals, user, instance.same) if target is not None else None
    found = named(instance.state.principals, user, instance.same)
    # The name of a contained user goes before that of a login, where the database is named.
    if target is not None and known is not None and known.password_hash is not None:
        return _contained(instance, target, known, password)
    if found is None or found.type != "S":
        raise Refused(refusal(user))
    if not instance.mixed_authentication or found.password_hash is None:
        raise Refused(refusal(user))
    if found.is_locked:
        raise Refused(
            error(
                18486,
                f"Login failed for user '{user}' because the account is currently locked out. The system administrator "
                "can unlock it.",
                severity=14,
            )
        )
    if not passwords.matches(password, found.password_hash):
        found.bad_passwords += 1
        raise Refused(refusal(user))
    return _admitted(instance, found, database)


def refusal(user: str) -> Message:
    """The state that a client sees is always 1; the reason is in the error log alone."""
    return error(18456, f"Login failed for user '{user}'.", severity=14)


def _admitted(instance: Instance, found: Principal, database: str) -> Session:
    if found.is_disabled:
        raise Refused(
            error(18470, f"Login failed for user '{found.name}'. Reason: The account is disabled.", severity=14)
        )
    if found.must_change:
        raise Refused(
            error(
                18488,
                f"Login failed for user '{found.name}'.  Reason: The password of the account must be changed.",
                severity=14,
            )
        )
    session = Session(instance, instance.free_spid(), found, instance.master)
    if not server_right(session, found.principal_id, "CONNECT SQL"):
        raise Refused(refusal(found.name))
    found.bad_passwords = 0
    return _in_database(session, found, database)


def _in_database(session: Session, found: Principal, database: str) -> Session:
    name = database or found.default_database
    target = names.find_database(session, name)
    problem = target is None or not _open_to(session, target)
    if problem and not database:
        raise Refused(
            error(4064, "Cannot open user default database. Login failed.", severity=11),
            refusal(found.name),
        )
    if problem:
        raise Refused(
            error(4060, f'Cannot open database "{name}" requested by the login. The login failed.', severity=11),
            refusal(found.name),
        )
    assert target is not None
    session.database_id = session.first_database_id = target.database_id
    return session


def _open_to(session: Session, target: Database) -> bool:
    try:
        names.usable(target)
        names.open_to(session, target)
    except Failed:
        return False
    return names.user_of(session, target) is not None


def _lets_its_own_in(instance: Instance, database: str) -> Database | None:
    """The database, where it is contained and the server lets its users in."""
    target = names.find_database(Session(instance, 0, None, instance.master), database) if database else None
    enabled = instance.azure or instance.state.configurations.get("contained database authentication", 0)
    return target if target is not None and enabled and instance.contains(target) else None


def _contained(instance: Instance, target: Database, found: Principal, password: str) -> Session:
    """A user with a password of its own, in a database that is contained."""
    if found.password_hash is None or not passwords.matches(password, found.password_hash):
        raise Refused(refusal(found.name))
    if not names.connects(target, found):
        raise Refused(refusal(found.name))
    session = Session(instance, instance.free_spid(), None, target)
    session.original_login = found.name
    session.authenticating_database_id = target.database_id
    session.identities = [Identity(None, (target.database_id, found.principal_id))]
    return session


def enter(instance: Instance, user: str, database: str) -> Session:
    """A session of a login whose password nobody asks for."""
    found = named(instance.state.principals, user, instance.same)
    if found is None:
        raise KeyError(user)
    session = Session(instance, instance.free_spid(), found, instance.master)
    return _in_database(session, found, database)
