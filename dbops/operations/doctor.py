"""What would fail at 3 a.m.: this machine, the configuration, the repositories and every target, each with a fix."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from dbops.backup.text import size
from dbops.config import RepositoryConfig, Target
from dbops.errors import ConfigError, DbopsError
from dbops.model.doctor import Configured, Diagnosis, Standing, Symptom
from dbops.model.finding import Missing
from dbops.operations import kept
from dbops.operations.side_by_side import side_by_side
from dbops.operations.workspace import Opened, Workspace
from dbops.plan import SecretRef

__all__ = ["examine"]

HERE = "here"
SKEW_S = 5.0
LITTLE_BYTES = 1 << 30
SCRATCH_TIMES = 2
STATE_BYTES = 100 << 20


def examine(
    ws: Workspace,
    targets: Sequence[Target],
    *,
    jobs: int = 8,
    timeout_s: float | None = None,
    also: Sequence[Symptom] = (),
) -> Diagnosis:
    """Examine this machine and ``targets``; no targets leaves it at the machine and the repositories.

    Nothing is changed anywhere, except that a repository is asked to store and to delete a canary of a few bytes.
    :param also: what others found, to be counted with the rest.
    """
    found = [*_here(ws)]
    for symptoms in side_by_side(lambda target: _target(ws, target, timeout_s), targets, jobs):
        found += symptoms
    found += [_repository(ws, repository) for repository in _repositories(ws, targets)]
    return Diagnosis.of((*found, *also))


def _here(ws: Workspace) -> Iterator[Symptom]:
    if ws.config.path:
        yield _line(HERE, "configuration", Standing.OK, f"{ws.config.path} is readable and right")
        yield from _open_to_others(Path(ws.config.path), 0o022, "others can change it", "chmod go-w")
    else:
        yield _line(
            HERE, "configuration", Standing.PROBLEM, "there is no dbops.toml: nothing is scheduled, nothing is kept",
            "dbops init",
        )  # fmt: skip
    for reference in _secrets(ws):
        yield from _secret(ws, reference)
    yield _state(ws)


def _state(ws: Workspace) -> Symptom:
    place = ws.state.directory
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        fix = "Name another one by DBOPS_STATE, or run dbops as the user whose it is."
        return _line(HERE, "disk", Standing.PROBLEM, f"{ws.state.directory}: the state cannot be written here", fix)
    return _room(ws, HERE, ws.state.directory, STATE_BYTES, "the state directory")


def _secrets(ws: Workspace) -> list[tuple[str, SecretRef]]:
    found = [(f"targets.{one.name}", one.endpoint.password) for one in ws.config.targets.values()]
    return [(where, reference) for where, reference in found if reference is not None]


def _secret(ws: Workspace, named: tuple[str, SecretRef]) -> Iterator[Symptom]:
    where, reference = named
    scheme, _, rest = reference.ref.partition(":")
    try:
        ws.secrets.resolve(reference)
    except DbopsError as error:
        yield _line(where, "configuration", Standing.PROBLEM, f"no password: {error.message}", error.hint)
        return
    if scheme == "file":
        yield from _open_to_others(Path(rest).expanduser(), 0o077, "others can read this password", "chmod 600")


def _open_to_others(path: Path, bits: int, what: str, fix: str) -> Iterator[Symptom]:
    with suppress(OSError):
        if stat.S_IMODE(path.stat().st_mode) & bits:
            yield _line(HERE, "configuration", Standing.PROBLEM, f"{path}: {what}", f"{fix} {path}")


def _target(ws: Workspace, target: Target, timeout_s: float | None) -> tuple[Symptom, ...]:
    try:
        with ws.open(target, timeout_s=timeout_s) as opened:
            began = ws.now()
            found = opened.backend.examine(opened.reader, opened.server, ws.host, _configured(ws, target))
            ended = ws.now()
            server, label = opened.server, opened.backend.label
    except DbopsError as error:
        hint = error.hint or _how_to_reach(error)
        return (_line(target.name, "connection", Standing.PROBLEM, error.message, hint),)
    answers = f"answers: {label} {server.version_text} ({server.role}), as {server.user}"
    return (
        _line(target.name, "connection", Standing.OK, answers),
        *(msgspec.structs.replace(one, subject=target.name) for one in found.symptoms),
        _clock(target.name, found.clock, began, ended),
        *_proofs(ws, target, opened, found.data_bytes),
    )


def _how_to_reach(error: DbopsError) -> str:
    if error.reason == "auth_failed":
        return "Is the password right, and may this login come in from here? The server's log says why."
    return "Is the server up, and is its address right? Try: dbops targets test"


def _clock(name: str, clock: datetime | Missing, began: datetime, ended: datetime) -> Symptom:
    if isinstance(clock, Missing):
        return _line(name, "clock", Standing.UNKNOWN, f"its clock could not be read: {clock.detail}")
    # It was read at some instant in between: only what is outside is a difference.
    skew_s = max((clock - ended).total_seconds(), (began - clock).total_seconds(), 0.0)
    if skew_s <= SKEW_S:
        return _line(
            name, "clock", Standing.OK, "its clock agrees with ours" if not skew_s else f"{skew_s:.1f} s apart"
        )
    way = "ahead of" if clock > ended else "behind"
    return _line(
        name, "clock", Standing.PROBLEM, f"its clock is {skew_s:.0f} s {way} ours: ages and points in time will be "
        "wrong by that", "Run a time service (chrony, systemd-timesyncd) on both.",
    )  # fmt: skip


def _proofs(ws: Workspace, target: Target, opened: Opened, data_bytes: int | Missing) -> Iterator[Symptom]:
    """Whether there is a place for restore tests: a directory here, or an instance where servers keep their backups."""
    if kept.keeper(target) is None:
        yield _scratch(ws, target, data_bytes)
    elif opened.backend.backup.methods(opened.server):
        yield _instance(ws, target)


def _instance(ws: Workspace, target: Target) -> Symptom:
    """The one that is to restore what the server keeps must answer."""
    try:
        endpoint = kept.verify_endpoint(ws, target)
        with ws.open(Target(name=target.name, endpoint=endpoint)) as opened:
            said = f"restore tests go to {endpoint}: {opened.backend.label} {opened.server.version_text} answers"
    except ConfigError as error:
        standing = Standing.PROBLEM if _in_a_job(ws, target, "verify") else Standing.OK
        return _line(target.name, "settings", standing, f"no backup of it can be proven: {error.message}", error.hint)
    except DbopsError as error:
        summary = f"restore tests will fail: {error.message}"
        return _line(target.name, "connection", Standing.PROBLEM, summary, error.hint or _how_to_reach(error))
    return _line(target.name, "connection", Standing.OK, said)


def _scratch(ws: Workspace, target: Target, data_bytes: int | Missing) -> Symptom:
    place = Path(target.verify.into) if target.verify.into else Path(tempfile.gettempdir())
    if isinstance(data_bytes, Missing):
        summary = f"room for a restore test is not known, since the size of the data is not: {data_bytes.detail}"
        return _line(target.name, "disk", Standing.UNKNOWN, summary)
    return _room(ws, target.name, place, SCRATCH_TIMES * data_bytes, "a restore test")


def _room(ws: Workspace, subject: str, place: Path, needed: int, purpose: str) -> Symptom:
    free = ws.host.free_bytes(place)
    if isinstance(free, Missing):
        return _line(subject, "disk", Standing.UNKNOWN, f"{place}: free space is not known: {free.detail}")
    summary = f"{place}: {size(free)} free, {purpose} needs {size(needed)}"
    if free >= needed:
        return _line(subject, "disk", Standing.OK, summary)
    fix = "Make room, or name another place: [targets.NAME.verify] into = …" if subject != HERE else "Make room."
    return _line(subject, "disk", Standing.PROBLEM, summary, fix)


def _repositories(ws: Workspace, targets: Sequence[Target]) -> list[RepositoryConfig]:
    if not targets:
        return list(ws.config.repositories.values())
    found: dict[str, RepositoryConfig] = {}
    for target in targets:
        with suppress(DbopsError):
            config = ws.repository_config(target)
            found[config.name] = config
    return list(found.values())


def _repository(ws: Workspace, config: RepositoryConfig) -> Symptom:
    name = f"repository {config.name}"
    try:
        probe = ws.repository(config).probe()
    except DbopsError as error:
        return _line(name, "repository", Standing.PROBLEM, f"cannot be used: {error.message}", error.hint)
    room = "free space unknown" if isinstance(probe.free_bytes, Missing) else f"{size(probe.free_bytes)} free"
    summary = f"{config.url}: written, read and deleted in {probe.round_trip_s * 1000:.0f} ms, {room}"
    if not isinstance(probe.free_bytes, Missing) and probe.free_bytes < LITTLE_BYTES:
        return _line(name, "repository", Standing.PROBLEM, summary, "Make room: dbops backup prune, or a larger disk.")
    if not config.encrypt_to:
        return _line(name, "repository", Standing.OK, f"{summary}; stored in clear (no encrypt_to)")
    return _encrypted(ws, config, name, summary)


def _encrypted(ws: Workspace, config: RepositoryConfig, name: str, summary: str) -> Symptom:
    """A repository that can be written may still not be readable, and a restore test is where that shows."""
    try:
        if config.identity is None:
            raise ConfigError("no private key is configured here", hint="Add identity, or prove backups elsewhere.")
        ws.secrets.resolve(SecretRef.parse(config.identity, f"repositories.{config.name}.identity"))
    except DbopsError as error:
        proofs = any(job.do == "verify" for job in ws.config.jobs.values())
        standing = Standing.PROBLEM if proofs else Standing.OK
        why = f"{summary}; encrypted, and nothing can be restored from here: {error.message}"
        return _line(name, "repository", standing, why, error.hint if proofs else "")
    return _line(name, "repository", Standing.OK, f"{summary}; encrypted, and readable from here")


def _configured(ws: Workspace, target: Target) -> Configured:
    return Configured(
        endpoint=target.endpoint,
        programs=(target.verify.tools,) if target.verify.tools else (),
        depot=target.backup.depot,
        backed_up=_in_a_job(ws, target, "backup"),
    )


def _in_a_job(ws: Workspace, target: Target, do: str) -> bool:
    """Of those whose targets can be found: the others are told by themselves."""
    for job in ws.config.jobs.values():
        with suppress(DbopsError):
            if job.do == do and target.name in {one.name for one in ws.config.select(job.targets, ws.secrets.literal)}:
                return True
    return False


def _line(subject: str, area: str, standing: Standing, summary: str, fix: str = "") -> Symptom:
    return Symptom(subject=subject, area=area, standing=standing, summary=summary, fix=fix)
