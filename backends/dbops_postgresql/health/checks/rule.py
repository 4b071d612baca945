"""A check of PostgreSQL and the pure function that measures it, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from dbops.health.answers import Answers
from dbops.model.finding import Missing
from dbops.model.health import Check, Observation
from dbops.model.server import Server

__all__ = ["DOCS", "MONITOR", "OWN", "Context", "Rule", "hidden"]

DOCS = "https://www.postgresql.org/docs/current/"
OWN = "dbops"
MONITOR = ("GRANT pg_monitor TO {login};",)


class Context(NamedTuple):
    """What a measuring function may look at beside the answers."""

    server: Server
    now: datetime


class Rule(NamedTuple):
    """One line of the catalogue with its function."""

    check: Check
    measure: Callable[[Answers, Context], Iterable[Observation]]


class _Visibility(msgspec.Struct, frozen=True):
    hidden: int
    total: int


def hidden(answers: Answers) -> Missing | None:
    """Whether other roles' sessions are hidden from this login; asked for by the question ``visibility``."""
    seen = answers.one("visibility", _Visibility)
    if not seen.hidden:
        return None
    return Missing("hidden_rows", f"{seen.hidden} of {seen.total} sessions are hidden from this login")
