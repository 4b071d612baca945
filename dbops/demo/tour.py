"""The steps of the demo. Each calls the public operations that a command calls, and tells in a few lines what came."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager

from dbops import registry
from dbops.backup.text import size
from dbops.demo.stage import LOGIN, REPORT, Scene, Shop, workspace
from dbops.durations import format_duration
from dbops.errors import worst_code
from dbops.execute.context import Progress
from dbops.model.audit import Hop
from dbops.model.backup import Method
from dbops.model.finding import Missing
from dbops.operations import access, backup, health, report, users, verify
from dbops.operations.workspace import Workspace
from dbops.report.html import page

__all__ = ["Say", "tour"]

Say = Callable[[str, bool], None]
"""Prints a text; the flag says whether the line ends there."""

TARGET, ADMIN = "shop", "shop-admin"
JOBS = ("health", "audit", "backup")
WIDTH = 62
MOST = 7


class Teller:
    """Prints numbered steps with the time that each took, and what it found below."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._number = 0
        self._began = time.monotonic()
        self._lines: list[str] = []

    @contextmanager
    def step(self, title: str, command: str = "") -> Generator[Callable[[str], None]]:
        """What is told inside is printed below the title once the step is over."""
        self._number += 1
        self._say(f"{self._number:2}  {title:<{WIDTH}}", False)
        began, lines = time.monotonic(), list[str]()
        try:
            yield lines.append
        except BaseException:
            self._say("", True)
            raise
        self._say(f"{time.monotonic() - began:6.1f} s", True)
        for line in [f"$ {command}"] * bool(command) + lines:
            self._say(f"      {line}", True)
        self._say("", True)

    def close(self, lines: Sequence[str]) -> None:
        """The last words."""
        self._say(f"    {'All of it':<{WIDTH}}{time.monotonic() - self._began:6.1f} s", True)
        for line in ("", *lines):
            self._say(line, True)


def tour(scene: Scene, say: Say, progress: Progress | None = None) -> int:
    """The whole job, from a server that is not there yet to the report.

    :returns: the exit code of the worse of both proofs; the findings are what the shop is for.
    """
    teller = Teller(say)
    with ExitStack() as open_:
        with teller.step(f"Start a {registry.backend(scene.engine).label}") as tell:
            shop = open_.enter_context(scene.start())
            tell(f"{shop.label}, in {scene.directory}")
        ws = _settle(scene, shop, teller, progress)
        _health(ws, teller)
        _audit(ws, teller, shop.question)
        _users(ws, scene, shop.spec, teller)
        _plan(ws, teller, "Can a promise be kept? 24h may be lost, 1h may pass")
        backups = [_backup(ws, teller, one) for one in _methods(ws)]
        codes = [_proof(ws, teller, one) for one in backups]
        _plan(ws, teller, "Can it be kept, now that all of it was measured?")
        _report(ws, scene, teller)
    teller.close([*_left(scene, shop.again), *_farewell(scene.engine)])
    return worst_code(codes)


def _settle(scene: Scene, shop: Shop, teller: Teller, progress: Progress | None) -> Workspace:
    with teller.step("Fill it with a shop, and bad habits") as tell:
        tell(shop.fill())
    command = f"dbops grants {scene.engine} --for {','.join(JOBS)} --login {LOGIN}"
    with teller.step("Make a login with no more rights than it needs", command) as tell:
        login = shop.login(LOGIN, registry.backend(scene.engine).grants(JOBS, LOGIN))
        tell("Everything below runs under this login; only changing users needs an administrator.")
    return workspace(scene, shop, login, progress)


def _health(ws: Workspace, teller: Teller) -> None:
    with teller.step("Is it well?", f"dbops health check {TARGET}") as tell:
        found = health.check(ws, [TARGET])
        bad = [one for one in found.checks if one.status.value in ("critical", "warning", "unknown")]
        tell(f"{found.status.value.upper()}: {len(bad)} of {len(found.checks)} checks are not well")
        for one in bad[:MOST]:
            tell(f"  {one.status.value:9} {one.id}: {one.summary}")
        _more(tell, len(bad))


def _audit(ws: Workspace, teller: Teller, question: tuple[str, str, str]) -> None:
    with teller.step("Who may do what, and what is wrong with it?", f"dbops audit run {TARGET}") as tell:
        found = sorted(access.audit(ws, TARGET).findings, key=lambda one: -one.severity.rank)
        tell(f"{len(found)} findings")
        for one in found[:MOST]:
            tell(f"  {one.severity.value:8} {one.id}: {one.summary}")
        _more(tell, len(found))
    who, action, object_ = question
    command = f"dbops audit explain {TARGET} --who {who} --can {action} --on {object_}"
    with teller.step(f"Why may {who} do that?", command) as tell:
        answer = access.explain(ws, TARGET, principal=who, action=action, object_=object_)
        tell(f"{'ALLOWED' if answer.allowed else 'NOT ALLOWED'}{', and usable' if answer.usable else ''}")
        for path in answer.paths[:MOST]:
            tell("  " + " > ".join([path[0].from_, *(_hop(hop) for hop in path)]))
        for limit in answer.limits:
            tell(f"  {limit}")
        for sql in answer.minimal_revoke:
            tell(f"  the least revoke: {sql}")


