"""Configured servers as they are listed, and what was found when they were asked."""

from __future__ import annotations

import msgspec

from dbops.model.finding import Missing
from dbops.model.job import Failure

__all__ = ["Listed", "Reached", "ReachedTargets", "Targets"]


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A target. ``password`` is the reference to it, never the password; empty where the engine's own ways are used."""

    name: str
    engine: str
    address: str
    labels: dict[str, str]
    repository: str
    password: str


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """Every configured target."""

    targets: tuple[Listed, ...]


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What a target said of itself, or why it said nothing. ``seconds`` covers connecting and asking."""

    target: str
    address: str
    code: int
    seconds: float
    version: str = ""
    role: str = ""
    user: str = ""
    superuser: bool = False
    incarnation: str | Missing = Missing("connect_failed", "not asked")
    error: Failure | None = None


class ReachedTargets(msgspec.Struct, frozen=True, kw_only=True):
    """All that were tested. ``code`` is the worst: the highest, since none of them is an answer of 1 or 76."""

    code: int
    targets: tuple[Reached, ...]
