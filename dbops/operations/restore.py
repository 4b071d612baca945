"""Bringing a backup back: into a new directory or a new database, never over something that exists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from dbops import registry
from dbops.backup import objective as law
from dbops.backup.chain import choose
from dbops.config import Target, VerifyConfig
from dbops.errors import InputError, Unsupported
from dbops.execute import Outcome
from dbops.model.backup import BackupRecord, Chain, Custody, Destination, Until
from dbops.model.finding import Missing
from dbops.model.recovery import ChainChoice, Reachability
from dbops.model.stored import Estimate, RestoreAnswer, Restored
from dbops.operations import kept
from dbops.operations.destination import Place, parse, refuse_existing
from dbops.operations.shelf import Shelf, detached, open_shelf, recorded, use
from dbops.operations.verify import backed_up
from dbops.operations.workspace import Workspace
from dbops.plan import Plan, Step, Transfer, walk

__all__ = ["NOUN", "Wish", "carry_out", "plan", "replan", "result"]

NOUN = "restore.run"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What to bring back.

    :param databases: only these; empty for all that the backup holds.
    :param media: places that the destination reads backups from, instead of all that is known of them.
    :param standby: the database can be read afterwards, and takes more of the log later.
    :param onto: the database is there, and an earlier restore left it open for more of the log.
    """

    until: Until = Until()
    method: str = ""
    incarnation: str = ""
    databases: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    standby: bool = False
    onto: bool = False


class _Inputs(msgspec.Struct, frozen=True, kw_only=True):
    repository: str
    wish: Wish
    place: Place
    backups: dict[str, str]


def plan(
    ws: Workspace,
    target: str | Target,
    *,
    wish: Wish | None = None,
    into: str | None = None,
    repository: str | None = None,
) -> tuple[RestoreAnswer, Plan | None]:
    """Whether the point can be brought back, from what and how; and the plan, when it can and ``into`` is said.

    :param into: a directory, or the URL of a database; neither is there yet, unless the wish says so.
    :raises DestinationExists: one is.
    """
    wanted, asked = ws.target(target), wish or Wish()
    if (asked.standby or asked.onto) and kept.keeper(wanted) is None:
        raise Unsupported(f"{wanted.name}: no restore of this engine leaves a database open for more of the log")
    shelf = open_shelf(ws, wanted, repository)
    place = parse(ws, into) if into is not None else None
    after = _arrive(ws, wanted, asked, place)
    choice = _choose(ws, wanted, shelf, asked, place, after=after)
    if choice.verdict is not Reachability.REACHABLE or place is None:
        return _answer(shelf, asked, choice, None, ()), None
    return _planned(ws, shelf, asked, choice, place, after=after)


def _arrive(ws: Workspace, target: Target, wish: Wish, place: Place | None) -> str:
    """What is at the place of a restore that goes on there; for any other nothing may be.

    :raises DestinationExists: something is.
    """
    if wish.onto:
        return kept.standing(ws, target, place.endpoint if place else None)
    if place is not None:
        refuse_existing(ws, target.name, place)
    return ""


def replan(ws: Workspace, saved: Plan) -> Plan:
    """The same restore of the very same manifests.

    :raises InputError: one of them is gone or was changed.
    :raises DestinationExists: something has come to be where it was to go.
    """
    inputs = _inputs(saved)
    config = ws.config.repository(inputs.repository)
    shelf = Shelf(config, ws.repository(config), saved.target)
    if _kept(ws, saved.target):
        target = ws.planned_target(saved)
        after = _arrive(ws, target, inputs.wish, inputs.place)
        found = _choose(ws, target, shelf, inputs.wish, inputs.place, after=after)
        if not found.chain:
            raise InputError(f"the plan for {saved.target} has been overtaken: {found.reason}", hint="Make it again.")
        made = _planned(ws, shelf, inputs.wish, found, inputs.place, after=after)[1]
        return _there(saved, made)
    chain = tuple(shelf.record(backup) for backup in inputs.backups)
    for one in chain:
        if one.digest != inputs.backups[one.id]:
            raise InputError(f"the manifest of {one.id} is not the one that the plan names", hint="Make it again.")
    refuse_existing(ws, saved.target, inputs.place)
    choice = ChainChoice(
        verdict=Reachability.REACHABLE, reason="", chain=chain, recovers_to=chain[-1].instant if chain else None
    )
    return _there(saved, _planned(ws, shelf, inputs.wish, choice, inputs.place)[1])


def _there(saved: Plan, again: Plan | None) -> Plan:
    if again is None:
        raise InputError(f"the plan for {saved.target} names no backup")
    return again


def _kept(ws: Workspace, name: str) -> bool:
    known = ws.config.targets.get(name)
    return known is not None and kept.keeper(known) is not None


def carry_out(ws: Workspace, plan: Plan) -> Outcome:
    """Restore. What exists is never touched: the steps themselves refuse it too."""
    inputs = _inputs(plan)
    config = ws.config.repository(inputs.repository)
    shelf = Shelf(config, ws.repository(config, read=True), plan.target)
    # The server's own history is no part of the catalogue, and nothing there can be held.
    records = [shelf.record(backup) for backup, digest in inputs.backups.items() if digest]
    destination = detached(plan.target, plan.engine)
    if inputs.place.endpoint is not None:
        destination = Target(name=plan.target, endpoint=inputs.place.endpoint)
    with recorded(ws, "restore", plan.target, str(inputs.place)) as facts, use(shelf, records):
        facts["backup"] = list(inputs.backups)[-1]
        endpoints = {"destination": destination.endpoint}
        outcome = ws.execute(plan, destination, backend=registry.backend(plan.engine), endpoints=endpoints)
        return outcome.raise_for_status()


