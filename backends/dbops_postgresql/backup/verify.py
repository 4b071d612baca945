"""Steps that prove a backup: restored into a scratch server on this machine, looked at, and thrown away."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from dbops.backup.artifacts import has, source
from dbops.backup.evidence import collect
from dbops.model.backup import (
    BackupRecord,
    Chain,
    Destination,
    Evidence,
    Outputs,
    VerifyLevel,
)
from dbops.model.server import Server
from dbops.plan import Call, Hold, Opening, Ref, Risk, Sql, Step, ToFile, Value
from dbops_postgresql.backup.artifacts import ROLES, Contents, base, contents, dump_of, fingerprints_of
from dbops_postgresql.backup.creation import create_database
from dbops_postgresql.backup.facts import Database
from dbops_postgresql.backup.restore import COPIED_MANIFEST, SPARE_BYTES, bring, copy_steps, only_record, pg_restore

__all__ = ["compile_verify", "read_evidence"]

AREA = "area"
SERVER = "restore-start"
TEMPLATE = "template1"
MAINTENANCE = "postgres"
# A new data directory with its first WAL, and room for what restoring writes ahead.
EMPTY_BYTES = 1 << 30
BUDGET_S = 3600
COPIES = (
    "the order of the log is not the order in which rows became visible, so a copy is not compared with a reading of "
    "the server that it was taken from"
)


def compile_verify(chain: Chain, destination: Destination, server: Server, level: VerifyLevel) -> tuple[Step, ...]:
    """Pure. ``destination.path`` is where the scratch server's files go, empty for the temporary directory."""
    record = only_record(chain)
    known = contents(record)
    full = level == "full"
    if record.kind == "physical":
        return _prove_copy(chain.repository, record, known, destination, full=full)
    return _prove_dump(chain.repository, record, known, destination, server, full=full)


def _prove_copy(
    repository: str, record: BackupRecord, known: Contents, place: Destination, *, full: bool
) -> tuple[Step, ...]:
    oids = " ".join(base(record))
    there: dict[str, Value] = {
        "data": Ref(AREA, "data"), "root": Ref(AREA, "path"), "path": Ref(AREA, "path"), "tablespaces": oids,
        "bindir": Ref(AREA, "bindir"),
    }  # fmt: skip
    expected = json.dumps([one.name for one in known.databases])
    running = Hold(
        id=SERVER,
        summary="start a server on the copy and let it recover",
        risk=Risk.WRITE,
        opening=Opening(what="scratch_copy", arguments={**there, "superuser": known.about.superuser}),
        steps=_looks(expected, full=full, physical=True),
        close="stop it cleanly",
    )
    steps: list[Step] = [
        *copy_steps(repository, record, AREA),
        _call("check-files", "check every file against backup_manifest", "proof.files", there),
        running,
    ]
    if full and known.data_checksums:
        steps.append(_call("check-checksums", "check the checksum of every page", "proof.checksums", there))
    need = sum(one.bytes for one in record.artifacts) + SPARE_BYTES
    files = ["data", *(f"t{oid}" for oid in base(record)), COPIED_MANIFEST]
    return (_area(place, known, need, files, tuple(steps)),)


