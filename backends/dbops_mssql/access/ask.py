"""The server's own answers (``HAS_PERMS_BY_NAME``), asked as each login or user in turn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from dbops.access.audit import Question
from dbops.access.evaluator import evaluator
from dbops.errors import DbopsError
from dbops.model.access import AccessSnapshot, Principal
from dbops.model.change import ObjectName
from dbops.model.finding import Missing
from dbops.spi import Reader
from dbops_mssql.access.sql import ON, object_sql
from dbops_mssql.quoting import identifier, literal

__all__ = ["ask"]

BATCH = 100
_NOBODY = Missing("not_supported_version", "the server answers for logins and users only, not for roles")
_NOT_INSIDE = Missing("not_reachable", "it does not get into the database, and so cannot be asked for there")
_NOT_THERE = Missing("stale_input", "it is gone, or not shown to who was asked for")
Asking = tuple[Principal, str]


def ask(reader: Reader, snapshot: AccessSnapshot, questions: Sequence[Question]) -> tuple[bool | Missing, ...]:
    """An answer for each question, in order. Needs IMPERSONATE on who is asked for."""
    answers: list[bool | Missing] = [_NOBODY] * len(questions)
    inside = _Inside(snapshot)
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for number, question in enumerate(questions):
        one = snapshot.objects[question.object]
        who = snapshot.principals[question.principal]
        database = one.database if snapshot.kind(one).contained else ""
        if _answerable(who, database) and not inside.has(question.principal, database):
            answers[number] = _NOT_INSIDE
        elif _answerable(who, database):
            groups.setdefault((_as(who), database), []).append((number, _call(snapshot, question)))
    for (who_as, database), calls in groups.items():
        for number, answer in zip([one[0] for one in calls], _answers(reader, who_as, database, calls), strict=True):
            answers[number] = answer
    return tuple(answers)


class _Inside:
    """Who gets into which database."""

    def __init__(self, snapshot: AccessSnapshot) -> None:
        self._effective = evaluator(snapshot, snapshot.taken_at)
        self._databases = {one.path[0]: one for one in snapshot.objects if one.kind == "database"}

    def has(self, who: int, database: str) -> bool:
        """The server itself lets everybody in who is asked for."""
        one = self._databases.get(database)
        return one is None or bool(self._effective.nominal(one, "CONNECT") >> who & 1)


def _answerable(one: Principal, database: str) -> bool:
    """A user is asked for in his own database alone; groups and signed code cannot be impersonated."""
    words = set(one.attributes)
    if one.kind != "user" or words & {"CERTIFICATE", "ASYMMETRIC KEY", "BY GROUP"}:
        return False
    return not one.database or one.database == database


def _as(one: Principal) -> str:
    return f"EXECUTE AS {'USER' if one.database else 'LOGIN'} = {literal(one.user or one.name)}"


def _answers(reader: Reader, who: str, database: str, calls: Sequence[tuple[int, str]]) -> list[bool | Missing]:
    try:
        if not database:
            return _batches(reader, who, calls)
        with reader.database(database) as inside:
            return _batches(inside, who, calls)
    except DbopsError as error:
        return [Missing(error.reason or "query_failed", error.message)] * len(calls)


def _batches(reader: Reader, who: str, calls: Sequence[tuple[int, str]]) -> list[bool | Missing]:
    found: list[bool | Missing] = []
    waiting = iter(calls)
    while batch := list(islice(waiting, BATCH)):
        asked = ", ".join(call for _, call in batch)
        [row] = reader.tuples(f"{who}; SELECT {asked}; REVERT;".replace("%", "%%"))
        found += [_NOT_THERE if answer is None else bool(answer) for answer in row]
    return found


def _call(snapshot: AccessSnapshot, question: Question) -> str:
    one = snapshot.objects[question.object]
    action = literal(question.action)
    if one.kind == "server":
        return f"HAS_PERMS_BY_NAME(NULL, NULL, {action})"
    if one.kind == "database":
        return f"HAS_PERMS_BY_NAME({literal(identifier(one.path[0]))}, N'DATABASE', {action})"
    name = literal(object_sql(ObjectName(one.kind, one.path)))
    column = f", {literal(one.path[-1])}, N'COLUMN'" if one.kind == "column" else ""
    return f"HAS_PERMS_BY_NAME({name}, {literal(ON[one.kind])}, {action}{column})"
