"""The steps of a proof: on another instance, under a name of its own, restored, checked, compared and dropped."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.backup.evidence import collect
from dbops.model.backup import BackupRecord, Chain, Destination, Evidence, Outputs, Until, VerifyLevel
from dbops.model.finding import Missing
from dbops.plan import Call, Risk, Step, Value
from dbops_mssql.backup import tsql
from dbops_mssql.backup.history import carried
from dbops_mssql.backup.places import file_name
from dbops_mssql.backup.restoring import decided, held, restored
from dbops_mssql.backup.sequence import Sequenced
from dbops_mssql.backup.sets import BackupSet

__all__ = ["compile_verify", "copy_name", "read_evidence"]

VERIFY = "verify"
BUDGET_S = 3600


def copy_name(database: str, record: BackupRecord) -> str:
    """What the copy is called while it is looked at."""
    return f"{file_name(database)[:60]}-proof-{record.id[-17:]}"


def compile_verify(chain: Chain, destination: Destination, level: VerifyLevel) -> tuple[Step, ...]:
    """Pure. The instance is the endpoint ``verify``."""
    steps: list[Step] = []
    for number, (name, found) in enumerate(_found(chain).items(), 1):
        if level == "checksum":
            steps += [_verify_only(one, destination, f"{number}-{at}") for at, one in enumerate(found.sets, 1)]
        else:
            steps.append(_proof(number, name, found, chain, destination, full=level == "full"))
    return tuple(steps)


def _found(chain: Chain) -> dict[str, Sequenced]:
    """By database: to the point that the chain was chosen for, or to the end of its last backup."""
    last = chain.records[-1]
    names = tuple(chain.extra) or last.databases
    return {name: decided(chain, Until(kind="name", value=last.id), name) for name in names}


def _verify_only(one: BackupSet, destination: Destination, number: str) -> Call:
    but = "" if one.checksums else f"{one.label} was written without checksums: only its structure could be read"
    return _check(
        f"check-verifyonly-{number}",
        f"read {one.label} through",
        tsql.verify_only(one, destination.paths),
        f"{one.label} is complete, and every page is what its checksum says",
        {"bytes": one.bytes, "but": but},
    )


def _proof(number: int, name: str, found: Sequenced, chain: Chain, destination: Destination, *, full: bool) -> Step:
    copy = copy_name(name, chain.records[-1])
    target = tsql.into(copy, destination.paths, destination.data, destination.log)
    looks = list(_looks(number, name, copy, _recorded(chain, name, found) if full else None, full=full))
    steps = (*restored(found, target, VERIFY, f"restore-{number}"), *looks)
    return held(f"copy-{number}", copy, VERIFY, steps, keep=False)


def _recorded(chain: Chain, name: str, found: Sequenced) -> str | None:
    """What the tables held at the end of the last set, if that was a full one of ours."""
    last = found.sets[-1].uuid if found.sets else ""
    held = (carried(one) for one in chain.records)
    return next((one.fingerprints.get(name) for one in held if last in {each.uuid for each in one.sets}), None)


def _looks(number: int, name: str, copy: str, recorded: str | None, *, full: bool) -> Iterator[Step]:
    said = "nothing is wrong inside any page" if full else "every page can be read and is what its checksum says"
    size: dict[str, Value] = {"what": f"DBCC CHECKDB {name}"}
    sql = tsql.check_database(copy, full=full)
    yield _check(f"check-dbcc-{number}", f"check {copy} by DBCC CHECKDB", sql, f"{name}: {said}", size)
    if recorded is not None:
        yield Call(
            id=f"check-fingerprints-{number}",
            summary=f"compare the content of {name} with what it held when it was backed up",
            risk=Risk.READ,
            provider="backend",
            operation="proof.fingerprints",
            arguments={"database": copy, "recorded": recorded, "budget_s": BUDGET_S},
            endpoint=VERIFY,
        )


def _check(step: str, summary: str, sql: str, good: str, more: dict[str, Value]) -> Call:
    return Call(
        id=step,
        summary=summary,
        risk=Risk.READ,
        provider="backend",
        operation="proof.check",
        arguments={"sql": sql, "check": step.removeprefix("check-"), "good": good, **more},
        endpoint=VERIFY,
    )


def read_evidence(chain: Chain, level: VerifyLevel, outputs: Outputs) -> Evidence:
    """Pure: what the server said of the copy, and the state that came back."""
    record = chain.records[-1]
    found = collect(record, level, outputs, started="restore-1-recover")
    if level == "checksum":
        nothing = Missing("not_asked", "nothing was restored")
        return msgspec.structs.replace(found, recovered_to=nothing, fingerprints=nothing)
    instants = [one.recovers_to for one in _found(chain).values() if one.recovers_to is not None]
    if isinstance(found.recovered_to, Missing) or not chain.extra or not instants:
        return found
    return msgspec.structs.replace(found, recovered_to=min(instants))
