"""Who may do what: the audit, and the questions that a person asks about one principal, object or action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from dbops import registry
from dbops.access.audit import Question, judge, sample, worst
from dbops.access.delta import compare as difference
from dbops.access.effective import Effective
from dbops.access.evaluator import evaluator
from dbops.access.explain import explain as explanation
from dbops.access.matrix import access_of, holders, rows
from dbops.access.naming import find, find_principal, label, parts, spell, split_kind
from dbops.access.sessions import from_host
from dbops.access.simulate import Simulation
from dbops.capabilities import Capability, supported
from dbops.config import Target
from dbops.errors import DbopsError, InputError, UsageError, worst_code
from dbops.health.waivers import waiver
from dbops.model.access import FORMAT, AccessSnapshot, Scope, SecuredObject
from dbops.model.audit import (
    AccessReport,
    AuditReport,
    AuditRun,
    Comparison,
    Disagreement,
    Explanation,
    Holders,
    RuleInfo,
    Rules,
    TargetAudit,
)
from dbops.model.change import ObjectName
from dbops.model.finding import Finding, Missing, Severity
from dbops.model.job import Failure
from dbops.operations.side_by_side import side_by_side
from dbops.operations.waivers import waiver_rules
from dbops.operations.workspace import Opened, Workspace

__all__ = ["access", "audit", "audit_all", "compare", "explain", "load_snapshot", "matrix", "rules", "snapshot", "who"]

INSPECT_S = 60.0
SEED_BYTES = 4


def snapshot(ws: Workspace, target: str | Target, *, databases: Sequence[str] = ()) -> AccessSnapshot:
    """One reading of a server; a file that was written from it is read by :func:`load_snapshot`."""
    with ws.open(ws.target(target), timeout_s=INSPECT_S) as opened:
        return _inspect(opened, databases)


def load_snapshot(path: Path) -> AccessSnapshot:
    """A snapshot from a file.

    :raises InputError: it cannot be read, is none, or comes from a newer dbops.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=AccessSnapshot)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not a snapshot of access that this dbops can read: {error}",
            hint=f"Expected {FORMAT}; dbops audit snapshot TARGET -o FILE writes it.",
        ) from None


def audit(ws: Workspace, target: str | Target, *, self_check: int = 0, databases: Sequence[str] = ()) -> AuditReport:
    """Every finding, waived ones marked.

    :param self_check: that many sampled answers are compared with the server's own.
    """
    wanted = ws.target(target)
    with ws.open(wanted, timeout_s=INSPECT_S) as opened:
        found = _inspect(opened, databases)
        effective = evaluator(found, ws.now())
        findings, unknown = judge(opened.backend.access.rules(), effective)
        seed = int.from_bytes(ws.random(SEED_BYTES), "big")
        checked, disagreements = _self_check(opened, effective, self_check, seed)
    return AuditReport(
        target=wanted.name,
        taken_at=found.taken_at,
        findings=_waived(ws, wanted, findings),
        unknown=unknown,
        databases_missing=_reasons(found.databases_missing),
        kinds_missing=_reasons(found.kinds_missing),
        checked=checked,
        disagreements=disagreements,
    )


def _reasons(missing: Mapping[str, Missing]) -> dict[str, str]:
    return {name: why.detail or why.reason for name, why in missing.items()}


def audit_all(
    ws: Workspace,
    targets: Sequence[Target],
    *,
    fail_on: Severity = Severity.HIGH,
    self_check: int = 0,
    jobs: int = 8,
) -> AuditRun:
    """Audit several targets side by side; one that fails hides nothing of the others.

    :param fail_on: findings of this severity or above, not waived, are what the status and code speak of.
    """

    def one(target: Target) -> TargetAudit:
        try:
            report = audit(ws, target, self_check=self_check)
        except DbopsError as error:
            return TargetAudit(target=target.name, code=error.code, error=Failure.of(error))
        return TargetAudit(target=target.name, code=_code(report, fail_on), report=report)

    done = side_by_side(one, list(targets), jobs)
    codes = {each.code for each in done}
    code = DbopsError.code if DbopsError.code in codes else worst_code(codes)
    return AuditRun(
        status=_STATUS.get(code, "failed"),
        code=code,
        fail_on=fail_on,
        findings=tuple(found for each in done if each.report for found in each.report.findings),
        targets=tuple(done),
    )


_STATUS: dict[int, Literal["ok", "findings", "disagreement"]] = {
    0: "ok",
    1: "findings",
    DbopsError.code: "disagreement",
}


def _code(report: AuditReport, fail_on: Severity) -> int:
    if report.disagreements:
        return DbopsError.code
    highest = worst(report.findings)
    return 1 if highest is not None and highest.rank >= fail_on.rank else 0


def rules(engine: str | None = None) -> Rules:
    """The catalogue of one engine or of all.

    :raises UsageError: no such engine.
    """
    backends = registry.backends()
    if engine is not None and engine not in backends:
        raise UsageError(f"there is no engine {engine!r}", hint=f"Engines: {', '.join(sorted(backends))}.")
    return Rules(
        rules=tuple(
            RuleInfo(
                id=rule.id,
                engine=name,
                title=rule.title,
                severity=rule.severity,
                why=rule.why,
                benchmarks=rule.benchmarks,
            )
            for name, backend in backends.items()
            if engine in (None, name) and supported(backend.support(Capability.ACCESS_INSPECT, None))
            for rule in backend.access.rules()
        )
    )


