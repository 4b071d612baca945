"""Users from a spec: export, plan, apply; and the two things done to a single account, rotate and offboard."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec

from dbops import yaml
from dbops.access.delta import deltas
from dbops.access.diff import Difference, diff
from dbops.access.export import export as as_spec
from dbops.access.export import names_to_export, with_passwords
from dbops.access.naming import find_accounts, find_principal
from dbops.access.order import in_safe_order
from dbops.access.simulate import simulate
from dbops.access.spec import read
from dbops.access.steps import passwords_to_have
from dbops.capabilities import Capability, supported
from dbops.config import Target
from dbops.errors import InputError, NotPermitted, UsageError
from dbops.execute import Outcome, StepStatus
from dbops.model.access import AccessSnapshot, Principal, Scope
from dbops.model.change import DiscardPassword, SetPassword
from dbops.model.finding import Missing
from dbops.model.users import Delta, PlannedStep, UsersPlan, Wanted
from dbops.operations.workspace import Opened, Workspace
from dbops.plan import Call, Hold, Json, Plan, Risk, SecretRef, Sql, Step, walk
from dbops.secrets import make_private_directory

__all__ = ["apply", "carry_out", "discard", "export", "offboard", "plan", "replan", "result", "rotate"]

APPLY, ROTATE, OFFBOARD, EXPORT = "users.apply", "users.rotate", "users.offboard", "users.export"
KEEP_HASH = "keep_hash"
INSPECT_S = 60.0
HIDDEN = ("hidden_rows", "no_permission")
_NOT_OURS = {"system", "absent", "closed"}


def export(
    ws: Workspace,
    target: str | Target,
    *,
    principals: Sequence[str] = (),
    databases: Sequence[str] = (),
    hashes: Path | None = None,
) -> str:
    """A spec (YAML) that plans to nothing against the same server.

    :param principals: patterns; everybody but superusers and the server's own when there are none.
    :param databases: the target's own database when there are none, all when it has none.
    :param hashes: a directory into which what is stored of each password goes, a private file for each account, which
        the spec then refers to. :raises NotPermitted: one is not shown. :raises DestinationExists: a file is there.
    """
    wanted = ws.target(target)
    with ws.open(wanted, timeout_s=INSPECT_S) as opened:
        opened.require(Capability.ACCESS_INSPECT)
        if hashes is not None:
            opened.require(Capability.USERS_HASHES)
        chosen = tuple(databases) or ((opened.server.database,) if opened.server.database else ())
        snapshot = opened.backend.access.inspect(opened.reader, opened.server, Scope(databases=chosen))
    _check_databases(snapshot, chosen)
    chosen = chosen or tuple(
        one.database for one in snapshot.objects if one.kind == "database" and not _NOT_OURS.intersection(one.flags)
    )
    names = names_to_export(snapshot, principals)
    kept = {} if hashes is None else _hashes(ws, wanted, opened, with_passwords(snapshot, names), hashes)
    return yaml.dump(as_spec(snapshot, names, chosen, kept))


def _hashes(
    ws: Workspace, wanted: Target, opened: Opened, accounts: Sequence[Principal], directory: Path
) -> dict[str, str]:
    """References to what was written, by account; all of it or an error."""
    for one in accounts:
        if isinstance(one.password, Missing):
            raise NotPermitted(
                f"what is stored of the password of {one.name} is not shown to this login", hint=one.password.detail
            )
    files = {one.name: directory / quote(one.name, safe="") for one in accounts}
    steps = tuple(
        Call(
            id=f"h{number:04d}",
            summary=f"keep what is stored of the password of {name} in {path}",
            risk=Risk.READ,
            undo=f"remove {path}",
            provider="backend",
            operation=KEEP_HASH,
            arguments={"account": name, "path": str(path)},
        )
        for number, (name, path) in enumerate(files.items(), 1)
    )
    make_private_directory(directory)
    made = _plan(ws, wanted, opened, EXPORT, steps, inputs={})
    ws.execute(made, wanted).raise_for_status()
    return {name: f"file:{path}" for name, path in files.items()}


def plan(ws: Workspace, spec: str, target: str | Target, *, origin: str = "spec") -> tuple[UsersPlan, Plan]:
    """What a spec (its text) would change, and the plan that changes it.

    :raises InputError: the spec is wrong, or names what is not there; with ``file:line``.
    """
    wanted_target = ws.target(target)
    document = yaml.load(spec, origin, os.environ)
    with ws.open(wanted_target, timeout_s=INSPECT_S) as opened:
        opened.require(Capability.USERS_APPLY)
        desired = read(document.value, document.where, opened.server.engine, origin)
        wanted = opened.backend.access.normalise(desired, opened.server)
        snapshot = _inspect(opened, wanted)
        found = _ordered(opened, snapshot, diff(snapshot, wanted))
        steps = opened.backend.access.compile(found.changes, opened.server)
    inputs: dict[str, Json] = {"spec": spec, "origin": origin}
    made = _plan(ws, wanted_target, opened, APPLY, steps, inputs=inputs, notes=found.notes)
    return _answer(ws, snapshot, found, made), made


def _ordered(opened: Opened, snapshot: AccessSnapshot, found: Difference) -> Difference:
    """Where changes cannot be made all at once, in an order in which stopping anywhere does no harm."""
    if supported(opened.backend.support(Capability.USERS_TRANSACTIONAL, opened.server)):
        return found
    return msgspec.structs.replace(found, changes=in_safe_order(snapshot, found.changes))


def apply(ws: Workspace, spec: str, target: str | Target, *, origin: str = "spec") -> tuple[UsersPlan, Outcome | None]:
    """Plan and carry out at once, without asking; None when there was nothing to do.

    :raises Locked: another run is at work on the server.
    """
    wanted = ws.target(target)
    with ws.state.lock(wanted.name, APPLY):
        answer, made = plan(ws, spec, wanted, origin=origin)
        return answer, carry_out(ws, made).raise_for_status() if made.steps else None


def rotate(
    ws: Workspace,
    target: str | Target,
    name: str,
    password: SecretRef,
    *,
    generate: bool = False,
    keep_old: bool = False,
) -> Plan:
    """A plan that gives an account, or all accounts of a user, a new password.

    :param generate: make one up and write it into the file that ``password`` names.
    :param keep_old: the old password goes on working beside it, until :func:`discard`.
    :raises UsageError: no such account. :raises Unsupported: the engine keeps no second password.
    """
    wanted = ws.target(target)
    if generate and not password.ref.startswith("file:"):
        raise UsageError("a password that is made up is written to a file", hint="Name it as file:/path.")
    with ws.open(wanted, timeout_s=INSPECT_S) as opened:
        opened.require(Capability.USERS_ROTATE)
        if keep_old:
            opened.require(Capability.USERS_TWO_PASSWORDS)
        changes = [
            SetPassword(
                name=account.name,
                password=password,
                generate=generate,
                stored="" if isinstance(account.password, Missing) else account.password,
                keep_old=keep_old,
            )
            for account in _with_passwords(opened, name)
        ]
        steps = opened.backend.access.compile(changes, opened.server)
    inputs: dict[str, Json] = {"password": password.ref, "generate": generate, "keep_old": keep_old}
    return _plan(ws, wanted, opened, ROTATE, steps, inputs={"name": name, **inputs})


def discard(ws: Workspace, target: str | Target, name: str) -> Plan:
    """A plan that ends the old passwords that :func:`rotate` kept.

    :raises UsageError: no such account. :raises Unsupported: the engine keeps no second password.
    """
    wanted = ws.target(target)
    with ws.open(wanted, timeout_s=INSPECT_S) as opened:
        opened.require(Capability.USERS_TWO_PASSWORDS)
        changes = [DiscardPassword(name=account.name) for account in _with_passwords(opened, name)]
        steps = opened.backend.access.compile(changes, opened.server)
    return _plan(ws, wanted, opened, ROTATE, steps, inputs={"name": name, "discard": True})


def _with_passwords(opened: Opened, name: str) -> list[Principal]:
    scope = Scope(databases=(opened.server.database,) if opened.server.database else ())
    snapshot = opened.backend.access.inspect(opened.reader, opened.server, scope)
    accounts = [snapshot.principals[number] for number in find_accounts(snapshot, name)]
    for account in accounts:
        if account.kind == "public" or account.system:
            raise UsageError(f"{name!r} has no password", hint="It is the server's own.")
    return accounts


def _plan(
    ws: Workspace,
    wanted: Target,
    opened: Opened,
    noun: str,
    steps: tuple[Step, ...],
    *,
    inputs: Mapping[str, Json],
    notes: tuple[str, ...] = (),
) -> Plan:
    return Plan(
        noun=noun,
        target=wanted.name,
        engine=opened.server.engine,
        incarnation=opened.server.identity,
        created_at=ws.now(),
        steps=steps,
        inputs={**inputs, **ws.target_inputs(wanted)},
        notes=notes,
    )


def offboard(ws: Workspace, target: str | Target, name: str, *, heir: str = "") -> Plan:
    """A plan after which nothing on the server refers to an account, and the account is gone. A user's name alone means
    all of his accounts.

    :param heir: who gets what the account owns; needed when it owns anything, for nothing is dropped with its owner.
    :raises UsageError: no such account, or it cannot be done without harm to others.
    """
    wanted = ws.target(target)
    with ws.open(wanted, timeout_s=INSPECT_S) as opened:
        opened.require(Capability.USERS_APPLY)
        snapshot = opened.backend.access.inspect(opened.reader, opened.server, Scope())
        accounts = [snapshot.principals[number].name for number in find_accounts(snapshot, name)]
        successor = snapshot.principals[find_principal(snapshot, heir)].name if heir else ""
        steps = opened.backend.access.offboard(opened.reader, snapshot, accounts, successor, opened.server)
    return _plan(ws, wanted, opened, OFFBOARD, steps, inputs={"name": name, "heir": heir})


def replan(ws: Workspace, saved: Plan) -> Plan:
    """The same plan from the same inputs, against the server as it is now."""
    inputs = {key: value for key, value in saved.inputs.items() if isinstance(value, str)}
    target = ws.planned_target(saved)
    if saved.noun == APPLY:
        return plan(ws, inputs["spec"], target, origin=inputs["origin"])[1]
    if saved.noun == ROTATE and saved.inputs.get("discard") is True:
        return discard(ws, target, inputs["name"])
    if saved.noun == ROTATE:
        reference = SecretRef.parse(inputs["password"], "the plan's password")
        made_up, kept = (saved.inputs.get(name) is True for name in ("generate", "keep_old"))
        return rotate(ws, target, inputs["name"], reference, generate=made_up, keep_old=kept)
    return offboard(ws, target, inputs["name"], heir=inputs["heir"])


def carry_out(ws: Workspace, plan: Plan) -> Outcome:
    """Execute a plan of this module, once all passwords that it needs are there: where each statement commits by
    itself, one that is missing would be noticed halfway."""
    for secret in passwords_to_have(plan.steps):
        ws.secrets.resolve(secret)
    outcome = ws.execute(plan, ws.planned_target(plan))
    if outcome.error is not None:
        outcome.error.hint = "\n".join(filter(None, (outcome.error.hint, _how_far(plan, outcome))))
    return outcome


def _how_far(plan: Plan, outcome: Outcome) -> str:
    changes = {step.id for step in walk(plan.steps) if isinstance(step, Sql)}
    done = sum(step.status is StepStatus.DONE for step in outcome.steps if step.id in changes)
    return f"Of {len(changes)} statements {done} were carried out and stay; another run does the rest." if done else ""


def result(
    made: Plan, *, delta: tuple[Delta, ...] = (), notes: tuple[str, ...] = (), changes: int | None = None
) -> UsersPlan:
    """A plan as it is shown."""
    steps = tuple(_shown(step) for step in walk(made.steps) if not isinstance(step, Hold))
    return UsersPlan(
        status="drift" if steps else "in_sync",
        changes=len(steps) if changes is None else changes,
        steps=steps,
        access_delta=delta,
        notes=notes or made.notes,
    )


def _answer(ws: Workspace, snapshot: AccessSnapshot, found: Difference, made: Plan) -> UsersPlan:
    delta = deltas(snapshot, simulate(snapshot, found.changes), ws.now()) if found.changes else ()
    return result(made, delta=delta, notes=found.notes, changes=len(found.changes))


def _shown(step: Step) -> PlannedStep:
    sql = step.text if isinstance(step, Sql) else ""
    risk = Risk.WRITE if isinstance(step, Call) else step.risk
    return PlannedStep(summary=step.summary, risk=risk.value, sql=sql, undo=step.undo)


def _inspect(opened: Opened, wanted: Wanted) -> AccessSnapshot:
    """All databases where an account shall go, because what it still has elsewhere must be known; else the managed."""
    leaving = any(one.state == "absent" for one in wanted.principals)
    scope = Scope() if leaving or not wanted.databases else Scope(databases=wanted.databases)
    snapshot = opened.backend.access.inspect(opened.reader, opened.server, scope)
    _check_databases(snapshot, wanted.databases)
    return snapshot


def _check_databases(snapshot: AccessSnapshot, names: Sequence[str]) -> None:
    for name in names:
        missing = snapshot.databases_missing.get(name)
        if missing is not None and missing.reason in HIDDEN:
            raise NotPermitted(f"the database {name} cannot be read: {missing.detail}", reason=missing.reason)
        if missing is not None:
            raise InputError(f"the database {name} cannot be read: {missing.detail}")
