"""A batch as statements: where each one ends, and the control flow around them.

T-SQL needs no semicolons, so a statement ends where a word begins another one that cannot be part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from tests.simulators.mssql.answers import failed
from tests.simulators.mssql.lexer import Cursor, Kind, Token, tokens

_STARTS = """ALTER BACKUP BEGIN BREAK CHECKPOINT CLOSE COMMIT CONTINUE CREATE DBCC DEALLOCATE DECLARE DELETE DENY
    DROP END ELSE EXEC EXECUTE GRANT IF INSERT KILL MERGE OPEN PRINT RAISERROR RECONFIGURE RESTORE
    RETURN REVERT REVOKE ROLLBACK SAVE SELECT SET THROW TRUNCATE UPDATE USE WAITFOR WHILE"""
STARTS = frozenset(_STARTS.split())
PROGRAMS = frozenset({"VIEW", "PROC", "PROCEDURE", "FUNCTION", "TRIGGER"})
"""What takes the rest of the batch as its body."""
DML = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "EXEC", "EXECUTE")


@dataclass(frozen=True, slots=True)
class Simple:
    found: list[Token]


@dataclass(frozen=True, slots=True)
class If:
    condition: str
    then: Node
    otherwise: Node | None


@dataclass(frozen=True, slots=True)
class While:
    condition: str
    body: Node


@dataclass(frozen=True, slots=True)
class Block:
    body: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Try:
    body: Block
    catch: Block


Node: TypeAlias = Simple | If | While | Block | Try


@lru_cache(maxsize=512)
def statements(sql: str) -> list[Node]:
    """Raises ``Failed`` before anything runs where the batch as a whole cannot be read."""
    cursor = Cursor(sql, tokens(sql))
    body = []
    while not cursor.done:
        if not cursor.accept(";"):
            body.append(_node(cursor))
    return body


def _node(cursor: Cursor) -> Node:
    if cursor.accept("IF"):
        return _if(cursor)
    if cursor.accept("WHILE"):
        return While(_condition(cursor), _node(cursor))
    if cursor.accept("BEGIN", "TRY"):
        body = _block(cursor, "END", "TRY")
        cursor.expect("BEGIN", "CATCH")
        return Try(body, _block(cursor, "END", "CATCH"))
    if cursor.sees("BEGIN") and not _begins_transaction(cursor):
        cursor.take()
        return _block(cursor, "END")
    if cursor.sees("END") or cursor.sees("ELSE"):
        raise cursor.wrong()
    return Simple(_simple(cursor))


def _begins_transaction(cursor: Cursor) -> bool:
    following = cursor.ahead()
    return following is not None and following.is_word("TRAN", "TRANSACTION", "DISTRIBUTED", "DIALOG", "CONVERSATION")


def _if(cursor: Cursor) -> If:
    condition = _condition(cursor)
    then = _node(cursor)
    at = cursor.at
    while cursor.accept(";"):
        pass
    if cursor.accept("ELSE"):
        return If(condition, then, _node(cursor))
    cursor.at = at
    return If(condition, then, None)


def _block(cursor: Cursor, *end: str) -> Block:
    body: list[Node] = []
    while not cursor.accept(*end):
        if cursor.done:
            raise failed(102, "Incorrect syntax near 'BEGIN'.", severity=15)
        if not cursor.accept(";"):
            body.append(_node(cursor))
    return Block(body)


def _condition(cursor: Cursor) -> str:
    """Up to the statement that it guards; subqueries stand in parentheses."""
    first = cursor.token
    depth = 0
    while not cursor.done:
        token = cursor.take()
        depth += token.is_symbol("(") - token.is_symbol(")")
        following = cursor.token
        if depth == 0 and following is not None and following.is_word(*STARTS, "WITH") and not _in_case(cursor, first):
            break
    if first is None or cursor.done:
        raise cursor.wrong()
    return cursor.sql[first.start : cursor.found[cursor.at - 1].end]


def _in_case(cursor: Cursor, first: Token | None) -> bool:
    passed = [one for one in cursor.found[: cursor.at] if first is None or one.start >= first.start]
    return sum(one.is_word("CASE") - one.is_word("END") for one in passed) > 0


def _simple(cursor: Cursor) -> list[Token]:
    start = cursor.at
    head = cursor.take()
    free = _free(head, cursor)
    depth = cases = 0
    while not cursor.done:
        token = cursor.take()
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0 and token.is_symbol(";") and not _is_program(head, cursor.found[start:]):
            return cursor.found[start : cursor.at - 1]
        if depth or token.kind is not Kind.WORD:
            continue
        word = token.value.upper()
        if word == "CASE" or (word == "END" and cases):
            cases += 1 if word == "CASE" else -1
            continue
        if word in STARTS and not cases and _ends(token, cursor, start, free):
            cursor.at -= 1
            return cursor.found[start : cursor.at]
        if word in free and free[word] > 0:
            free[word] -= 1
    return cursor.found[start:]


def _free(head: Token, cursor: Cursor) -> dict[str, int]:
    """How many words of each kind belong to a statement that begins so, though they could begin another."""
    many = 1 << 20
    match head.value.upper():
        case "ALTER":
            return {"SET": many, "DROP": many, "ROLLBACK": many, "ALTER": many if cursor.sees("TABLE") else 0}
        case "UPDATE":
            return {"SET": 1}
        case "INSERT":
            return {"SELECT": 1, "EXEC": 1, "EXECUTE": 1}
        case "WITH":
            return {"SELECT": 1, "INSERT": 1, "UPDATE": 1, "DELETE": 1, "SET": 1}
        case "MERGE":
            return dict.fromkeys([*DML, "SET"], many)
        case _:
            return {}


def _is_program(head: Token, found: list[Token]) -> bool:
    return head.is_word("CREATE", "ALTER") and any(one.is_word(*PROGRAMS) for one in found[1:4])


def _ends(token: Token, cursor: Cursor, start: int, free: dict[str, int]) -> bool:
    word, head = token.value.upper(), cursor.found[start]
    before = cursor.found[cursor.at - 2]
    passed = cursor.found[start + 1 : cursor.at - 1]
    if head.is_word("GRANT", "DENY", "REVOKE") and not any(one.is_word("TO", "FROM") for one in passed):
        return False
    if _is_program(head, cursor.found[start:]):
        return False
    if before.is_symbol(".", "=", "::", ",") or before.is_word("AS") or _follows(cursor, "=", "."):
        return False
    if word == "SELECT" and before.is_word("UNION", "ALL", "EXCEPT", "INTERSECT"):
        return False
    if word == "GRANT" and before.is_word("WITH"):
        return False
    if word == "IF" and head.is_word("DROP", "CREATE", "ALTER"):
        return False
    if head.is_word("OPEN", "CLOSE", "CREATE", "DROP") and before is head:
        return False
    if free.get(word, 0) > 0:
        free[word] -= 1
        return False
    return token is not head


def _follows(cursor: Cursor, *symbols: str) -> bool:
    return cursor.token is not None and cursor.token.is_symbol(*symbols)
