"""USE, SET, DECLARE, PRINT, RAISERROR, THROW, RETURN, WAITFOR: what a batch does with itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from tests.simulators.mssql import kinds, names
from tests.simulators.mssql.answers import Answer, Done, Failed, Message, Used, error, failed, unknown
from tests.simulators.mssql.casts import cast
from tests.simulators.mssql.control import End
from tests.simulators.mssql.dialect import parsed
from tests.simulators.mssql.frames import Variable
from tests.simulators.mssql.lexer import Cursor, Kind
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.statements.queries import set_variable
from tests.simulators.mssql.values import value

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


def expression(session: Session, cursor: Cursor, *stops: str) -> object:
    """The value of an expression that reaches to one of these symbols or words, or to the end of the statement."""
    return typed_expression(session, cursor, *stops)[1]


def typed_expression(session: Session, cursor: Cursor, *stops: str) -> tuple[str, object]:
    start, depth = cursor.at, 0
    while (token := cursor.token) is not None:
        if depth == 0 and (token.is_symbol(*stops) or token.is_word(*stops)):
            break
        depth += token.is_symbol("(") - token.is_symbol(")")
        cursor.at += 1
    if cursor.at == start:
        raise cursor.wrong()
    text = cursor.sql[cursor.found[start].start : cursor.found[cursor.at - 1].end]
    tree = parsed(f"SELECT {text}")
    assert isinstance(tree, exp.Select)
    found = value(tree.expressions[0], session.frame())
    return found.kind, session.constant(found)


@statement("USE")
def use(session: Session, cursor: Cursor) -> Iterator[Answer]:
    name = cursor.name()
    if session.instance.engine_edition == names.AZURE_SQL_DATABASE and not session.same(name, session.database):
        raise failed(
            40508,
            "USE statement is not supported to switch between databases. Use a new connection to connect to a "
            "different database.",
        )
    found = names.reach(session, name)
    session.database_id = found.database_id
    yield Used(found.name)
    yield Message(5701, 2, 0, f"Changed database context to '{found.name}'.")
    yield Done()


@statement("DECLARE")
def declare(session: Session, cursor: Cursor) -> Iterator[Answer]:
    while True:
        name = variable(cursor)
        cursor.accept("AS")
        if cursor.sees("TABLE") or cursor.sees("CURSOR"):
            raise unknown(f"DECLARE … {cursor.take().value}")
        kind = type_name(cursor)
        given = expression(session, cursor, ",") if cursor.accept("=") else None
        if any(known.casefold() == name.casefold() for known in session.variables):
            raise failed(
                134,
                f"The variable name '{name}' has already been declared. Variable names must be unique within a query "
                "batch or stored procedure.",
                severity=15,
            )
        session.variables[name] = Variable(kind, _as(session, given, kind))
        if not cursor.accept(","):
            break
    yield from ()


def _as(session: Session, given: object, kind: str) -> object:
    """A value converted to the type of the variable that takes it."""
    if given is None:
        return None
    from tests.simulators.mssql.frames import Typed

    source = kinds.of_value(given)
    return session.constant(cast(Typed(kinds.literal(given, source), source), kind))


def variable(cursor: Cursor) -> str:
    if not cursor.is_kind(Kind.VARIABLE):
        raise cursor.wrong()
    return cursor.take().value


def type_name(cursor: Cursor) -> str:
    """``nvarchar(128)``; a schema in front (``sys.sysname``) says nothing more. Without a length: 1."""
    parts = cursor.dotted()
    kind = parts[-1].lower()
    if kind not in kinds.NAMES:
        raise failed(2715, f"Column, parameter, or variable #1: Cannot find data type {parts[-1]}.")
    if cursor.accept("("):
        inside = []
        while not cursor.accept(")"):
            inside.append(cursor.take().value.lower())
        kind += f"({''.join(inside)})"
    elif kind in {"char", "varchar", "nchar", "nvarchar", "binary", "varbinary"}:
        kind += "(1)"
    return {"numeric": "numeric(18,0)", "decimal": "numeric(18,0)"}.get(kind, kind.replace("decimal", "numeric"))


_SWITCHES = """NOCOUNT XACT_ABORT QUOTED_IDENTIFIER ANSI_NULLS ANSI_WARNINGS ANSI_PADDING ANSI_NULL_DFLT_ON ARITHABORT
    CONCAT_NULL_YIELDS_NULL NUMERIC_ROUNDABORT IMPLICIT_TRANSACTIONS CURSOR_CLOSE_ON_COMMIT ANSI_DEFAULTS
    FMTONLY NOEXEC PARSEONLY REMOTE_PROC_TRANSACTIONS"""
SWITCHES = frozenset(_SWITCHES.split())
_VALUES = """LOCK_TIMEOUT DEADLOCK_PRIORITY LANGUAGE DATEFORMAT DATEFIRST TEXTSIZE
    ROWCOUNT CONTEXT_INFO QUERY_GOVERNOR_COST_LIMIT"""
VALUES = frozenset(_VALUES.split())


@statement("SET")
def set_option(session: Session, cursor: Cursor) -> Iterator[Answer]:
    if cursor.is_kind(Kind.VARIABLE):
        name = variable(cursor)
        cursor.expect("=")
        given = expression(session, cursor)
        known = next((one for one in session.variables if one.casefold() == name.casefold()), None)
        set_variable(session, name, _as(session, given, session.variables[known].kind) if known else given)
        return
    if cursor.accept("TRANSACTION", "ISOLATION", "LEVEL"):
        session.options["ISOLATION"] = " ".join(
            cursor.take().value.upper() for _ in range(len(cursor.found) - cursor.at)
        )
        yield Done()
        return
    chosen = [cursor.take().value.upper()]
    while cursor.accept(","):
        chosen.append(cursor.take().value.upper())
    unknown_name = next((one for one in chosen if one not in SWITCHES | VALUES), None)
    if unknown_name:
        raise failed(195, f"'{unknown_name}' is not a recognized SET option.", severity=15)
    given = cursor.choose("ON", "OFF") == "ON" if chosen[0] in SWITCHES else _option(cursor)
    session.options.update(dict.fromkeys(chosen, given))
    yield Done()


def _option(cursor: Cursor) -> object:
    if cursor.is_kind(Kind.NUMBER) or cursor.sees("-"):
        return cursor.number()
    return cursor.take().value


@statement("PRINT")
def print_text(session: Session, cursor: Cursor) -> Iterator[Answer]:
    kind, found = typed_expression(session, cursor)
    text = "" if found is None else str(int(found) if isinstance(found, bool) else found)
    del kind
    yield Message(0, 1, 0, text or " ")
    yield Done()


@statement("RAISERROR")
def raise_error(session: Session, cursor: Cursor) -> Iterator[Answer]:
    """``%s``, ``%d`` and ``%%`` in the text, as in printf."""
    cursor.expect("(")
    arguments = [expression(session, cursor, ",", ")")]
    while cursor.accept(","):
        arguments.append(expression(session, cursor, ",", ")"))
    cursor.expect(")")
    if cursor.accept("WITH"):
        cursor.take()
        while cursor.accept(","):
            cursor.take()
    text, severity, state, *rest = arguments
    number = int(text) if isinstance(text, int) else 50000
    filled = str(text) % tuple(rest) if rest else str(text).replace("%%", "%")
    level = int(str(severity))
    said = error(number, filled, severity=0 if level <= 10 else level, state=int(str(state)))
    if level > 10:
        raise Failed(said)
    yield said
    yield Done()


@statement("THROW")
def throw(session: Session, cursor: Cursor) -> Iterator[Answer]:
    if cursor.done:
        if session.caught is None:
            raise failed(10704, "To rethrow an error, a THROW statement must be used inside a CATCH block.")
        raise Failed(session.caught)
    number = expression(session, cursor, ",")
    cursor.expect(",")
    text = expression(session, cursor, ",")
    cursor.expect(",")
    state = expression(session, cursor)
    yield from ()
    raise Failed(error(int(str(number)), str(text), state=int(str(state))))


@statement("RETURN")
def leave(session: Session, cursor: Cursor) -> Iterator[Answer]:
    if not cursor.done:
        expression(session, cursor)
    yield from ()
    raise End


@statement("WAITFOR DELAY")
def wait(session: Session, cursor: Cursor) -> Iterator[Answer]:
    """Other sessions run meanwhile; an attention ends it."""
    given = str(expression(session, cursor))
    parts = [float(part) for part in given.split(":")]
    seconds = sum(part * scale for part, scale in zip(reversed(parts), (1, 60, 3600), strict=False))
    session.instance.wait(session, seconds)
    yield Done()


@statement("CHECKPOINT")
def nothing(session: Session, cursor: Cursor) -> Iterator[Answer]:
    del session, cursor
    yield Done()