def result(answer: RestoreAnswer, plan: Plan, outcome: Outcome) -> Restored:
    """What came back."""
    starts = [one.started_at for one in outcome.steps if one.started_at]
    ends = [one.finished_at for one in outcome.steps if one.finished_at]
    took = max(ends) - min(starts) if starts and ends else timedelta()
    moved = [outcome.outputs.get(one.id, {}).get("bytes", 0) for one in walk(plan.steps) if isinstance(one, Transfer)]
    return Restored(
        backup=answer.chain[-1].id,
        recovered_to=answer.recovers_to or "",
        into=str(_inputs(plan).place),
        seconds=took.total_seconds(),
        bytes=sum(size for size in moved if isinstance(size, int)),
        notes=(*plan.notes, *_notes(outcome)),
    )


def _notes(outcome: Outcome) -> tuple[str, ...]:
    """What steps noted about the copy, in their order."""
    said = (outcome.outputs.get(step.id, {}).get("note", "") for step in outcome.steps)
    return tuple(note for note in said if isinstance(note, str) and note)


def _choose(
    ws: Workspace, target: Target, shelf: Shelf, wish: Wish, place: Place | None, *, after: str = ""
) -> ChainChoice:
    """A backup that the destination takes; else one that it does not take, so that this is what will be said."""
    if wish.media:
        endpoint = place.endpoint if place else None
        return kept.on_media(ws, target, endpoint, wish.media, (wish.until, wish.databases), after=after)
    kind = place.kind if place else ""
    if kept.keeper(target) is not None:
        return kept.choose(ws, target, shelf, wish.until, wish.databases, after=after)
    suited = _chosen(shelf, wish, kind if not wish.method else "")
    other = _chosen(shelf, wish, "") if suited.verdict is Reachability.UNREACHABLE else suited
    return other if other.verdict is Reachability.REACHABLE else suited


def _chosen(shelf: Shelf, wish: Wish, kind: str) -> ChainChoice:
    return choose(
        shelf.records,
        wish.until,
        incarnation=wish.incarnation,
        method=wish.method,
        kind=kind,
        databases=wish.databases,
        unreadable=[one.id for one in shelf.unreadable],
    )


def _planned(
    ws: Workspace, shelf: Shelf, wish: Wish, choice: ChainChoice, place: Place, *, after: str = ""
) -> tuple[RestoreAnswer, Plan | None]:
    newest = choice.chain[-1]
    backend = registry.backend(newest.engine)
    chain = Chain(repository=shelf.config.name, records=choice.chain, extra=choice.extra)
    if newest.custody is Custody.SERVER:
        verify = _verify_config(ws, shelf.target)
        destination = kept.destination(place.endpoint, wish.databases or newest.databases, verify)
        destination = msgspec.structs.replace(destination, standby=wish.standby, after=after)
        until = wish.until
    else:
        destination = place.destination(newest, wish.databases, _verify_config(ws, shelf.target).tools)
        until = Until()  # the chain was chosen to end at the point that was asked for: all of it is restored
    steps = backend.backup.compile_restore(chain, destination, until, backed_up(newest))
    inputs = _Inputs(
        repository=shelf.config.name,
        wish=wish,
        place=place,
        backups={one.id: one.digest for one in choice.chain},
    )
    made = Plan(
        noun=NOUN,
        target=shelf.target,
        engine=newest.engine,
        created_at=ws.now(),
        steps=steps,
        inputs=msgspec.to_builtins(inputs),
        notes=(*choice.notes, *shelf.damage),
    )
    return _answer(shelf, wish, choice, destination, steps), made


def _answer(
    shelf: Shelf, wish: Wish, choice: ChainChoice, destination: Destination | None, steps: Sequence[Step]
) -> RestoreAnswer:
    return RestoreAnswer(
        verdict=choice.verdict,
        reason=choice.reason,
        until=wish.until,
        repository=shelf.config.name,
        chain=choice.chain,
        missing=choice.missing,
        nearest=choice.nearest,
        recovers_to=choice.recovers_to.isoformat() if choice.recovers_to else None,
        destination=destination,
        steps=tuple(steps),
        # What is in the database already is not read again.
        estimate=_estimate(shelf, choice.chain[1:] if destination and destination.after else choice.chain),
        notes=(*choice.notes, *shelf.damage),
    )


def _estimate(shelf: Shelf, chain: Sequence[BackupRecord]) -> Estimate:
    if not chain:
        nothing = Missing("no_backup", "there is nothing to restore")
        return Estimate(seconds=nothing, stored_bytes=nothing, bytes=nothing)
    newest = chain[-1]
    size = newest.source_bytes
    return Estimate(
        seconds=size if isinstance(size, Missing) else law.predict("restore", newest.method, shelf.runs(), size),
        stored_bytes=_total([one.kept_bytes for one in chain]),
        bytes=_total([one.bytes for one in chain]),
    )


def _total(sizes: Sequence[int | Missing]) -> int | Missing:
    missing = [size for size in sizes if isinstance(size, Missing)]
    return missing[0] if missing else sum(size for size in sizes if isinstance(size, int))


def _verify_config(ws: Workspace, target: str) -> VerifyConfig:
    known = ws.config.targets.get(target)
    return known.verify if known else VerifyConfig()


def _inputs(plan: Plan) -> _Inputs:
    try:
        return msgspec.convert(plan.inputs, _Inputs)
    except msgspec.ValidationError as error:
        raise InputError(f"the plan for {plan.target} does not say what it was made from: {error}") from None
