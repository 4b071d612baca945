"""Steps that bring a backup back for good: a base backup into a new directory, a dump into a new database."""

from __future__ import annotations

import msgspec

from dbops.backup.artifacts import has, source
from dbops.errors import InputError, UsageError
from dbops.model.backup import BackupRecord, Chain, Destination, Until
from dbops.model.server import Server
from dbops.plan import (
    Call,
    FromRepository,
    Hold,
    Need,
    Opening,
    Ref,
    Risk,
    Sink,
    Step,
    ToCommand,
    ToDirectory,
    ToFile,
    Transfer,
    Value,
)
from dbops_postgresql.backup.artifacts import (
    BASE,
    CONFIGURATION,
    MANIFEST,
    Contents,
    base,
    contents,
    dump_of,
)
from dbops_postgresql.backup.creation import after, create_database
from dbops_postgresql.backup.destination import partial_database
from dbops_postgresql.backup.facts import Database

__all__ = ["bring", "compile_restore", "copy_steps", "only_record", "pg_restore"]

DESTINATION = "destination"
DIRECTORY = "new-directory"
DATABASE = "new-database"
COPIED_MANIFEST = f"data/{MANIFEST}"
# Unpacked files, the log that the server writes at its start, and what a file system takes for itself.
SPARE_BYTES = 64 << 20


def compile_restore(chain: Chain, destination: Destination, until: Until, server: Server) -> tuple[Step, ...]:
    """Pure. The server restored into is the endpoint ``destination``.

    :raises UsageError: this backup cannot go there, or which database is meant is not clear.
    :raises InputError: an instant other than the backup's own is asked for, or the manifest lacks something.
    """
    record = only_record(chain)
    if until.kind != "latest":
        raise InputError(
            f"{record.id} restores the state of {record.instant.isoformat()} and no other: no log is kept beside it",
            hint="Restore it with --to latest.",
        )
    if record.kind == "physical":
        return _into_directory(chain.repository, record, destination, server)
    return _into_database(chain.repository, record, destination, server)


def only_record(chain: Chain) -> BackupRecord:
    """:raises InputError: the chain has several, which this backend never makes."""
    if len(chain.records) != 1:
        raise InputError(f"a chain of {len(chain.records)} backups cannot be restored: PostgreSQL's are whole each")
    return chain.records[0]


def copy_steps(repository: str, record: BackupRecord, holder: str) -> tuple[Step, ...]:
    """The files of a base backup, to the paths that the Hold ``holder`` gives: ``data``, ``t<oid>``."""
    unpack = [("restore-base", "restore the data directory", BASE, "data")]
    unpack += [(f"restore-{oid}", f"restore the tablespace {oid}", f"{oid}.tar", f"t{oid}") for oid in base(record)]
    steps = [
        bring(step, summary, source(record, repository, name), ToDirectory(path=Ref(holder, output)))
        for step, summary, name, output in unpack
    ]
    manifest = source(record, repository, MANIFEST)
    saved = ToFile(path=Ref(holder, COPIED_MANIFEST))
    return (*steps, bring("restore-manifest", "restore backup_manifest", manifest, saved))


def bring(step: str, summary: str, stored: FromRepository, sink: Sink) -> Transfer:
    """A Transfer out of the repository."""
    return Transfer(id=step, summary=summary, risk=Risk.WRITE, source=stored, sink=sink)


def pg_restore(holder: str, database: Value) -> ToCommand:
    """Into ``database`` of the server that the Hold ``holder`` gives, by the program that it found.

    Objects one by one, the first error ends it: the database is new, so nothing of it is kept then. One transaction
    around all would need a lock for each object at once.
    """
    return ToCommand(
        argv=(
            Ref(holder, "pg_restore"),
            "--exit-on-error",
            "--no-password",
            "--no-tablespaces",
            "--dbname",
            Ref(holder, "conninfo"),
        ),
        env={"PGDATABASE": database, "PGPASSWORD": Ref(holder, "password"), "LC_ALL": "C"},
    )


