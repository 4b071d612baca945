"""Proofs: read a backup through, bring it up in a scratch server, look at it, keep the evidence in the repository."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec

from dbops import registry
from dbops.backup.chain import choose, complete
from dbops.backup.verify import NOTHING_RESTORED, StepFact, judge, moving_s
from dbops.config import Target
from dbops.errors import CouldNotTell, DbopsError, InputError
from dbops.execute import Outcome, StepStatus
from dbops.host import parse_version
from dbops.model.backup import BackupRecord, Chain, Custody, Destination, Evidence, Until, Verdict, VerifyLevel
from dbops.model.finding import Missing
from dbops.model.recovery import ChainChoice, Reachability, Verification
from dbops.model.repository import BackupCheck
from dbops.model.server import Endpoint, Server
from dbops.operations import kept
from dbops.operations.shelf import Shelf, detached, is_backup_id, open_shelf, recorded, use, who
from dbops.operations.workspace import Workspace
from dbops.plan import Hold, Json, Plan, Step, Together, walk

__all__ = ["CODES", "backed_up", "verify"]

CODES = {Verdict.VERIFIED: 0, Verdict.FAILED: 1, Verdict.COULD_NOT_VERIFY: CouldNotTell.code}


def verify(
    ws: Workspace,
    what: str | Target,
    *,
    until: Until | None = None,
    level: VerifyLevel = "full",
    method: str | None = None,
    repository: str | None = None,
) -> Verification:
    """Prove one backup: the one with this id, or the one that a restore of this target would take.

    The verdict is an answer, never an exception. The server that was backed up is not needed.
    :param level: ``checksum`` reads every stored byte; ``restore`` brings it up too; ``full`` also looks inside.
    :raises InputError: no such backup, or its manifest or that of a newer one cannot be read.
    :raises Locked: another proof of this target is running here.
    """
    target, shelf, choice = _choice(ws, what, until or Until(), method, repository)
    if choice.verdict is not Reachability.REACHABLE:
        raise CouldNotTell(f"{target.name}: nothing to verify: {choice.reason}", hint="Make one: `dbops backup run`.")
    record = choice.chain[-1]
    with (
        recorded(ws, "verify", target.name, level) as facts,
        ws.state.lock(f"{target.name}.verify", f"a proof of {target.name}"),
        use(shelf, choice.chain),
    ):
        proof, measured = _Proof(ws, target, shelf, choice, level).make()
        proof = _keep(shelf, record, proof, measured)
        facts.update(status=proof.verdict.value, code=CODES[proof.verdict], backup=record.id, method=record.method)
    return proof


def _choice(
    ws: Workspace, what: str | Target, until: Until, method: str | None, repository: str | None
) -> tuple[Target, Shelf, ChainChoice]:
    if isinstance(what, str) and is_backup_id(what):
        shelf = open_shelf(ws, None, repository, read=True)
        record = shelf.record(what)
        target = ws.config.targets.get(record.target) or detached(record.target, record.engine)
        return target, shelf, _whole(ws, target, shelf, complete(record, shelf.records))
    target = ws.target(what)
    shelf = open_shelf(ws, target, repository, read=True)
    if (newest := _by_logs(ws, target, shelf, until, method)) is not None:
        return target, shelf, newest
    unreadable = [one.id for one in shelf.unreadable]
    choice = choose(shelf.records, until, method=method or "", unreadable=unreadable)
    if until.kind == "latest" and choice.chain:
        _nothing_newer_is_damaged(shelf, choice.chain[-1])
    return target, shelf, _whole(ws, target, shelf, choice)


def _by_logs(ws: Workspace, target: Target, shelf: Shelf, until: Until, method: str | None) -> ChainChoice | None:
    """Where the server keeps the backups, logs lead to any instant, and to the newest one when the chain is ours. Else
    the newest backup of ours is proven: those of others are not what is asked about."""
    own = [one for one in shelf.records if one.custody is Custody.SERVER]
    logs = until.kind in ("time", "position") or (until.kind == "latest" and target.backup.depot.owns_chain)
    if method or not own or not logs or kept.keeper(target) is None:
        return None
    whole = [one for one in own if one.whole]
    names = whole[-1].databases if whole else sorted({name for one in own for name in one.databases})
    choice = kept.choose(ws, target, shelf, until, tuple(names))
    if until.kind == "latest":
        _nothing_newer_is_damaged(shelf, own[-1])
    return choice


def _whole(ws: Workspace, target: Target, shelf: Shelf, choice: ChainChoice) -> ChainChoice:
    """With everything that a backup kept by the server builds on, whoever made that."""
    record = choice.chain[-1] if choice.chain else None
    if record is None or record.custody is not Custody.SERVER:
        return choice
    return kept.choose(ws, target, shelf, Until(kind="name", value=record.id), record.databases)


def _nothing_newer_is_damaged(shelf: Shelf, newest: BackupRecord) -> None:
    """Proving an older backup would answer well for a newer one that nobody can read."""
    for lost in shelf.unreadable:
        # An id begins with the time, and a manifest that cannot be read tells no other.
        if lost.id > newest.id:
            raise InputError(
                f"the newest backup cannot be verified: the manifest of {lost.id} cannot be used: {lost.reason}",
                hint=f"Make a new backup. The newest that can be read: dbops backup verify {newest.id}",
                reason="unreadable",
            )


class _Proof:
    """One verification."""

    def __init__(self, ws: Workspace, target: Target, shelf: Shelf, choice: ChainChoice, level: VerifyLevel) -> None:
        self.ws, self.target, self.shelf, self.chain = ws, target, shelf, choice.chain
        self.extra = choice.extra
        self.level: VerifyLevel = level
        self.began = ws.now()

    def make(self) -> tuple[Verification, dict[str, Json]]:
        """The verdict, and what was measured for later predictions."""
        known = [self.shelf.manifests[one.id] for one in self.chain if one.id in self.shelf.manifests]
        stored = [self.shelf.repository.check(one) for one in known]
        ours = self.chain[-1].custody is Custody.REPOSITORY
        if (ours and self.level == "checksum") or any(check.verdict is not Verdict.VERIFIED for check in stored):
            return self._judge(stored, (), NOTHING_RESTORED), {}
        try:
            steps, evidence = self._restore()
        except DbopsError as error:
            return self._judge(stored, (), Missing(error.reason or type(error).__name__, error.message)), {}
        return self._judge(stored, steps, evidence), self._measured(steps)

    def _judge(
        self, stored: Sequence[BackupCheck], steps: Sequence[StepFact], evidence: Evidence | Missing
    ) -> Verification:
        return judge(
            msgspec.structs.replace(self.chain[-1], target=self.target.name),
            self.level,
            stored=stored,
            steps=steps,
            evidence=evidence,
            started_at=self.began,
            finished_at=self.ws.now(),
        )

    def _restore(self) -> tuple[list[StepFact], Evidence]:
        record, into = self.chain[-1], self.target.verify.into
        backend = registry.backend(record.engine)
        chain = Chain(repository=self.shelf.config.name, records=self.chain, extra=self.extra)
        endpoints: dict[str, Endpoint] = {}
        place = Destination(kind="scratch", path=into, tools=self.target.verify.tools)
        if record.custody is Custody.SERVER:
            endpoints["verify"] = kept.verify_endpoint(self.ws, self.target)
            where = self.target.verify
            place = Destination(kind="instance", paths=where.paths, data=where.data, log=where.log)
            into = ""
        steps = backend.backup.compile_verify(chain, place, backed_up(record), self.level)
        plan = Plan(
            noun="backup.verify", target=self.target.name, engine=record.engine, created_at=self.began, steps=steps
        )
        if into:
            Path(into).mkdir(mode=0o711, parents=True, exist_ok=True)
        outcome = self.ws.execute(
            plan, self.target, backend=backend, scratch=Path(into) if into else None, endpoints=endpoints
        )
        return _facts(plan, outcome), backend.backup.read_evidence(chain, self.level, outcome.outputs)

    def _measured(self, steps: Sequence[StepFact]) -> dict[str, Json]:
        record = self.chain[-1]
        proof = self._judge((), steps, NOTHING_RESTORED)
        if isinstance(proof.rto_s, Missing) or isinstance(record.source_bytes, Missing):
            return {}
        fixed = max(0.0, proof.rto_s - moving_s(steps))
        return {
            "method": record.method, "seconds": proof.rto_s, "fixed_s": fixed, "source_bytes": record.source_bytes,
        }  # fmt: skip


def backed_up(record: BackupRecord) -> Server:
    """The server that was backed up, as its manifest has it."""
    return Server(
        engine=record.engine,
        version=parse_version(record.server_version),
        version_text=record.server_version,
        role="unknown",
        incarnation=record.incarnation,
    )


def _facts(plan: Plan, outcome: Outcome) -> list[StepFact]:
    containers = {step.id for step in walk(plan.steps) if isinstance(step, Together | Hold)}
    return [_fact(step, step.id in containers, outcome) for step in walk(plan.steps)]


def _fact(step: Step, container: bool, outcome: Outcome) -> StepFact:
    result, error = outcome.step(step.id), outcome.error
    moved = outcome.outputs.get(step.id, {}).get("bytes", 0)
    cause = error if error is not None and result.error in (error.message, str(error)) else None
    return StepFact(
        id=step.id,
        container=container,
        done=None if result.status is StepStatus.NOT_RUN else result.status is StepStatus.DONE,
        started_at=result.started_at,
        finished_at=result.finished_at,
        bytes=moved if isinstance(moved, int) else 0,
        error=type(cause).__name__ if cause else "Interrupted" if result.error else "",
        reason=cause.reason if cause else "",
        message=result.error,
    )


def _keep(shelf: Shelf, record: BackupRecord, proof: Verification, measured: dict[str, Json]) -> Verification:
    """Store the evidence beside the backup; a repository that takes no more changes nothing about the answer."""
    manifest = shelf.manifests.get(record.id)
    if manifest is None:
        said = f"this answer is not kept: {record.id} was not made by dbops"
        return msgspec.structs.replace(proof, reasons=(*proof.reasons, said))
    plain = cast("dict[str, Json]", msgspec.to_builtins(proof))
    event = msgspec.structs.replace(
        shelf.repository.new_event(manifest, "proof", by=who(), reason=proof.level),
        verdict=proof.verdict,
        evidence={**plain, "measured": measured},
    )
    try:
        shelf.repository.add_event(manifest, event)
    except DbopsError as error:
        said = f"this answer could not be kept in the repository: {error.message}"
        return msgspec.structs.replace(proof, reasons=(*proof.reasons, said))
    return proof