def _hop(hop: Hop) -> str:
    return f"{hop.to} ({hop.kind})" if hop.to else hop.via


def _users(ws: Workspace, scene: Scene, template: str, teller: Teller) -> None:
    path = scene.directory / "users.yaml"
    spec = template.replace("DIRECTORY", str(scene.directory))
    path.write_text(spec, encoding="utf-8")
    with teller.step("Who should? A spec, and what it would change", f"dbops users plan users.yaml {ADMIN}") as tell:
        answer, _ = users.plan(ws, spec, ADMIN, origin=path.name)
        tell(f"{answer.changes} changes in {len(answer.steps)} steps, nothing else is touched:")
        for step in answer.steps[:MOST]:
            tell(f"  {step.summary}")
        _more(tell, len(answer.steps))
        for delta in answer.access_delta[:MOST]:
            tell(f"  {delta.principal} gains {len(delta.gains)} and loses {len(delta.loses)} rights")
    with teller.step("Make it so, and look again", f"dbops users apply users.yaml {ADMIN}") as tell:
        users.apply(ws, spec, ADMIN, origin=path.name)
        again, _ = users.plan(ws, spec, ADMIN, origin=path.name)
        tell(f"planned again: {again.status.replace('_', ' ')}, {again.changes} changes")


def _plan(ws: Workspace, teller: Teller, title: str) -> None:
    with teller.step(title, f"dbops backup plan {TARGET}") as tell:
        plan = backup.plan(ws, TARGET)
        tell(plan.verdict.value.upper())
        for reason in plan.reasons[:MOST]:
            tell(f"  {reason}")


def _methods(ws: Workspace) -> tuple[Method, ...]:
    """What can be made here, the logical ones first."""
    with ws.open(ws.target(TARGET)) as opened:
        return tuple(sorted(opened.backend.backup.methods(opened.server), key=lambda one: one.kind))


def _backup(ws: Workspace, teller: Teller, method: Method) -> str:
    with teller.step(f"Make a {method.kind} backup", f"dbops backup run {TARGET} --method {method.name}") as tell:
        found = backup.run(ws, TARGET, method=method.name).backup
        seconds = max(0.001, (found.finished_at - found.started_at).total_seconds())
        speed = "" if isinstance(found.bytes, Missing) else f", {size(found.bytes / seconds)}/s"
        tell(f"{found.id}: {_size(found.bytes)} stored as {_size(found.stored_bytes)}{speed}")
    return found.id


def _proof(ws: Workspace, teller: Teller, backup_id: str) -> int:
    with teller.step("Restore it into a throwaway server and look", f"dbops backup verify {backup_id}") as tell:
        proof = verify.verify(ws, backup_id)
        content = proof.fingerprints
        same = "" if isinstance(content, Missing) else f"; {content.equal} of {content.compared} objects are equal"
        tell(f"{proof.verdict.value.upper()}: {len(proof.checks)} checks{same}")
        if not isinstance(proof.rto_s, Missing):
            tell(f"it was back after {format_duration(proof.rto_s)}")
        for reason in proof.reasons[:MOST]:
            tell(f"  {reason}")
    return verify.CODES[proof.verdict]


def _report(ws: Workspace, scene: Scene, teller: Teller) -> None:
    with teller.step("Write it all down", f"dbops report {TARGET} -o {REPORT}") as tell:
        path = scene.directory / REPORT
        path.write_text(page(report.gather(ws, [ws.target(TARGET)])), encoding="utf-8")
        tell(f"{path}: {size(path.stat().st_size)}, one file, no scripts")


def _left(scene: Scene, again: str) -> list[str]:
    lines = [f"The report: {scene.directory / REPORT}", ""]
    if not scene.keep:
        return lines
    kept = [f"The server was stopped; all of it is in {scene.directory}. To go on where it ended:", f"  {again}"]
    variables = f"DBOPS_CONFIG={scene.directory / 'dbops.toml'} DBOPS_STATE={scene.directory / 'state'}"
    return [*lines, *kept, f"  export {variables}", ""]


def _farewell(engine: str) -> list[str]:
    return [
        "The same on a server of your own:",
        "  dbops init                                         # a dbops.toml to fill in",
        f"  {f'dbops grants {engine} --for health,audit,backup':<51}# the SQL of a login for it",
        "  dbops doctor                                       # what would fail at 3 a.m.",
        "  dbops health check NAME",
        "  dbops audit run NAME",
        "  dbops users export NAME -o users.yaml; dbops users plan users.yaml NAME",
        "  dbops backup plan NAME; dbops backup run NAME; dbops backup verify NAME",
        "  dbops report NAME -o report.html",
        "  dbops job export systemd                           # all of it, every night",
    ]


def _more(tell: Callable[[str], None], found: int) -> None:
    if found > MOST:
        tell(f"  and {found - MOST} more")


def _size(count: int | Missing) -> str:
    return "an unknown size" if isinstance(count, Missing) else size(count)
