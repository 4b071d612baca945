"""Answers about access: findings, explanations, rows of the matrix, differences."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from dbops.model.change import Change
from dbops.model.finding import Benchmark, Finding, Severity
from dbops.model.job import Failure
from dbops.model.users import Delta

__all__ = [
    "AccessReport",
    "AuditReport",
    "AuditRun",
    "Block",
    "Comparison",
    "Disagreement",
    "Explanation",
    "Holder",
    "Holders",
    "Hop",
    "Row",
    "RuleInfo",
    "Rules",
    "TargetAudit",
    "Unknown",
]


class Hop(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One step from a principal towards an action.

    :param kind: ``member`` (belongs to, and inherits), ``implicit`` (belongs to by owning the database), ``public``,
        ``grant``, ``owner`` (by owning it), ``predefined`` (a role that has it everywhere), ``bypass`` (an attribute).
    :param via: the object, role or attribute that makes the step. :param grantor: who allowed it, where somebody did.
    """

    kind: str
    from_: str
    to: str
    via: str = ""
    grantor: str = ""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the way of nominal or usable access; ``fix`` says what would remove it."""

    kind: str
    summary: str
    fix: str = ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to: may this principal do this with this object?

    :param allowed: nominally. :param usable: and it can log in, connect and get through to it.
    :param paths: every way; one is enough. At most 100 are given; ``more_paths`` says that there are others.
    :param limits: what narrows an access that is usable, such as row-level security.
    :param changes: the least revoke, as data.
    :param minimal_revoke: the same as SQL; empty when revoking cannot take the access away.
    """

    principal: str
    action: str
    object: str
    allowed: bool
    usable: bool
    paths: tuple[tuple[Hop, ...], ...] = ()
    more_paths: bool = False
    blocked_by: tuple[Block, ...] = ()
    limits: tuple[str, ...] = ()
    minimal_revoke: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two snapshots, side by side; ``-`` stands before what only the first has, ``+`` before what only the second has.

    :param deltas: principals whose nominal access differs.
    :param equal: nothing differs.
    """

    equal: bool
    deltas: tuple[Delta, ...]
    principals: tuple[str, ...]
    memberships: tuple[str, ...]
    objects: tuple[str, ...]
    owners: tuple[str, ...]
    defaults: tuple[str, ...]


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that could not be judged, and why; never read as "nothing found"."""

    id: str
    reason: str
    detail: str


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """The server says otherwise: a bug in dbops."""

    principal: str
    object: str
    action: str
    ours: bool
    server: bool


class RuleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as the catalogue shows it."""

    id: str
    engine: str
    title: str
    severity: Severity
    why: str
    benchmarks: tuple[Benchmark, ...] = ()


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue."""

    rules: tuple[RuleInfo, ...]


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """One target.

    :param unknown: rules that could not be judged; never a pass.
    :param checked: questions that the server answered in the self-check, :param disagreements: where it said otherwise.
    :param databases_missing: what was not looked at, and why; :param kinds_missing: the same of kinds of objects.
    """

    target: str
    taken_at: datetime
    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...] = ()
    databases_missing: dict[str, str] = {}
    kinds_missing: dict[str, str] = {}
    checked: int = 0
    disagreements: tuple[Disagreement, ...] = ()


class TargetAudit(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one target: a report, or the error that prevented it.

    :param code: its own exit code.
    """

    target: str
    code: int
    error: Failure | None = None
    report: AuditReport | None = None


class AuditRun(msgspec.Struct, frozen=True, kw_only=True):
    """Several targets; ``findings`` are those of all of them.

    :param status: ``findings`` are at the threshold or above; ``disagreement`` means a bug in dbops.
    """

    status: Literal["ok", "findings", "disagreement", "failed"]
    code: int
    fail_on: Severity
    findings: tuple[Finding, ...]
    targets: tuple[TargetAudit, ...]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the matrix that is not empty."""

    principal: str
    object: str
    action: str
    nominal: bool
    usable: bool


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who holds an action; ``limited`` by row-level security."""

    principal: str
    login: bool
    usable: bool
    limited: bool = False


class Holders(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who may do something with an object.

    :param members_unknown: groups among them that others belong to of whom nothing is known here.
    """

    action: str
    object: str
    public: bool
    holders: tuple[Holder, ...]
    members_unknown: tuple[str, ...] = ()


class AccessReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one principal may do.

    :param inherits: whose privileges it has at once; ``becomes``: whom it can SET ROLE to; ``administers``: groups
        that it can let others into.
    """

    principal: str
    attributes: tuple[str, ...]
    login: bool
    inherits: tuple[str, ...]
    becomes: tuple[str, ...]
    administers: tuple[str, ...]
    owns: tuple[str, ...]
    rows: tuple[Row, ...]
