"""The server's own answers about nominal access (``has_*_privilege``), many in one question."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from dbops.access.audit import Question
from dbops.errors import DbopsError
from dbops.model.access import AccessSnapshot, SecuredObject
from dbops.model.change import ObjectName
from dbops.model.finding import Missing
from dbops.spi import Reader
from dbops_postgresql.access.kinds import TABLE_LIKE
from dbops_postgresql.access.sql import object_sql
from dbops_postgresql.quoting import identifier, literal

__all__ = ["ask"]

BATCH = 200
_FUNCTIONS = {
    **dict.fromkeys(TABLE_LIKE, "table"), "sequence": "sequence", "schema": "schema", "database": "database",
    "function": "function", "type": "type", "language": "language", "fdw": "foreign_data_wrapper",
    "foreign_server": "server", "tablespace": "tablespace", "parameter": "parameter",
}  # fmt: skip
# These take a plain name; the others take SQL that they parse.
_PLAIN = ("schema", "database", "language", "fdw", "foreign_server", "tablespace", "parameter")
_NO_FUNCTION = Missing("not_supported_version", "the server has no function that answers this")


def ask(reader: Reader, snapshot: AccessSnapshot, questions: Sequence[Question]) -> tuple[bool | Missing, ...]:
    """An answer for each question, in order."""
    answers: list[bool | Missing] = [_NO_FUNCTION] * len(questions)
    by_database: dict[str, list[tuple[int, str]]] = {}
    for number, question in enumerate(questions):
        call = _call(snapshot, question)
        if call is not None:
            one = snapshot.objects[question.object]
            database = one.database if snapshot.kind(one).contained else ""
            by_database.setdefault(database, []).append((number, call))
    for database, calls in by_database.items():
        for number, answer in zip([one[0] for one in calls], _answers(reader, database, calls), strict=True):
            answers[number] = answer
    return tuple(answers)


def _answers(reader: Reader, database: str, calls: Sequence[tuple[int, str]]) -> list[bool | Missing]:
    try:
        if not database:
            return _batches(reader, calls)
        with reader.database(database) as inside:
            return _batches(inside, calls)
    except DbopsError as error:
        return [Missing(error.reason or "query_failed", error.message)] * len(calls)


def _batches(reader: Reader, calls: Sequence[tuple[int, str]]) -> list[bool | Missing]:
    found: list[bool | Missing] = []
    waiting = iter(calls)
    while batch := list(islice(waiting, BATCH)):
        array = reader.scalar(f"SELECT ARRAY[{', '.join(call for _, call in batch)}]")
        # None is the server's answer for what was dropped since the snapshot.
        found += [Missing("stale_input", "it is gone") if one is None else bool(one) for one in array]
    return found


def _call(snapshot: AccessSnapshot, question: Question) -> str | None:
    one = snapshot.objects[question.object]
    who = literal(snapshot.principals[question.principal].name)
    action = literal(question.action)
    name = ObjectName(one.kind, one.path)
    if one.kind == "column":
        return f"has_column_privilege({who}, {literal(object_sql(name))}, {literal(one.path[-1])}, {action})"
    function = _FUNCTIONS.get(one.kind)
    if function is None:
        return None
    what = one.path[-1] if one.kind in _PLAIN else _parsed(one, name)
    return f"has_{function}_privilege({who}, {literal(what)}, {action})"


def _parsed(one: SecuredObject, name: ObjectName) -> str:
    return f"{identifier(one.path[1])}.{one.path[2]}" if one.kind == "function" else object_sql(name)
