"""What a restored copy is asked. Every answer is one of three, and a question that cannot be asked is never a pass."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dbops import process
from dbops.errors import DbopsError, ToolFailed
from dbops.model.backup import ProofCheck, Verdict
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_postgresql.backup.link import client_environment, connect, conninfo, understood
from dbops_postgresql.backup.scratch import DATABASE
from dbops_postgresql.backup.tablespaces import link
from dbops_postgresql.installation import server_user
from dbops_postgresql.quoting import identifier, literal
from dbops_postgresql.statement import statement

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["amcheck", "checksums", "connect_all", "files", "load_roles", "read_all"]

Outputs = Mapping[str, Value]
COLLATION_VERSIONS_SINCE = 15
AMCHECK_SINCE = 14
LINES = 10
CORRUPTION = 2
# Words by which a program says that it lacks something, not that the data are wrong.
UNABLE = re.compile(
    r"not supported by (this )?build|could not access file|is not available|out of (shared )?memory", re.IGNORECASE
)
CRASHED = re.compile(
    r"server closed the connection unexpectedly|because of crash of another server process", re.IGNORECASE
)


def files(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Outputs:
    """Every file of a fresh copy against ``backup_manifest``, and its WAL: pg_verifybackup.

    Arguments: ``data``, ``root`` (holds ``t<oid>``), ``tablespaces``, ``bindir``.
    """
    data, root = Path(str(arguments["data"])), Path(str(arguments["root"]))
    link(data, {oid: root / f"t{oid}" for oid in str(arguments.get("tablespaces", "")).split()})
    program = Path(str(arguments["bindir"])) / "pg_verifybackup"
    if not program.is_file():
        why = f"{program} is not installed: the files were checked by the digests of the repository alone"
        return _answer(_unknown("files", why, "tool_missing"))
    done = process.run([program, "--quiet", data], env={"LC_ALL": "C"})
    if done.returncode == 0:
        return _answer(_good("files", "every file and the WAL are what backup_manifest says"))
    return _answer(_bad("files", f"the copy is not what backup_manifest says: {_few(done.stderr or done.stdout)}"))


def connect_all(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """A session in every database that accepts one; those named in ``expected`` (JSON) must be there.

    Databases whose collations have another version here are not judged by amcheck: their order may differ rightly.
    """
    expected: list[str] = json.loads(str(arguments.get("expected", "[]")))
    with connect(endpoint, runtime) as connection, understood(str(endpoint)):
        names = [row[0] for row in connection.execute(statement("proof_databases")).fetchall()]
    checks = [
        _bad(f"connect:{name}", f"the database {name} did not come back") for name in expected if name not in names
    ]
    for name in names:
        checks += _connect(name, endpoint, runtime)
    return _answer(*checks)


def _connect(name: str, endpoint: Endpoint, runtime: Runtime) -> list[ProofCheck]:
    check = f"connect:{name}"
    try:
        with connect(endpoint, runtime, name) as connection, understood(f"the database {name}"):
            _silence(connection)
            prepared = _roll_back(connection)
            tables, indexes = connection.execute(statement("proof_objects")).fetchone() or (0, 0)
            newer = connection.info.server_version // 10000 >= COLLATION_VERSIONS_SINCE
            odd = connection.execute(statement("proof_collations")).fetchall() if newer else []
    except DbopsError as error:
        return [_judged(check, f"the database {name} cannot be opened: {error.message}")]
    undone = f"; {prepared} prepared transactions were rolled back here" if prepared else ""
    checks = [_good(check, f"{name} opens: {tables} tables, {indexes} indexes{undone}")]
    if odd:
        said = ", ".join(f"{one} was sorted by {was} and here is {now}" for one, was, now in odd)
        checks.append(_unknown(f"collations:{name}", f"{name}: {said}", "environment"))
    return checks


# Any: psycopg gives rows of any types.
def _silence(connection: Connection[Any]) -> None:
    """Event triggers could forbid to install what the checks need; before 17 no setting keeps them from firing."""
    for (name,) in connection.execute(statement("proof_event_triggers")).fetchall():
        connection.execute(f"ALTER EVENT TRIGGER {identifier(name)} DISABLE".encode())


def _roll_back(connection: Connection[Any]) -> int:
    """End prepared transactions: nobody will, and what they locked could never be looked at. How many they were."""
    prepared = [row[0] for row in connection.execute(statement("proof_prepared")).fetchall()]
    for one in prepared:
        connection.execute(f"ROLLBACK PREPARED {literal(one)}".encode())
    return len(prepared)


def amcheck(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Tables and indexes of every database: pg_amcheck. ``all_rows``: every row must be found in its indexes too."""
    program = Path(str(arguments["bindir"])) / "pg_amcheck"
    if not program.is_file():
        why = f"{program} is not installed (it comes with PostgreSQL {AMCHECK_SINCE}): indexes were not looked at"
        return _answer(_unknown("amcheck", why, "tool_missing"))
    argv: list[str | Path] = [program, "--all", "--install-missing", "--no-password", f"--jobs={runtime.host.cpus}"]
    argv += ["--heapallindexed"] if arguments.get("all_rows") else []
    argv.append(f"--maintenance-db={conninfo(endpoint, DATABASE)}")
    done = process.run(argv, env=client_environment(endpoint, runtime))
    if done.returncode == 0:
        return _answer(_good("amcheck", "tables and indexes of every database hang together"))
    said = _few(done.stdout if done.returncode == CORRUPTION else done.stderr or done.stdout)
    if CRASHED.search(done.stderr):
        return _answer(_bad("amcheck", f"the server crashed while it looked: {said}"))
    if done.returncode == CORRUPTION and not UNABLE.search(said):
        return _answer(_bad("amcheck", f"damage was found: {said}"))
    return _answer(_unknown("amcheck", f"pg_amcheck could not look: {said}", "environment"))