def _prove_dump(
    repository: str, record: BackupRecord, known: Contents, place: Destination, server: Server, *, full: bool
) -> tuple[Step, ...]:
    about = known.about
    opening: dict[str, Value] = {
        "path": Ref(AREA, "path"), "bindir": Ref(AREA, "bindir"), "superuser": about.owner,
        "dump_version": known.dump_version, "tools": place.tools,
    }  # fmt: skip
    roles: dict[str, Value] = {
        "file": Ref(AREA, "roles"), "bindir": Ref(AREA, "bindir"), "superuser": about.owner,
    }  # fmt: skip
    compared = [one for one in known.databases if full and has(record, fingerprints_of(one))]
    steps: list[Step] = [
        bring("restore-roles", "restore the file of roles", source(record, repository, ROLES), _file("roles")),
        _call("restore-roles-load", "load the roles", "proof.roles", roles, SERVER),
    ]
    for one in known.databases:
        steps += _restore_database(repository, record, one, server)
    for one in compared:
        stored = source(record, repository, fingerprints_of(one))
        steps.append(
            bring(f"fingerprints-{one.oid}", f"read the fingerprints of {one.name}", stored, _file(f"f{one.oid}"))
        )
    expected = json.dumps([one.name for one in known.databases])
    steps += _looks(expected, full=full, physical=False)
    steps += [_compare(one) for one in compared]
    running = Hold(
        id=SERVER,
        summary="start an empty server of the same version",
        risk=Risk.WRITE,
        opening=Opening(what="scratch_empty", arguments=opening),
        steps=tuple(steps),
        close="stop it",
    )
    size = record.source_bytes if isinstance(record.source_bytes, int) else sum(one.bytes for one in record.artifacts)
    files = ["roles", *(f"f{one.oid}" for one in compared)]
    return (_area(place, known, size + EMPTY_BYTES, files, (running,)),)


def _restore_database(repository: str, record: BackupRecord, one: Database, server: Server) -> Iterator[Step]:
    if one.name == MAINTENANCE:
        yield _sql("restore-drop", "make room for the database postgres", "DROP DATABASE IF EXISTS postgres")
    if one.name != TEMPLATE:
        statement = create_database(one, one.name, server.major)
        yield _sql(f"restore-create-{one.oid}", f"create the database {one.name}", statement)
    stored = source(record, repository, dump_of(one))
    sink = pg_restore(SERVER, one.name)
    yield bring(f"restore-{one.oid}", f"restore {one.name} by pg_restore", stored, sink)


def _looks(expected: str, *, full: bool, physical: bool) -> tuple[Step, ...]:
    bindir: dict[str, Value] = {"bindir": Ref(AREA, "bindir")}
    rows = " and every row in its indexes" if full else ""
    steps = [
        _call("check-connect", "open every database", "proof.connect", {"expected": expected}, SERVER),
        _call(
            "check-amcheck", f"check tables and indexes{rows}", "proof.amcheck", {**bindir, "all_rows": full}, SERVER
        ),
    ]
    if full and physical:
        steps.append(_call("check-read", "read every row of every database", "proof.read", bindir, SERVER))
    return tuple(steps)


def _compare(one: Database) -> Call:
    arguments: dict[str, Value] = {
        "database": one.name, "recorded": Ref(AREA, f"f{one.oid}"), "budget_s": BUDGET_S,
    }  # fmt: skip
    summary = f"compare the content of {one.name} with what was dumped"
    return _call(f"check-fingerprints-{one.oid}", summary, "proof.fingerprints", arguments, SERVER)


def _area(place: Destination, known: Contents, need: int, files: list[str], steps: tuple[Step, ...]) -> Hold:
    arguments: dict[str, Value] = {
        "into": place.path, "tools": place.tools, "need_bytes": need, "files": " ".join(files),
        "requires": msgspec.json.encode(known.about.requires, order="deterministic").decode(),
    }  # fmt: skip
    return Hold(
        id=AREA,
        summary="a private directory, and server programs that fit",
        risk=Risk.WRITE,
        opening=Opening(what="scratch_area", arguments=arguments),
        steps=steps,
        close="remove it",
    )


def _file(output: str) -> ToFile:
    return ToFile(path=Ref(AREA, output))


def _sql(step: str, summary: str, statement: str) -> Sql:
    return Sql(id=step, summary=summary, risk=Risk.WRITE, statement=(statement,), endpoint=SERVER)


def _call(step: str, summary: str, operation: str, arguments: dict[str, Value], endpoint: str = "target") -> Call:
    return Call(
        id=step,
        summary=summary,
        risk=Risk.READ,
        provider="backend",
        operation=operation,
        arguments=arguments,
        endpoint=endpoint,
    )


def read_evidence(chain: Chain, level: VerifyLevel, outputs: Outputs) -> Evidence:
    """Pure: the checks, the comparison of content, and the state that came back."""
    return collect(only_record(chain), level, outputs, started=SERVER, copies=COPIES)
