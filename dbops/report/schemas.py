"""The published documents: which command prints which, and the JSON Schema of each, made from its struct.

A schema describes what :mod:`dbops.report.json` prints, which is not what msgspec would encode: every field is there,
and an absent fact is ``{"missing": reason, "detail": …}``. Files that are read back are what msgspec encodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import NamedTuple

import msgspec

from dbops.model.access import FORMAT as ACCESS_FORMAT
from dbops.model.access import AccessSnapshot
from dbops.model.applied import Applied
from dbops.model.audit import AccessReport, AuditRun, Comparison, Explanation, Holders, Rules
from dbops.model.backup import Verdict
from dbops.model.doctor import Diagnosis, Standing
from dbops.model.health import HealthReport
from dbops.model.job import Agenda, JobRuns, PastJobs
from dbops.model.recovery import BackupPlan, Coverage, Feasibility, Reachability, Verification
from dbops.model.report import Report
from dbops.model.stored import Pinned, Restored
from dbops.model.target import ReachedTargets, Targets
from dbops.model.users import UsersPlan
from dbops.plan import FORMAT as PLAN_FORMAT
from dbops.plan import Plan
from dbops.report.documents import (
    ChecksDocument,
    ErrorDocument,
    ListDocument,
    MadeDocument,
    MatrixDocument,
    NamedTarget,
    PlanDocument,
    PruneDocument,
    RestoreDocument,
    ShowDocument,
)
from dbops.report.json import FAILURE
from dbops.report.shapes import Schema, Shapes, closed, readable

__all__ = ["DOCUMENTS", "FILES", "Document", "schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Document(NamedTuple):
    """A kind of document.

    :param command: what prints it.
    :param result: its own fields; those of the envelope come on top.
    :param status: every word that the envelope's ``status`` can be.
    """

    command: str
    result: type[msgspec.Struct]
    status: tuple[str, ...]


def words(kind: type[Enum]) -> tuple[str, ...]:
    """The values of an enumeration."""
    return tuple(one.value for one in kind)


DOCUMENTS: Mapping[str, Document] = {
    "dbops.audit.access/1": Document("audit access", AccessReport, ("done",)),
    "dbops.audit.diff/1": Document("audit diff", Comparison, ("equal", "different")),
    "dbops.audit.explain/1": Document("audit explain", Explanation, ("usable", "allowed", "denied")),
    "dbops.audit.matrix/1": Document("audit matrix", MatrixDocument, ("done",)),
    "dbops.audit.rules/1": Document("audit rules", Rules, ("done",)),
    "dbops.audit.run/1": Document("audit run", AuditRun, ("ok", "findings", "disagreement", "failed")),
    "dbops.audit.who/1": Document("audit who", Holders, ("done",)),
    "dbops.backup.coverage/1": Document("backup coverage", Coverage, ("covered", "gaps", "unknown")),
    "dbops.backup.list/1": Document("backup list", ListDocument, ("ok",)),
    "dbops.backup.pin/1": Document("backup pin", Pinned, ("done",)),
    "dbops.backup.plan/1": Document("backup plan", BackupPlan, words(Feasibility)),
    "dbops.backup.prune/1": Document("backup prune", PruneDocument, ("planned", "done", "nothing_to_do")),
    "dbops.backup.run/1": Document("backup run", MadeDocument, ("done",)),
    "dbops.backup.show/1": Document("backup show", ShowDocument, ("ok",)),
    "dbops.backup.unpin/1": Document("backup unpin", Pinned, ("done",)),
    "dbops.backup.verify/1": Document("backup verify", Verification, words(Verdict)),
    "dbops.doctor/1": Document("doctor", Diagnosis, words(Standing)),
    "dbops.health.check/1": Document("health check", HealthReport, ("ok", "warning", "critical", "unknown")),
    "dbops.health.list/1": Document("health list", ChecksDocument, ("ok",)),
    "dbops.job.history/1": Document("job history", PastJobs, ("ok",)),
    "dbops.job.list/1": Document("job list", Agenda, ("ok",)),
    "dbops.job.run/1": Document("job run", JobRuns, ("done", "failed")),
    "dbops.plan.apply/1": Document("apply", Applied, ("done",)),
    "dbops.plan.show/1": Document("plan show", PlanDocument, ("ok",)),
    "dbops.report/1": Document("report", Report, ("ok",)),
    "dbops.restore.plan/1": Document("restore plan", RestoreDocument, words(Reachability)),
    "dbops.restore.run/1": Document("restore run", Restored, ("done",)),
    "dbops.targets.list/1": Document("targets list", Targets, ("ok",)),
    "dbops.targets.test/1": Document("targets test", ReachedTargets, ("ok", "failed")),
    "dbops.users.apply/1": Document("users apply", UsersPlan, ("done", "in_sync")),
    "dbops.users.offboard/1": Document("users offboard", UsersPlan, ("done", "in_sync")),
    "dbops.users.plan/1": Document("users plan", UsersPlan, ("in_sync", "drift")),
    "dbops.users.rotate/1": Document("users rotate", UsersPlan, ("done", "in_sync")),
    FAILURE: Document("", ErrorDocument, ("error",)),
}

FILES: Mapping[str, type[msgspec.Struct]] = {ACCESS_FORMAT: AccessSnapshot, PLAN_FORMAT: Plan}
"""Files that dbops writes and reads back: ``audit snapshot``, and whatever saves a plan."""


def schema(name: str) -> Schema:
    """The JSON Schema (draft 2020-12) of a document or a file."""
    head: Schema = {"$schema": DIALECT, "title": name}
    return {**head, **(_file(FILES[name]) if name in FILES else _document(name))}


def _document(name: str) -> Schema:
    document, shapes = DOCUMENTS[name], Shapes()
    envelope: Schema = {
        "schema": {"const": name},
        "generated_at": shapes.of(datetime),
        "dbops": {"type": "string", "description": "The version that printed it."},
        "target": shapes.of(NamedTarget | None),
        "status": {"enum": list(document.status)},
    }
    own = {key: shape for key, shape in shapes.properties(document.result).items() if key != "status"}
    return {
        "description": readable(document.result.__doc__),
        **closed({**envelope, **own}),
        "$defs": dict(sorted(shapes.definitions.items())),
    }


def _file(kind: type[msgspec.Struct]) -> Schema:
    made = msgspec.json.schema(kind)
    parts = {name: {**part, "description": readable(part.get("description"))} for name, part in made["$defs"].items()}
    return {**made, "$defs": dict(sorted(parts.items()))}
