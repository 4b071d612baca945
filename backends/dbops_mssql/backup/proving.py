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
from dbops_mssql.backup.restoring import held, restored, sequenced
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
    record = chain.records[-1]
    steps: list[Step] = []
    for number, name in enumerate(record.databases, 1):
        found = sequenced(chain.records, Until(kind="name", value=record.id), name)
        if level == "checksum":
            steps += [_verify_only(one, destination, f"{number}-{at}") for at, one in enumerate(found.sets, 1)]
        else:
            steps.append(_proof(number, name, found, record, destination, full=level == "full"))
    return tuple(steps)


def _verify_only(one: BackupSet, destination: Destination, number: str) -> Call:
    but = "" if one.checksums else f"{one.label} was written without checksums: only its structure could be read"
    return _check(
        f"check-verifyonly-{number}",
        f"read {one.label} through",
        tsql.verify_only(one, destination.paths),
        f"{one.label} is complete, and every page is what its checksum says",
        {"bytes": one.bytes, "but": but},
    )


def _proof(
    number: int, name: str, found: Sequenced, record: BackupRecord, destination: Destination, *, full: bool
) -> Step:
    copy = copy_name(name, record)
    target = tsql.into(copy, destination.paths, destination.data, destination.log)
    looks = list(_looks(number, name, copy, record, full=full))
    steps = (*restored(found, target, VERIFY, f"restore-{number}"), *looks)
    return held(f"copy-{number}", copy, VERIFY, steps, keep=False)


def _looks(number: int, name: str, copy: str, record: BackupRecord, *, full: bool) -> Iterator[Step]:
    said = "nothing is wrong inside any page" if full else "every page can be read and is what its checksum says"
    size: dict[str, Value] = {"what": f"DBCC CHECKDB {name}"}
    sql = tsql.check_database(copy, full=full)
    yield _check(f"check-dbcc-{number}", f"check {copy} by DBCC CHECKDB", sql, f"{name}: {said}", size)
    recorded = carried(record).fingerprints.get(name)
    if full and recorded is not None:
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
    return found