def read_all(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Every database dumped to nowhere: each value of each row is read and printed."""
    program = Path(str(arguments["bindir"])) / "pg_dump"
    with connect(endpoint, runtime) as connection, understood(str(endpoint)):
        names = [row[0] for row in connection.execute(statement("proof_databases")).fetchall()]
    checks: list[ProofCheck] = []
    for name in names:
        argv: list[str | Path] = [
            program,
            "--format=custom",
            "--compress=0",
            "--no-password",
            "--no-sync",
            "--file=/dev/null",
        ]
        done = process.run([*argv, f"--dbname={conninfo(endpoint, name)}"], env=client_environment(endpoint, runtime))
        if done.returncode == 0:
            checks.append(_good(f"read:{name}", f"every row of {name} can be read"))
        else:
            checks.append(_judged(f"read:{name}", f"{name} cannot be read whole: {_few(done.stderr)}"))
    return _answer(*checks)


def checksums(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Outputs:
    """The checksum of every page of the stopped copy: pg_checksums. Arguments: ``data``, ``bindir``."""
    program = Path(str(arguments["bindir"])) / "pg_checksums"
    argv: list[str | Path] = [program, "--check", "-D", str(arguments["data"])]
    done = process.run(argv, env={"LC_ALL": "C"}, user=server_user())
    if done.returncode == 0:
        return _answer(_good("checksums", "the checksum of every page is right"))
    said = _few(done.stderr or done.stdout)
    if "checksum verification failed" in done.stderr:
        return _answer(_bad("checksums", f"pages are damaged: {said}"))
    return _answer(_unknown("checksums", f"pg_checksums could not look: {said}", "environment"))


def load_roles(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Run the SQL of ``file`` by psql. Arguments also: ``bindir``, ``superuser``, who is there already.

    :raises ToolFailed: any other statement failed.
    """
    psql = Path(str(arguments["bindir"])) / "psql"
    argv: list[str | Path] = [psql, "--no-psqlrc", "--quiet", "--no-password", "--output=/dev/null"]
    argv += [f"--file={arguments['file']}", f"--dbname={conninfo(endpoint)}"]
    done = process.run(argv, env=client_environment(endpoint, runtime)).check()
    there = f'role "{arguments["superuser"]}" already exists'
    errors = [line for line in done.stderr.splitlines() if "ERROR:" in line and there not in line]
    if errors:
        raise ToolFailed(f"the roles cannot be restored: {_few(chr(10).join(errors))}")
    return {"errors": 0}


def _answer(*checks: ProofCheck) -> Outputs:
    return {"checks": msgspec.json.encode(checks).decode()}


def _good(check: str, summary: str) -> ProofCheck:
    return ProofCheck(id=check, verdict=Verdict.VERIFIED, summary=summary)


def _bad(check: str, summary: str) -> ProofCheck:
    return ProofCheck(id=check, verdict=Verdict.FAILED, summary=summary)


def _unknown(check: str, summary: str, reason: str) -> ProofCheck:
    return ProofCheck(id=check, verdict=Verdict.COULD_NOT_VERIFY, summary=summary, reason=reason)


def _judged(check: str, summary: str) -> ProofCheck:
    return _unknown(check, summary, "environment") if UNABLE.search(summary) else _bad(check, summary)


def _few(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    more = f" … and {len(lines) - LINES} lines more" if len(lines) > LINES else ""
    return "; ".join(lines[:LINES]) + more