def explain(
    ws: Workspace, target: str | Target, *, principal: str, action: str, object_: str, what_if: str = ""
) -> Explanation:
    """Why, or why not, and the least revoke.

    :param what_if: GRANT and REVOKE statements supposed to have been carried out, in the database of the object.
    :raises UsageError: an unknown principal, object or action; SQL that is not understood whole.
    """
    with ws.open(ws.target(target), timeout_s=INSPECT_S) as opened:
        found = _inspect(opened, ())
    driver = opened.backend.access
    found, who = _somebody(found, principal)
    working = Simulation(found)
    place = _place(working, found, object_)
    for change in driver.parse(what_if, _seen_from(found, working.snapshot(), place)) if what_if else ():
        working.apply(change)
    effective = evaluator(working.snapshot(), ws.now())
    one = effective.snapshot.objects[place]
    word = _action(effective, one, action)
    answer = explanation(effective, who, word, one)
    sql = tuple(driver.render(change, opened.server) for change in answer.changes)
    return msgspec.structs.replace(answer, minimal_revoke=sql)


def who(ws: Workspace, target: str | Target, *, action: str, object_: str) -> Holders:
    """Everybody who may do something with an object."""
    working = Simulation(snapshot(ws, target))
    place = _place(working, working.snapshot(), object_)
    effective = evaluator(working.snapshot(), ws.now())
    one = effective.snapshot.objects[place]
    return holders(effective, one, _action(effective, one, action))


def access(ws: Workspace, target: str | Target, *, principal: str) -> AccessReport:
    """Everything that a principal may do."""
    found, number = _somebody(snapshot(ws, target), principal)
    return access_of(evaluator(found, ws.now()), number)


def matrix(
    ws: Workspace, target: str | Target, *, principals: Sequence[str] = (), kinds: Sequence[str] = ()
) -> Iterator[tuple[str, str, str, bool, bool]]:
    """``(principal, object, action, nominal, usable)``, one after the other.

    :raises UsageError: an unknown principal or kind.
    """
    found = snapshot(ws, target)
    for kind in kinds:
        if kind not in found.rules.kinds:
            raise UsageError(f"there is no kind {kind!r}", hint=f"Kinds: {', '.join(found.rules.kinds)}.")
    numbers = [find_principal(found, name) for name in principals]
    return rows(evaluator(found, ws.now()), numbers, kinds)


def compare(ws: Workspace, first: str, second: str) -> Comparison:
    """Two files or targets. The first is what was, the second what is."""
    return difference(_either(ws, first), _either(ws, second), ws.now())


def _either(ws: Workspace, name: str) -> AccessSnapshot:
    path = Path(name)
    named = name in ws.config.targets or "://" in name
    return snapshot(ws, name) if named or not path.exists() else load_snapshot(path)


def _inspect(opened: Opened, databases: Sequence[str]) -> AccessSnapshot:
    opened.require(Capability.ACCESS_INSPECT)
    return opened.backend.access.inspect(opened.reader, opened.server, Scope(databases=tuple(databases)))


def _somebody(found: AccessSnapshot, text: str) -> tuple[AccessSnapshot, int]:
    """A principal by its name, or the session of a user from one host, which the snapshot then has as a principal."""
    try:
        return found, find_principal(found, text)
    except UsageError:
        session = from_host(found, text)
        if session is None:
            raise
        return session


def _place(working: Simulation, found: AccessSnapshot, name: str) -> int:
    """The position of an object. A column without rights of its own is not in the snapshot: its table is, and then
    the column stands for itself; whether the table has it only the server knows."""
    kind, rest = split_kind(name, found.rules)
    if kind != "column":
        return find(found, name)
    path = parts(rest, found.rules)
    if len(path) < 2:
        raise UsageError(f"{name}: a column is named with its table", hint="Write column:database.schema.table.name.")
    try:
        return find(found, name)
    except UsageError:
        table = found.objects[find(found, spell(found.rules, "table", path[:-1]))]
        return working.place(ObjectName("column", (*table.path, path[-1])))


def _seen_from(found: AccessSnapshot, working: AccessSnapshot, place: int) -> AccessSnapshot:
    """Whoever asks about a thing supposes statements that are run where it is."""
    one = working.objects[place]
    inside = working.kind(one).contained or one.kind == "database"
    return msgspec.structs.replace(found, database=one.database) if inside else found


def _action(effective: Effective, one: SecuredObject, text: str) -> str:
    """As the engine writes it, which may be with ``_`` or with a blank between its words."""
    known = effective.snapshot.kind(one).actions
    found = {_words(action): action for action in known}.get(_words(text))
    if found is None:
        where = label(effective.snapshot, one)
        raise UsageError(f"{_words(text)} is no action on {where}", hint=f"There is: {', '.join(known)}.")
    return found


def _words(action: str) -> str:
    return " ".join(action.upper().replace("_", " ").split())


def _self_check(opened: Opened, effective: Effective, count: int, seed: int) -> tuple[int, tuple[Disagreement, ...]]:
    if not count:
        return 0, ()
    questions = sample(effective, count, seed)
    answers = opened.backend.access.ask(opened.reader, effective.snapshot, questions)
    pairs = [(one, answer) for one, answer in zip(questions, answers, strict=True) if isinstance(answer, bool)]
    wrong = [_disagreement(effective, one, answer) for one, answer in pairs if one.ours is not answer]
    return len(pairs), tuple(wrong)


def _disagreement(effective: Effective, question: Question, answer: bool) -> Disagreement:
    found = effective.snapshot
    return Disagreement(
        principal=found.principals[question.principal].name,
        object=label(found, found.objects[question.object]),
        action=question.action,
        ours=question.ours,
        server=answer,
    )


def _waived(ws: Workspace, target: Target, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    accepted = waiver_rules(target, ws.config.path)
    return tuple(
        msgspec.structs.replace(one, waived=waiver(one.id, one.fingerprint, accepted, ws.now())) for one in findings
    )