def _into_directory(repository: str, record: BackupRecord, place: Destination, server: Server) -> tuple[Step, ...]:
    if place.kind != "directory" or not place.path:
        raise UsageError(
            f"{record.id} is a copy of a whole server: it restores into a new directory, not into a database",
            hint="Name a directory by --into, or restore a dump.",
        )
    oids = " ".join(base(record))
    opening: dict[str, Value] = {"path": place.path, "tablespaces": oids, "need_bytes": _need(record)}
    there: dict[str, Value] = {"data": Ref(DIRECTORY, "data"), "root": Ref(DIRECTORY, "root"), "tablespaces": oids}
    finish: dict[str, Value] = {"data": Ref(DIRECTORY, "data"), "file": Ref(DIRECTORY, "configuration")}
    steps: list[Step] = [
        *copy_steps(repository, record, DIRECTORY),
        _call(
            "check-files",
            "check every file against backup_manifest",
            "copy.check",
            {**there, "tools": place.tools, "major": server.major},
        ),
    ]
    if has(record, CONFIGURATION):
        kept = source(record, repository, CONFIGURATION)
        saved = ToFile(path=Ref(DIRECTORY, "configuration"))
        steps.append(bring("restore-configuration", "restore settings and access rules", kept, saved))
    steps.append(_call("restore-finish", "write what the copy lacks of its configuration", "copy.finish", finish))
    return (
        Hold(
            id=DIRECTORY,
            summary=f"restore into the new directory {place.path}",
            risk=Risk.WRITE,
            undo=f"remove {place.path}",
            opening=Opening(what="new_directory", arguments=opening, endpoint=DESTINATION),
            steps=tuple(steps),
            close="moved to its place when everything is there; removed when anything failed",
            needs=(Need(kind="space", name=str(_need(record))),),
        ),
    )


def _call(step: str, summary: str, operation: str, arguments: dict[str, Value]) -> Call:
    return Call(
        id=step,
        summary=summary,
        risk=Risk.READ if step.startswith("check") else Risk.WRITE,
        provider="backend",
        operation=operation,
        arguments=arguments,
        endpoint=DESTINATION,
    )


def _need(record: BackupRecord) -> int:
    return sum(one.bytes for one in record.artifacts) + SPARE_BYTES


def _into_database(repository: str, record: BackupRecord, place: Destination, server: Server) -> tuple[Step, ...]:
    if place.kind != "database":
        raise UsageError(
            f"{record.id} is a dump: it restores into a new database of a running server",
            hint="Name it by its URL: --into postgresql://host/new_database.",
        )
    known = contents(record)
    wanted = _wanted(record, known, place)
    name = place.database or wanted.name
    arguments: dict[str, Value] = {
        "database": name,
        "create": create_database(wanted, partial_database(name), server.major),
        "after": msgspec.json.encode(after(wanted, partial_database(name))).decode(),
        "dump_version": known.dump_version,
        "tools": place.tools,
    }
    stored = source(record, repository, dump_of(wanted))
    sink = pg_restore(DATABASE, Ref(DATABASE, "database"))
    return (
        Hold(
            id=DATABASE,
            summary=f"restore {wanted.name} into the new database {name}",
            risk=Risk.WRITE,
            undo=f"drop the database {name}",
            opening=Opening(what="new_database", arguments=arguments, endpoint=DESTINATION),
            steps=(bring(f"restore-{wanted.oid}", f"restore {wanted.name} by pg_restore", stored, sink),),
            close="renamed when everything is there; dropped when anything failed",
            needs=(Need(kind="right", name="CREATEDB"), Need(kind="tool", name=f"pg_restore {known.dump_version}")),
        ),
    )


def _wanted(record: BackupRecord, known: Contents, place: Destination) -> Database:
    by_name = {one.name: one for one in known.databases}
    asked = place.only or ((place.database,) if place.database in by_name else ())
    if not asked:
        own = [one.name for one in known.databases if one.name not in ("postgres", "template1")]
        asked = tuple(own) if len(own) == 1 else ()
    if len(asked) == 1 and asked[0] in by_name:
        return by_name[asked[0]]
    what = f"{record.id} holds no database {asked[0]!r}" if len(asked) == 1 else f"{record.id} holds several databases"
    raise UsageError(what, hint=f"Name one of them by --database: {', '.join(by_name)}.")
