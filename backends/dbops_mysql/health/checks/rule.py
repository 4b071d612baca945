"""A check and the pure function that measures it, side by side; and what the two engines call differently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from dbops.health.answers import Answers, Unanswered
from dbops.model.finding import Missing
from dbops.model.health import Check, Observation
from dbops.model.server import Server
from dbops_mysql.probe import skips_grants
from dbops_mysql.rights import Rights, parse

__all__ = [
    "OWN",
    "PROCESS",
    "STRUCTURE",
    "Context",
    "Family",
    "Rule",
    "end_session",
    "hidden_sessions",
    "hidden_tables",
    "number",
    "status",
    "variables",
]

OWN = "dbops"
PROCESS = ("GRANT PROCESS ON *.* TO {login};",)
# The least that shows the structure of every table and no row of any: a foreign key needs CREATE besides.
STRUCTURE = ("GRANT REFERENCES ON *.* TO {login};",)
Measure = Callable[[Answers, "Context"], Iterable[Observation]]


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """What one engine calls otherwise than the other; a measuring function never asks which of them it is.

    :param watches_replicas: the privilege behind ``SHOW REPLICA STATUS``.
    :param start_replica: the statement, with ``{channel}`` in it.
    :param make_read_only: what keeps everybody but the applier from writing on a replica.
    :param pages: the manual, by subject.
    """

    name: str
    label: str
    watches_replicas: str
    start_replica: str
    make_read_only: str
    pages: Mapping[str, str]


class Context(NamedTuple):
    """What a measuring function may look at beside the answers."""

    server: Server
    now: datetime
    family: Family


class Rule(NamedTuple):
    """One line of the catalogue with its function."""

    check: Check
    measure: Measure


class _Pair(msgspec.Struct, frozen=True):
    Variable_name: str
    Value: str


def variables(answers: Answers) -> dict[str, str]:
    """Every global variable by its name, in lower case."""
    return {one.Variable_name.lower(): one.Value for one in answers.rows("variables", _Pair)}


def status(answers: Answers) -> dict[str, str]:
    """Every counter of the server by its name, in lower case."""
    return {one.Variable_name.lower(): one.Value for one in answers.rows("status", _Pair)}


def number(found: Mapping[str, str], name: str) -> float:
    """:raises Unanswered: the server does not tell it, or it is no number."""
    try:
        return float(found[name])
    except KeyError:
        raise Unanswered(Missing("no_rows", f"this server does not tell {name}")) from None
    except ValueError:
        raise Unanswered(Missing("null_value", f"{name} is {found[name]!r}")) from None


def _rights(answers: Answers, context: Context) -> Rights:
    if skips_grants(context.server):
        return Rights(everything=True)
    return parse(str(value) for row in answers.plain("rights") for value in row.values())


def hidden_sessions(answers: Answers, context: Context) -> Missing | None:
    """Why other logins' sessions are hidden from this one; nothing else tells, there are only fewer rows."""
    if _rights(answers, context).has("PROCESS"):
        return None
    return Missing("hidden_rows", "without PROCESS a login sees its own sessions alone")


def hidden_tables(answers: Answers, context: Context) -> Missing | None:
    """Why tables may be hidden from this login in information_schema, which leaves them out without a word."""
    rights = _rights(answers, context)
    if rights.all_tables:
        return None
    why = "rights on some databases are revoked again" if rights.revoked else "there is no right on all of them"
    return Missing("hidden_rows", f"tables that this login has no right on are left out, and {why}")


def end_session(number: int, server: Server) -> str:
    """What ends a session and rolls back what it did. Amazon keeps KILL to itself."""
    if server.edition.startswith("Amazon"):
        return f"CALL mysql.rds_kill({number});"
    return f"KILL {number};"
