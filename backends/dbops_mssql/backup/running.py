"""What a plan's steps do at the server: one statement each, to its last message, with its progress told."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress

import msgspec

from dbops.errors import DbopsError, DestinationExists, ToolFailed, Unsupported
from dbops.model.backup import ProofCheck, Verdict
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_mssql.backup.history import read_sets
from dbops_mssql.backup.link import Link, connected, watched
from dbops_mssql.quoting import identifier, literal
from dbops_mssql.statement import text

__all__ = ["back_up", "check", "new_database", "restore"]

Arguments = Mapping[str, object]
Outputs = Mapping[str, Value]
Held = tuple[Mapping[str, Value], Endpoint | None]


def back_up(arguments: Arguments, endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Run ``sql`` and read back from msdb what it made. Arguments also: ``database``, ``name``, ``bytes``, ``major``.

    :raises ToolFailed: the server refused, or says that it made a backup of which msdb knows nothing.
    """
    _run(arguments, endpoint, runtime)
    with runtime.reader(endpoint.at("master")) as reader:
        sets = read_sets(reader, int(str(arguments["major"])))
    made = [one for one in sets if one.name == arguments["name"] and one.database == arguments["database"]]
    if not made:
        raise ToolFailed(f"msdb of {endpoint} holds no backup set called {arguments['name']!r} of this database")
    return {"set": msgspec.json.encode(made[-1]).decode(), "bytes": made[-1].bytes}


def restore(arguments: Arguments, endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Run ``sql``: a RESTORE of ``bytes``."""
    _run(arguments, endpoint, runtime)
    return {"bytes": int(str(arguments.get("bytes", 0)))}


def check(arguments: Arguments, endpoint: Endpoint, runtime: Runtime) -> Outputs:
    """Run ``sql``, a statement that only looks. What the server finds wrong speaks against the backup; that it could
    not look does not. Arguments also: ``check``, ``good`` (what is shown when nothing is wrong)."""
    name = str(arguments["check"])
    try:
        _run(arguments, endpoint, runtime)
    except ToolFailed as error:
        bad = not error.reason
        verdict = Verdict.FAILED if bad else Verdict.COULD_NOT_VERIFY
        return _answer(ProofCheck(id=name, verdict=verdict, summary=error.message, reason=error.reason))
    if said := str(arguments.get("but", "")):
        return _answer(ProofCheck(id=name, verdict=Verdict.COULD_NOT_VERIFY, summary=said, reason="feature_off"))
    return _answer(ProofCheck(id=name, verdict=Verdict.VERIFIED, summary=str(arguments["good"])))


def _answer(*checks: ProofCheck) -> Outputs:
    return {"checks": msgspec.json.encode(checks).decode()}


def _run(arguments: Arguments, endpoint: Endpoint, runtime: Runtime) -> tuple[str, ...]:
    what = str(arguments.get("what") or arguments.get("database") or "")
    with connected(endpoint, runtime) as link, _watching(link, arguments, endpoint, runtime, what):
        return link.run(str(arguments["sql"]))


@contextmanager
def _watching(link: Link, arguments: Arguments, endpoint: Endpoint, runtime: Runtime, what: str) -> Generator[None]:
    expected = int(str(arguments.get("bytes", 0)))
    with watched(link, endpoint, runtime, what, expected):
        yield


@contextmanager
def new_database(arguments: Arguments, endpoint: Endpoint, runtime: Runtime) -> Generator[Held]:
    """A name that nothing has yet. What was made under it is dropped when a step fails, and always unless ``keep``.

    :raises DestinationExists: a database has the name, in whatever state.
    :raises Unsupported: the instance is of another version than ``major``, where that counts.
    """
    name = str(arguments["database"])
    with connected(endpoint, runtime) as link:
        state = _state(link, name)
        _refuse_upgrade(link, int(str(arguments.get("major", 0))), endpoint)
    if state:
        raise DestinationExists(
            f"the database {name} is there already on {endpoint.at('master')} ({state}), and no restore goes over it",
            hint="Restore into a new name; drop the old database by hand when it is not needed.",
        )
    try:
        yield {"database": name}, None
    except BaseException:
        with suppress(DbopsError):  # the step's own error is the one to see
            _drop(name, endpoint, runtime)
        raise
    if not arguments.get("keep"):
        _drop(name, endpoint, runtime)


def _refuse_upgrade(link: Link, major: int, endpoint: Endpoint) -> None:
    """A database that is upgraded while it is recovered cannot take the old version's log afterwards."""
    there = (
        int(link.dicts("SELECT CONVERT(int, SERVERPROPERTY('ProductMajorVersion')) AS major")[0]["major"])
        if major
        else 0
    )
    if there != major:
        raise Unsupported(
            f"a database in standby is never upgraded: the backup is of version {major}, {endpoint.at('')} of {there}",
            hint="Restore without --standby, or on an instance of that version.",
        )


def _state(link: Link, name: str) -> str:
    rows = link.dicts(text("backup_state").replace(":name", literal(name)))
    return str(rows[0]["state_desc"]) if rows else ""


def _drop(name: str, endpoint: Endpoint, runtime: Runtime) -> None:
    with connected(endpoint, runtime) as link:
        state = _state(link, name)
        if state == "ONLINE":
            link.run(f"ALTER DATABASE {identifier(name)} SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        if state:
            link.run(f"DROP DATABASE {identifier(name)}")
