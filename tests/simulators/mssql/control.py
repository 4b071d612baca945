"""Running the statements of a batch: control flow, errors that end a statement and errors that end the batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import duckdb

from tests.simulators.mssql import azure, predicates
from tests.simulators.mssql.answers import Answer, Done, Failed, Message, unknown
from tests.simulators.mssql.batch import Block, If, Node, Simple, Try, While
from tests.simulators.mssql.dialect import parsed
from tests.simulators.mssql.duck_errors import translated
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.registry import STATEMENTS, Handler

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

END_BATCH = frozenset({102, 156, 195, 207, 208, 245, 911, 916, 4104, 8152, 50000})
"""Errors after which the rest of a batch does not run; after the others it does."""


CHANGES = ("ALTER", "CREATE", "DELETE", "DENY", "DROP", "GRANT", "INSERT", "REVOKE", "TRUNCATE", "UPDATE")
"""What waits for the transaction of another session before it reads anything."""


class End(Exception):
    """The batch is over: RETURN, an attention, or an error that ends it (which has been sent already)."""


class Leave(Exception):
    """BREAK."""


class Again(Exception):
    """CONTINUE."""


def run(session: Session, sql: str, nodes: Sequence[Node]) -> Iterator[Answer]:
    for node in nodes:
        yield from _node(session, sql, node)


def _node(session: Session, sql: str, node: Node) -> Iterator[Answer]:
    match node:
        case Simple():
            yield from _simple(session, sql, node)
        case Block():
            yield from run(session, sql, node.body)
        case If():
            branch = node.then if holds(session, node.condition) else node.otherwise
            if branch is not None:
                yield from _node(session, sql, branch)
        case While():
            yield from _while(session, sql, node)
        case Try():
            yield from _try(session, sql, node)


def _while(session: Session, sql: str, node: While) -> Iterator[Answer]:
    try:
        while holds(session, node.condition):
            session.check()
            try:
                yield from _node(session, sql, node.body)
            except Again:
                continue
    except Leave:
        return


def _try(session: Session, sql: str, node: Try) -> Iterator[Answer]:
    session.depth += 1
    try:
        yield from run(session, sql, node.body.body)
    except Failed as wrong:
        session.depth -= 1
        before, session.caught = session.caught, wrong.messages[-1]
        yield from run(session, sql, node.catch.body)
        session.caught = before
        return
    session.depth -= 1


def holds(session: Session, condition: str) -> bool:
    with session.instance.turn(session):
        session.words = None
        tree = parsed(f"SELECT 1 WHERE {condition}")
        where = tree.args["where"].this
        try:
            test = predicates.predicate(where, session.frame())
            [row] = session.instance.duck.execute(f"SELECT {test}").fetchall()
        except duckdb.Error as wrong:
            raise translated(wrong) from wrong
        finally:
            session.clean()
        return bool(row[0])


def _simple(session: Session, sql: str, node: Simple) -> Iterator[Answer]:
    session.check()
    try:
        with session.instance.turn(session):
            session.instance.faults.deny(session, sql[node.found[0].start : node.found[-1].end])
            answers = list(statement(session, sql, node))
    except Failed as wrong:
        if session.depth:
            raise
        line = node.found[0].line
        yield from (one._replace(line=line) for one in wrong.messages)
        yield Done()
        if ends_batch(session, wrong.messages):
            raise End from wrong
        return
    yield from answers


def ends_batch(session: Session, messages: Sequence[Message]) -> bool:
    if session.options.get("XACT_ABORT") and session.transactions:
        from tests.simulators.mssql.transactions import roll_back

        roll_back(session)
        return True
    return any(one.number in END_BATCH or one.severity >= 19 for one in messages) or bool(
        session.options.get("XACT_ABORT")
    )


def statement(session: Session, sql: str, node: Simple) -> Iterator[Answer]:
    cursor = Cursor(sql, node.found)
    session.words = words_of(node)
    handler, words = find(cursor)
    azure.statement(session, (token.value.upper() for token in cursor.found[:4]))
    if cursor.found[0].is_word(*CHANGES):
        session.instance.changing(session)
    cursor.at += words
    try:
        yield from handler(session, cursor)
    except duckdb.Error as wrong:
        raise translated(wrong) from wrong
    finally:
        session.clean()
    if not cursor.done:
        raise cursor.wrong()


def words_of(node: Simple) -> frozenset[str] | None:
    for before, token in pairwise(node.found):
        if token.is_symbol("*") and not before.is_symbol("("):
            return None
    return frozenset(token.value.lower() for token in node.found)


def find(cursor: Cursor) -> tuple[Handler, int]:
    """The handler of the longest beginning; a name alone at the start calls a procedure."""
    first = [token.value.upper() for token in cursor.found[:5]]
    for count in range(len(first), 0, -1):
        handler = STATEMENTS.get(tuple(first[:count]))
        if handler is not None:
            return handler, count
    if not any(known[0] == first[0] for known in STATEMENTS):
        from tests.simulators.mssql.batch import STARTS

        if first[0] not in STARTS and cursor.found[0].start == 0:
            return STATEMENTS["EXEC",], 0
        raise cursor.wrong()
    raise unknown(f"the statement {' '.join(first[:3])}")
