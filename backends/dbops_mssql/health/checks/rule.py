"""A check and the pure function that measures it, side by side; what a login may see, and what would let it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Missing
from dbops.model.health import Check, Observation, Threshold
from dbops.model.server import Server
from dbops_mssql.health.platforms import Subject

__all__ = [
    "DATABASES",
    "DEFINITIONS",
    "ENGINE",
    "ENTER",
    "OWN",
    "STATE",
    "Context",
    "Rule",
    "hidden_databases",
    "hidden_definitions",
    "hidden_sessions",
    "select_in_msdb",
]

OWN = "dbops"
ENGINE = "mssql"
# {login} becomes the login as a name, {text} the same as a constant.
STATE = "GRANT VIEW SERVER PERFORMANCE STATE TO {login};"
DATABASES = "GRANT VIEW ANY DATABASE TO {login};"
DEFINITIONS = "GRANT VIEW ANY DEFINITION TO {login};"
ENTER = "GRANT CONNECT ANY DATABASE TO {login};"
_USER = "USE [msdb]; IF USER_ID({text}) IS NULL CREATE USER {login} FOR LOGIN {login};"

Measure = Callable[[Answers, "Context"], Iterable[Observation]]


class Context(NamedTuple):
    """What a measuring function may look at beside the answers."""

    server: Server
    now: datetime
    threshold: Threshold


class Rule(NamedTuple):
    """One line of the catalogue with its function; where a service keeps its ``subject``, it does not apply."""

    check: Check
    measure: Measure
    subject: Subject | None = None


class _Rights(msgspec.Struct, frozen=True):
    """1: the login has it. 0: it has not. None: this version does not know it."""

    server_state: int | None = None
    performance_state: int | None = None
    any_database: int | None = None
    any_definition: int | None = None


def select_in_msdb(*tables: str) -> tuple[str, ...]:
    """What lets a login read tables of msdb."""
    return (_USER, *(f"USE [msdb]; GRANT SELECT ON [dbo].[{table}] TO {{login}};" for table in tables))


def hidden_databases(answers: Answers) -> Missing | None:
    """Why databases may be left out of the catalogue, which then only has fewer rows."""
    if answers.one("rights", _Rights).any_database == 1:
        return None
    return Missing("hidden_rows", "without VIEW ANY DATABASE a login sees master, tempdb and its own databases alone")


def hidden_definitions(answers: Answers) -> Missing | None:
    """Why files and availability groups may be left out, silently."""
    if answers.one("rights", _Rights).any_definition == 1:
        return None
    return Missing("hidden_rows", "without VIEW ANY DEFINITION this login sees fewer rows than there are, or none")


def hidden_sessions(answers: Answers) -> Missing | None:
    """Why other sessions are hidden: the views of sessions and requests then show the own one alone."""
    rights = answers.one("rights", _Rights)
    if 1 in (rights.server_state, rights.performance_state):
        return None
    return Missing("hidden_rows", "without the right to view the server's state a login sees its own session alone")
