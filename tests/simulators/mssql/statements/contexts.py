"""EXECUTE AS and REVERT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import names, rights
from tests.simulators.mssql.answers import Answer, Done, failed
from tests.simulators.mssql.identity import Identity
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.rights import Securable

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@statement("EXECUTE AS LOGIN")
@statement("EXEC AS LOGIN")
def as_login(session: Session, cursor: Cursor) -> Iterator[Answer]:
    cursor.expect("=")
    name = cursor.string()
    found = names.find_login(session, name)
    allowed = found is not None and found.type in {"S", "U", "E"} and _may_be_login(session, found.principal_id)
    if found is None or not allowed:
        raise failed(
            15406,
            f'Cannot execute as the server principal because the principal "{name}" does not exist, this type of '
            "principal cannot be impersonated, or you do not have permission.",
        )
    session.identities.append(Identity(found.principal_id, None, session.database_id))
    yield Done()


def _may_be_login(session: Session, number: int) -> bool:
    login = session.server_login
    return login == number or rights.server_right(session, login, "IMPERSONATE", Securable("LOGIN", 101, number))


@statement("EXECUTE AS USER")
@statement("EXEC AS USER")
def as_user(session: Session, cursor: Cursor) -> Iterator[Answer]:
    cursor.expect("=")
    name = cursor.string()
    database = session.current
    found = names.find_user(session, database, name)
    me = names.user_of(session, database)
    allowed = (
        found is not None
        and found.type in {"S", "U", "E"}
        and (
            found is me
            or rights.has(session, "IMPERSONATE", Securable("USER", 4, found.principal_id, found.owner), database)
        )
    )
    if found is None or not allowed:
        raise failed(
            15517,
            f'Cannot execute as the database principal because the principal "{name}" does not exist, this type of '
            "principal cannot be impersonated, or you do not have permission.",
        )
    user = (database.database_id, found.principal_id)
    session.identities.append(Identity(_login_of(session, found.sid), user, session.database_id))
    yield Done()


def _login_of(session: Session, sid: bytes | None) -> int | None:
    principals = session.instance.state.principals.values()
    return next((one.principal_id for one in principals if sid and one.sid == sid), None)


@statement("REVERT")
def revert(session: Session, cursor: Cursor) -> Iterator[Answer]:
    """Without a context to go back from it does nothing; it must be said in the database where the context began."""
    del cursor
    if len(session.identities) > 1:
        if session.identities[-1].saved_database not in {0, session.database_id}:
            raise failed(
                15199,
                "The current security context cannot be reverted. Please switch to the original database where "
                "'Execute As' was called and try it again.",
            )
        session.identities.pop()
    yield Done()
