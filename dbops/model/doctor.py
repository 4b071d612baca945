"""What would fail later, found now."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from dbops.model.backup import Depot
from dbops.model.finding import Missing
from dbops.model.server import Endpoint

__all__ = ["Configured", "Diagnosis", "Examined", "Standing", "Symptom"]


class Standing(StrEnum):
    """How one thing stands. What could not be looked at is unknown, never ok."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


class Symptom(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the doctor.

    :param subject: the target, the repository or the job that it is about; ``here`` for this machine.
    :param area: ``configuration``, ``connection``, ``rights``, ``tools``, ``settings``, ``clock``, ``repository``,
        ``disk`` or ``jobs``.
    :param fix: what to do; empty when all is well.
    """

    subject: str
    area: str
    standing: Standing
    summary: str
    fix: str = ""


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says of the server that is examined.

    :param endpoint: how it was reached.
    :param programs: directories with client programs, besides the usual ones.
    :param depot: where and how it writes backups that it keeps itself.
    :param backed_up: a job is to make backups of it.
    """

    endpoint: Endpoint
    programs: tuple[str, ...] = ()
    depot: Depot = Depot()
    backed_up: bool = False


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend says of one server: its symptoms, its clock, and bytes of data (0 is an empty server)."""

    symptoms: tuple[Symptom, ...]
    clock: datetime | Missing
    data_bytes: int | Missing


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Every line, and the exit code: 1 with a problem, else 76 with something unknown, else 0."""

    code: int
    problems: int
    unknown: int
    symptoms: tuple[Symptom, ...]

    @classmethod
    def of(cls, symptoms: tuple[Symptom, ...]) -> Diagnosis:
        """Counted."""
        problems = sum(one.standing is Standing.PROBLEM for one in symptoms)
        unknown = sum(one.standing is Standing.UNKNOWN for one in symptoms)
        return cls(code=1 if problems else 76 if unknown else 0, problems=problems, unknown=unknown, symptoms=symptoms)
