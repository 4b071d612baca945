"""EXECUTE: of texts, of ``sp_executesql``, and of the procedures that the model knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import azure, batch, control, names
from tests.simulators.mssql.answers import Answer, Done, failed, unknown
from tests.simulators.mssql.frames import Variable
from tests.simulators.mssql.lexer import Cursor, Kind, tokens
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.statements.batches import expression, type_name, variable

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

Arguments = list[tuple[str, object]]
"""Pairs of a parameter's name with its ``@``, empty where it was given by place, and a value."""
PROCEDURES: dict[str, Callable[[Session, Arguments], Iterator[Answer]]] = {}


def procedure(name: str) -> Callable[[Callable[..., Iterator[Answer]]], Callable[..., Iterator[Answer]]]:
    """A system procedure by its bare name; it is found as ``sys.name``, ``dbo.name`` and in every database."""

    def register(call: Callable[..., Iterator[Answer]]) -> Callable[..., Iterator[Answer]]:
        PROCEDURES[name] = call
        return call

    return register


def bound(arguments: Arguments, *names: str) -> dict[str, object]:
    """Arguments by parameter; 8144 for too many, 8145 for a name that is none of them."""
    found: dict[str, object] = {}
    for place, (name, value) in enumerate(arguments):
        if not name and place >= len(names):
            raise failed(8144, "Procedure or function has too many arguments specified.")
        key = name.lower() or names[place]
        if key not in names:
            raise failed(8145, f"{name} is not a parameter for procedure.")
        found[key] = value
    return found


@statement("EXEC")
@statement("EXECUTE")
def execute(session: Session, cursor: Cursor) -> Iterator[Answer]:
    if cursor.accept("("):
        text = expression(session, cursor, ")")
        cursor.expect(")")
        yield from inner(session, str(text), {})
        return
    returned = ""
    if cursor.is_kind(Kind.VARIABLE):
        returned = variable(cursor)
        cursor.expect("=")
    parts = cursor.dotted()
    arguments = _arguments(session, cursor)
    azure.procedure(session, parts[-1].lower())
    call = PROCEDURES.get(parts[-1].lower())
    if call is not None:
        session.returned = 0
        yield from call(session, arguments)
        if returned:
            session.variables[returned] = Variable("int", session.returned)
        return
    from tests.simulators.mssql.statements.programs import call_procedure

    yield from call_procedure(session, parts, arguments)


def _arguments(session: Session, cursor: Cursor) -> Arguments:
    found: Arguments = []
    while not cursor.done:
        name = ""
        following = cursor.ahead()
        if cursor.is_kind(Kind.VARIABLE) and following is not None and following.is_symbol("="):
            name = variable(cursor)
            cursor.expect("=")
        token = cursor.token
        if token is not None and token.kind is Kind.WORD and token.value.upper() not in {"NULL", "N"}:
            found.append((name, cursor.take().value))
        else:
            found.append((name, expression(session, cursor, ",", "OUTPUT", "OUT")))
        if cursor.accept("OUTPUT") or cursor.accept("OUT"):
            raise unknown("OUTPUT parameters")
        if not cursor.accept(","):
            break
    return found


def inner(session: Session, sql: str, variables: dict[str, Variable]) -> Iterator[Answer]:
    """A batch inside a batch: its own variables, and its database goes back afterwards."""
    before, database = session.variables, session.database_id
    depth = len(session.identities)
    session.variables = variables
    try:
        yield from control.run(session, sql, batch.statements(sql))
    finally:
        session.variables = before
        session.database_id = database
        del session.identities[depth:]


@procedure("sp_executesql")
def sp_executesql(session: Session, arguments: Arguments) -> Iterator[Answer]:
    if not arguments:
        raise failed(
            201, "Procedure or function 'sp_executesql' expects parameter '@statement', which was not supplied."
        )
    text = str(arguments[0][1])
    declared = declarations(str(arguments[1][1])) if len(arguments) > 1 else {}
    variables: dict[str, Variable] = {}
    given = arguments[2:]
    for place, (name, kind) in enumerate(declared.items()):
        named = [value for key, value in given if key.lower() == name.lower()]
        if not named and place < len(given) and not given[place][0]:
            named = [given[place][1]]
        if not named:
            raise failed(8178, f"The parameterized query expects the parameter '{name}', which was not supplied.")
        variables[name] = Variable(kind, named[0])
    yield from inner(session, text, variables)


def declarations(text: str) -> dict[str, str]:
    """``@P1 nvarchar(4000),@P2 int`` as names and types."""
    cursor = Cursor(text, tokens(text))
    found: dict[str, str] = {}
    while not cursor.done:
        name = variable(cursor)
        cursor.accept("AS")
        found[name] = type_name(cursor)
        cursor.accept("OUTPUT")
        if not cursor.accept(","):
            break
    return found


@procedure("sp_getapplock")
def sp_getapplock(session: Session, arguments: Arguments) -> Iterator[Answer]:
    """Exclusive, of a session, without waiting: 0, or -1 where another session has it."""
    given = bound(arguments, "@resource", "@lockmode", "@lockowner", "@locktimeout", "@dbprincipal")
    modes = str(given.get("@lockmode")), str(given.get("@lockowner")), given.get("@locktimeout")
    if modes != ("Exclusive", "Session", 0):
        raise unknown(f"sp_getapplock {modes}")
    locks = session.instance.application_locks
    key = (session.database_id, str(given["@resource"]))
    holder = locks.get(key)
    if holder is None or holder.closed or holder is session:
        locks[key] = session
    else:
        session.returned = -1
    yield Done()


@procedure("sp_update_job")
def sp_update_job(session: Session, arguments: Arguments) -> Iterator[Answer]:
    """Of msdb: another owner of a job; 14262 for one that is not there."""
    given = bound(arguments, "@job_id", "@owner_login_name")
    owner = names.find_login(session, str(given["@owner_login_name"]))
    rows = session.instance.state.rows.get("dbo.sysjobs", [])
    found = [row for row in rows if str(row["job_id"]).lower() == str(given["@job_id"]).lower()]
    if not found or owner is None:
        raise failed(14262, f"The specified @job_id ('{given['@job_id']}') does not exist.")
    for row in found:
        row["owner_sid"] = owner.sid
    yield Done()


@procedure("sp_reset_connection")
def sp_reset_connection(session: Session, arguments: Arguments) -> Iterator[Answer]:
    del arguments
    session.reset()
    yield Done()
