"""Backups: decide how, and make one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, NoReturn

import msgspec

from dbops import __version__
from dbops.backup import planner
from dbops.backup.case import Room, Wanted, source_bytes
from dbops.backup.catalogue import entry
from dbops.capabilities import Capability
from dbops.config import Target
from dbops.conversion import nearest
from dbops.errors import DbopsError, Unsupported, UsageError
from dbops.model.backup import BackupFacts, BackupJob, Blocker, Custody, Made, Method, Objective, Outputs
from dbops.model.finding import Missing
from dbops.model.recovery import BackupPlan
from dbops.model.repository import Manifest
from dbops.model.server import Server
from dbops.model.stored import MadeBackup
from dbops.operations import kept
from dbops.operations.shelf import open_shelf, recorded
from dbops.operations.workspace import Opened, Workspace
from dbops.plan import Call, Plan, Risk, Value
from dbops.repository.repository import BackupWriter, HeldLease, Repository
from dbops.spi import Backend

__all__ = ["plan", "run"]

RECIPE = "RESTORE.md"
AGAIN = "Nothing of this run is in the catalogue; what it had stored was removed. Put that right and start it again."
LEFT = "Nothing of this run is in the catalogue; what the server wrote stays there. Put that right and start it again."
Publish = Callable[[Outputs], Mapping[str, Value]]
_CAPABILITY = {
    "logical": Capability.BACKUP_LOGICAL, "physical": Capability.BACKUP_PHYSICAL, "log": Capability.BACKUP_LOGS,
}  # fmt: skip


def plan(
    ws: Workspace,
    target: str | Target,
    *,
    objective: Objective | None = None,
    databases: Sequence[str] = (),
    repository: str | None = None,
) -> BackupPlan:
    """Whether the objective can be met, and how; from what is measured now and what past runs took.

    :param objective: instead of the configured one.
    """
    wanted = ws.target(target)
    shelf = open_shelf(ws, wanted, repository)
    with ws.open(wanted) as opened:
        methods = opened.backend.backup.methods(opened.server)
        if not methods:
            _refuse(opened)
        facts = opened.backend.backup.inspect(opened.reader, opened.server, ws.host)
    facts = msgspec.structs.replace(facts, blockers=(*facts.blockers, *_not_configured(wanted, methods)))
    asked = Wanted(
        objective=objective or wanted.objective,
        databases=_known_databases(databases, facts),
        verify_every_s=wanted.verify_every_s,
        verify_level=wanted.verify_level,
    )
    room = Room(free=shelf.repository.probe().free_bytes, used=shelf.stored_bytes)
    return planner.plan(asked, facts, methods, shelf.runs(), room)


def run(
    ws: Workspace,
    target: str | Target,
    *,
    method: str | None = None,
    repository: str | None = None,
    databases: Sequence[str] = (),
) -> MadeBackup:
    """Make one backup and publish it.

    :param method: one of the backend's; its preferred one when left out.
    :param databases: only these; a method that copies the whole server refuses them.
    :raises Locked: another backup of this target is being made, here or on another host.
    :raises UsageError: an unknown method or database.
    """
    wanted = ws.target(target)
    config = ws.repository_config(wanted, repository)
    store = ws.repository(config)
    purpose = f"the backup of {wanted.name}"
    with (
        recorded(ws, "backup", wanted.name, method or "") as facts,
        ws.state.lock(f"{wanted.name}.backup", purpose),
        store.lease(wanted.name, purpose=purpose) as lease,
    ):
        made = _Run(ws, wanted, config.name, store, lease).make(method, tuple(databases))
        facts.update(backup=made.backup.id, method=made.backup.method, cleaned=len(made.cleaned))
    return made


class _Work(NamedTuple):
    """What one backup is made from."""

    backend: Backend
    server: Server
    method: Method
    job: BackupJob
    facts: BackupFacts


class _Run:
    """One backup, from the cleaned repository to the manifest."""

    def __init__(self, ws: Workspace, target: Target, repository: str, store: Repository, lease: HeldLease) -> None:
        self.ws, self.target, self.repository, self.store, self.lease = ws, target, repository, store, lease
        self.began = ws.now()

    def make(self, method: str | None, databases: tuple[str, ...]) -> MadeBackup:
        cleaned = self.store.clean(self.began)
        with self.ws.open(self.target) as opened:
            methods = _methods(opened, method)
            facts = opened.backend.backup.inspect(opened.reader, opened.server, self.ws.host)
        chosen = _free(methods, facts)
        opened.require(_CAPABILITY[chosen.kind])
        job = self._job(chosen, facts, databases)
        manifest, notes = self._carry_out(_Work(opened.backend, opened.server, chosen, job, facts))
        return MadeBackup(
            backup=entry(manifest, (), self.repository),
            seconds=(self.ws.now() - self.began).total_seconds(),
            cleaned=cleaned.removed,
            cleaned_bytes=cleaned.bytes,
            notes=notes,
        )

    def _job(self, method: Method, facts: BackupFacts, databases: tuple[str, ...]) -> BackupJob:
        if method.kind == "physical" and databases and not method.partial:
            raise UsageError(
                f"{method.name} copies the whole server: it cannot be limited to {', '.join(databases)}",
                hint="Leave --database out, or choose a logical method.",
            )
        return BackupJob(
            id=self.store.new_id(),
            target=self.target.name,
            repository=self.repository,
            method=method.name,
            started_at=self.began,
            databases=_known_databases(databases, facts),
            recipients=self.ws.config.repository(self.repository).encrypt_to,
            staging=self.target.backup.staging,
            depot=self.target.backup.depot,
        )

    def _carry_out(self, work: _Work) -> tuple[Manifest, tuple[str, ...]]:
        driver = work.backend.backup
        steps = driver.compile_backup(work.job, work.facts, work.server)
        _refuse_blocked(work)
        plan = Plan(
            noun="backup.run",
            target=self.target.name,
            engine=work.backend.name,
            created_at=self.began,
            steps=(*steps, _publish(work.job)),
        )
        published: list[tuple[Manifest, Made]] = []
        with self.store.begin(self.target.name, _incarnation(work.server), work.job.id, self.lease) as writer:

            def publish(outputs: Outputs) -> Mapping[str, Value]:
                writer.document(RECIPE, driver.recipe(work.job, work.facts, work.server).encode())
                made = driver.read_made(work.job, work.facts, work.server, outputs)
                manifest = writer.publish(self._manifest(work, made))
                published.append((manifest, made))
                return {"manifest": manifest.digest}

            self._execute(plan, work, writer, publish)
        manifest, made = published[0]
        return manifest, made.notes

    def _execute(self, plan: Plan, work: _Work, writer: BackupWriter, publish: Publish) -> None:
        try:
            outcome = self.ws.execute(
                plan, self.target, backend=work.backend, writers={writer.id: writer}, publish=publish
            )
            outcome.raise_for_status()
        except DbopsError as error:
            left = AGAIN if work.method.custody is Custody.REPOSITORY else LEFT
            error.hint = " ".join(filter(None, (error.hint, left)))
            raise

    def _manifest(self, work: _Work, made: Made) -> Manifest:
        size = source_bytes(work.method, work.job.databases, work.facts)
        return Manifest(
            id=work.job.id,
            target=self.target.name,
            incarnation=_incarnation(work.server),
            engine=work.backend.name,
            server_version=".".join(map(str, work.server.version)),
            method=work.method.name,
            kind=work.method.kind,
            started_at=work.job.started_at,
            finished_at=self.ws.now(),
            dbops=__version__,
            databases=made.databases,
            log=made.log,
            consistent_at=made.consistent_at,
            whole=not work.job.databases,
            source_bytes=None if isinstance(size, Missing) else size,
            tools=made.tools,
            custody=work.method.custody,
            location=made.location,
            kept_bytes=made.bytes,
            extra=made.extra,
        )


def _incarnation(server: Server) -> str:
    return "unknown" if isinstance(server.incarnation, Missing) else server.incarnation


def _methods(opened: Opened, name: str | None) -> list[Method]:
    """The one that was asked for, or all, the preferred first."""
    methods = [one for one in opened.backend.backup.methods(opened.server) if one.kind in _CAPABILITY]
    if not methods:
        _refuse(opened)
    names = [one.name for one in methods]
    if name is not None and name not in names:
        raise UsageError(f"{opened.target.name}: there is no method {name!r}", hint=f"There is: {', '.join(names)}.")
    return [one for one in methods if name in (None, one.name)]


def _not_configured(target: Target, methods: Sequence[Method]) -> Iterator[Blocker]:
    """What a server that keeps its backups itself was not told, or not allowed."""
    if kept.keeper(target) is None:
        return
    key = f"[targets.{target.name}.backup]"
    for method in methods:
        if not target.backup.to:
            yield Blocker(method=method.name, reason=f"where the server is to write is not configured: {key} to")
        elif method.kind == "log" and not target.backup.owns_chain:
            yield Blocker(method=method.name, reason=f"another program may own the chain: {key} owns_chain = true")


def _refuse(opened: Opened) -> NoReturn:
    """Where there is no method at all, the capability table has the reason."""
    opened.require(Capability.BACKUP_PHYSICAL)
    opened.require(Capability.BACKUP_LOGICAL)
    raise Unsupported(f"{opened.target.name}: no method of backup works on this server")


def _free(methods: Sequence[Method], facts: BackupFacts) -> Method:
    """The first that nothing keeps from working; when there is none, the first, which then says what does."""
    blocked = {one.method for one in facts.blockers}
    return next((one for one in methods if one.name not in blocked), methods[0])


def _refuse_blocked(work: _Work) -> None:
    """What compiling did not refuse with an error of its own."""
    for one in work.facts.blockers:
        if one.method == work.method.name:
            again = " and restart the server" if one.restart else ""
            change = f"Set {one.setting} = {one.value}{again}." if one.setting else ""
            raise Unsupported(f"{work.method.name} does not work on this server: {one.reason}", hint=change)


def _known_databases(databases: Sequence[str], facts: BackupFacts) -> tuple[str, ...]:
    known = [one.name for one in facts.databases]
    for name in databases:
        if name not in known:
            raise UsageError(f"there is no database {name!r} on this server", hint=nearest(name, known))
    return tuple(databases)


def _publish(job: BackupJob) -> Call:
    return Call(
        id="publish",
        summary=f"write the manifest of {job.id}: from here on the backup exists",
        risk=Risk.WRITE,
        provider="catalogue",
        operation="publish",
        arguments={"repository": job.repository, "backup": job.id},
        undo=f"dbops backup prune, or delete {job.id} by hand",
    )
