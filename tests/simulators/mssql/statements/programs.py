"""CREATE of views, procedures, functions and triggers, and calling procedures.

A procedure runs as its caller or as whom EXECUTE AS names; rights on what has the same owner are not asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import names, rights
from tests.simulators.mssql.answers import Answer, Done, failed, unknown
from tests.simulators.mssql.dialect import parsed
from tests.simulators.mssql.frames import Frame, Variable
from tests.simulators.mssql.identity import Identity
from tests.simulators.mssql.lexer import Cursor, Kind
from tests.simulators.mssql.model import Column, Database, Object
from tests.simulators.mssql.queries import query
from tests.simulators.mssql.refusals import not_found
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.rights import demand_object
from tests.simulators.mssql.statements.batches import type_name, variable
from tests.simulators.mssql.statements.tables import add, first_in_batch, place

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@statement("CREATE VIEW")
def create_view(session: Session, cursor: Cursor) -> Iterator[Answer]:
    first_in_batch(cursor, "CREATE VIEW")
    parts = cursor.dotted()
    database, schema, name = place(session, parts, "CREATE VIEW")
    chosen = _column_names(cursor)
    if cursor.accept("WITH"):
        cursor.name()
    cursor.expect("AS")
    text = _rest(cursor)
    _, fields = query(parsed(text), Frame(session, {}))
    made = add(session, database, schema, name, "V")
    made.definition, made.text = text, cursor.sql.strip()
    made.columns = [
        Column(chosen[place_] if chosen else field.name, place_ + 1, field.type, field.nullable)
        for place_, field in enumerate(fields)
    ]
    yield Done()


def _column_names(cursor: Cursor) -> list[str]:
    found: list[str] = []
    if cursor.accept("("):
        found.append(cursor.name())
        while cursor.accept(","):
            found.append(cursor.name())
        cursor.expect(")")
    return found


def _rest(cursor: Cursor) -> str:
    if cursor.done:
        raise cursor.wrong()
    text = cursor.sql[cursor.found[cursor.at].start : cursor.found[-1].end]
    cursor.at = len(cursor.found)
    return text.rstrip(";")


@statement("CREATE PROC")
@statement("CREATE PROCEDURE")
def create_procedure(session: Session, cursor: Cursor) -> Iterator[Answer]:
    first_in_batch(cursor, "CREATE/ALTER PROCEDURE")
    database, schema, name = place(session, cursor.dotted(), "CREATE PROCEDURE")
    bracket = cursor.accept("(")
    parameters = _parameters(cursor)
    if bracket:
        cursor.expect(")")
    execute_as = _execute_as(session, database, cursor)
    cursor.expect("AS")
    made = add(session, database, schema, name, "P")
    made.parameters, made.execute_as = parameters, execute_as
    made.definition, made.text = _rest(cursor), cursor.sql.strip()
    yield Done()


def _parameters(cursor: Cursor) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while cursor.is_kind(Kind.VARIABLE):
        name = variable(cursor)
        cursor.accept("AS")
        found.append((name, type_name(cursor)))
        if cursor.sees("=") or cursor.sees("OUTPUT"):
            raise unknown("defaults and outputs of parameters")
        if not cursor.accept(","):
            break
    return found


def _execute_as(session: Session, database: Database, cursor: Cursor) -> int | None:
    """None for CALLER, -2 for OWNER, as in ``sys.sql_modules``; SELF is whoever creates it."""
    if not cursor.accept("WITH"):
        return None
    if not cursor.accept("EXECUTE", "AS"):
        cursor.expect("EXEC", "AS")
    if cursor.accept("CALLER"):
        return None
    if cursor.accept("OWNER"):
        return -2
    if cursor.accept("SELF"):
        user = names.user_of(session, database)
        return user.principal_id if user else None
    name = cursor.string()
    found = names.find_user(session, database, name)
    if found is None or not _may_impersonate(session, database, found.principal_id):
        raise not_found("find", "user", name)
    return found.principal_id


def _may_impersonate(session: Session, database: Database, number: int) -> bool:
    securable = rights.Securable("USER", 4, number)
    return rights.has(session, "IMPERSONATE", securable, database)


@statement("CREATE FUNCTION")
def create_function(session: Session, cursor: Cursor) -> Iterator[Answer]:
    """The object with its parameters; the model does not call it."""
    first_in_batch(cursor, "CREATE FUNCTION")
    database, schema, name = place(session, cursor.dotted(), "CREATE FUNCTION")
    cursor.expect("(")
    parameters = _parameters(cursor)
    cursor.expect(")", "RETURNS")
    kind, returns = ("IF", "table") if cursor.accept("TABLE") else ("FN", type_name(cursor))
    execute_as = _execute_as(session, database, cursor) if cursor.sees("WITH", "EXECUTE") else None
    made = add(session, database, schema, name, kind)
    made.parameters, made.returns, made.execute_as = parameters, returns, execute_as
    made.definition, made.text = _rest(cursor), cursor.sql.strip()
    yield Done()


def call_procedure(session: Session, parts: tuple[str, ...], arguments: list[tuple[str, object]]) -> Iterator[Answer]:
    database = session.reach(parts[-3]) if len(parts) > 2 and parts[-3] else session.current
    found = names.find_object(session, database, parts[-2] if len(parts) > 1 else "", parts[-1])
    if found is None or found.type != "P":
        raise failed(2812, f"Could not find stored procedure '{'.'.join(parts)}'.", state=62)
    demand_object(session, "EXECUTE", database, found, set())
    yield from _run(session, database, found, _bound(found, arguments))


def _bound(found: Object, arguments: list[tuple[str, object]]) -> dict[str, Variable]:
    if len(arguments) > len(found.parameters):
        raise failed(8144, f"Procedure or function {found.name} has too many arguments specified.", state=2)
    variables: dict[str, Variable] = {}
    for place_, (name, kind) in enumerate(found.parameters):
        given = [value for key, value in arguments if key.lower() == name.lower()]
        if not given and place_ < len(arguments) and not arguments[place_][0]:
            given = [arguments[place_][1]]
        if not given:
            raise failed(
                201,
                f"Procedure or function '{found.name}' expects parameter '{name}', which was not supplied.",
                state=4,
            )
        variables[name] = Variable(kind, given[0])
    return variables


def _run(session: Session, database: Database, found: Object, variables: dict[str, Variable]) -> Iterator[Answer]:
    from tests.simulators.mssql.statements.procedures import inner

    depth, before, chain = len(session.identities), session.database_id, session.chain_owner
    session.database_id = database.database_id
    session.chain_owner = rights.of_object(database, found).owner
    if found.execute_as is not None:
        number = rights.of_object(database, found).owner if found.execute_as == -2 else found.execute_as
        session.identities.append(Identity(None, (database.database_id, number or 1)))
    try:
        yield from inner(session, found.definition or "", variables)
    finally:
        del session.identities[depth:]
        session.database_id, session.chain_owner = before, chain
