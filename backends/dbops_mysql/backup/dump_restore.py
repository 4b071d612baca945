"""Steps that bring a dump back for good, into a new database, and that prove it, in a scratch server."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from dbops.backup.artifacts import has, source
from dbops.backup.evidence import collect
from dbops.errors import UsageError
from dbops.model.backup import BackupRecord, Chain, Destination, Evidence, Outputs, VerifyLevel
from dbops.model.server import Server
from dbops.plan import Call, Hold, Need, Opening, Ref, Risk, Sql, Step, ToFile, Value
from dbops_mysql.backup.artifacts import (
    ACCOUNTS,
    Contents,
    contents,
    dump_of,
    fingerprints_of,
    key,
    views_of,
)
from dbops_mysql.backup.client import loading
from dbops_mysql.backup.creation import create_database
from dbops_mysql.backup.facts import Database
from dbops_mysql.backup.way import bring, only_record
from dbops_mysql.installation import LABELS, Family

__all__ = ["evidence", "restore", "verify"]

DESTINATION = "destination"
DATABASE = "new-database"
AREA = "area"
SERVER = "restore-start"
# A new data directory with its first log, and room for what loading writes ahead.
EMPTY_BYTES = 1 << 30
BUDGET_S = 3600
NOT_COPIES = "a dump is compared; there was nothing to compare it with"


def restore(chain: Chain, place: Destination, family: Family) -> tuple[Step, ...]:
    """Into a new database of the server that is the endpoint ``destination``.

    :raises UsageError: it goes somewhere else, or which database is meant is not clear.
    """
    record = only_record(chain)
    if place.kind != "database":
        raise UsageError(
            f"{record.id} is a dump: it restores into a new database of a running server",
            hint=f"Name it by its URL: --into {family}://host/new_database.",
        )
    known = contents(record)
    wanted = _wanted(record, known, place)
    name = place.database or wanted.name
    if wanted.qualified and name != wanted.name:
        raise UsageError(
            f"{wanted.qualified} triggers of {wanted.name} name their database themselves: restored as {name}, they "
            f"would be made in {wanted.name} instead",
            hint=f"Restore it as {wanted.name}, on another server.",
        )
    arguments: dict[str, Value] = {
        "database": name, "create": create_database(wanted, name), "family": family, "dumped_by": known.program,
        "largest": known.largest_statement, "tools": place.tools,
    }  # fmt: skip
    return (
        Hold(
            id=DATABASE,
            summary=f"restore {wanted.name} into the new database {name}",
            risk=Risk.WRITE,
            undo=f"drop the database {name}",
            opening=Opening(what="new_database", arguments=arguments, endpoint=DESTINATION),
            steps=tuple(_into(chain.repository, record, wanted, name)),
            close="everything is there; dropped when anything failed",
            needs=(
                Need(kind="right", name="CREATE and all other rights on the database, SUPER or SET_ANY_DEFINER"),
                Need(kind="tool", name=f"{LABELS[family]}'s client {known.program}"),
            ),
        ),
    )


def _into(repository: str, record: BackupRecord, wanted: Database, name: str) -> Iterator[Step]:
    there: dict[str, Value] = {
        "database": name, "client": Ref(DATABASE, "client"), "options": Ref(DATABASE, "options"),
    }  # fmt: skip
    word = key(wanted.name)
    stored = source(record, repository, dump_of(wanted.name))
    yield bring(f"restore-{word}", f"load {wanted.name}", stored, loading(DATABASE, name))
    if has(record, views_of(wanted.name)):
        views = source(record, repository, views_of(wanted.name))
        yield bring(f"restore-views-{word}", "read its views", views, ToFile(path=Ref(DATABASE, "views")))
        made = {**there, "file": Ref(DATABASE, "views")}
        yield _call("restore-views-make", "make its views", "restore.views", made, DESTINATION)
    told: dict[str, Value] = {"database": name, "original": wanted.name}
    yield _call("restore-finish", "look at what it needs now", "restore.finish", told, DESTINATION)


def _wanted(record: BackupRecord, known: Contents, place: Destination) -> Database:
    by_name = {one.name: one for one in known.databases}
    asked = place.only or ((place.database,) if place.database in by_name else ())
    if not asked:
        asked = tuple(by_name) if len(by_name) == 1 else ()
    if len(asked) == 1 and asked[0] in by_name:
        return by_name[asked[0]]
    what = f"{record.id} holds no database {asked[0]!r}" if len(asked) == 1 else f"{record.id} holds several databases"
    raise UsageError(what, hint=f"Name one of them by --database: {', '.join(by_name)}.")


def verify(chain: Chain, place: Destination, server: Server, family: Family, level: VerifyLevel) -> tuple[Step, ...]:
    """``place.path`` is where the scratch server's files go, empty for the temporary directory."""
    record, full = only_record(chain), level == "full"
    known = contents(record)
    compared = [one for one in known.databases if full and has(record, fingerprints_of(one.name))]
    steps = (
        *(step for one in known.databases for step in _restore_database(chain.repository, record, one)),
        *(step for one in known.databases for step in _restore_views(chain.repository, record, one)),
        *_accounts(chain.repository, record, family),
        *_looks(known, full=full),
        *(step for one in compared for step in _compare(chain.repository, record, one, known)),
    )
    running = Hold(
        id=SERVER,
        summary="start an empty server of the same series",
        risk=Risk.WRITE,
        opening=Opening(what="scratch_empty", arguments=_opening(known, family)),
        steps=steps,
        close="kill it",
    )
    size = record.source_bytes if isinstance(record.source_bytes, int) else sum(one.bytes for one in record.artifacts)
    area: dict[str, Value] = {
        "into": place.path, "tools": place.tools, "need_bytes": size + EMPTY_BYTES, "family": family,
        "version": ".".join(map(str, server.version)), "dumped_by": known.program,
        "files": " ".join(["accounts", *(f"f-{key(one.name)}" for one in compared)]),
    }  # fmt: skip
    return (
        Hold(
            id=AREA,
            summary="a private directory, and server programs that fit",
            risk=Risk.WRITE,
            opening=Opening(what="dump_area", arguments=area),
            steps=(running,),
            close="remove it",
        ),
    )


def _opening(known: Contents, family: Family) -> dict[str, Value]:
    engines = sorted({engine for one in known.databases for engine in one.engines})
    return {
        "path": Ref(AREA, "path"), "server": Ref(AREA, "server"), "bindir": Ref(AREA, "bindir"),
        "client": Ref(AREA, "client"), "family": family,
        "settings": msgspec.json.encode(known.settings, order="sorted").decode(),
        "engines": msgspec.json.encode(engines).decode(),
    }  # fmt: skip


def _restore_database(repository: str, record: BackupRecord, one: Database) -> Iterator[Step]:
    word = key(one.name)
    yield Sql(
        id=f"restore-create-{word}",
        summary=f"create the database {one.name}",
        risk=Risk.WRITE,
        statement=(create_database(one, one.name),),
        endpoint=SERVER,
    )
    stored = source(record, repository, dump_of(one.name))
    yield bring(f"restore-{word}", f"load {one.name}", stored, loading(SERVER, one.name))


def _restore_views(repository: str, record: BackupRecord, one: Database) -> Iterator[Step]:
    if has(record, views_of(one.name)):
        stored = source(record, repository, views_of(one.name))
        yield bring(
            f"restore-views-{key(one.name)}", f"load the views of {one.name}", stored, loading(SERVER, one.name)
        )


def _accounts(repository: str, record: BackupRecord, family: Family) -> Iterator[Step]:
    stored = source(record, repository, ACCOUNTS)
    yield bring("restore-accounts", "restore the file of accounts", stored, ToFile(path=Ref(AREA, "accounts")))
    arguments: dict[str, Value] = {
        "file": Ref(AREA, "accounts"), "client": Ref(SERVER, "client"), "options": Ref(SERVER, "options"),
        "family": family,
    }  # fmt: skip
    yield _call("check-accounts", "load the accounts and compare them", "proof.accounts", arguments)


def _looks(known: Contents, *, full: bool) -> Iterator[Step]:
    names = msgspec.json.encode([one.name for one in known.databases]).decode()
    expected = msgspec.json.encode(known.databases, order="sorted").decode()
    rows = ", every row and index entry" if full else ""
    yield _call("check-objects", "count what came back", "proof.objects", {"expected": expected})
    yield _call(
        "check-definers", "look for definers without an account", "proof.definers", {"databases": names}, SERVER
    )
    checked: dict[str, Value] = {"databases": names, "extended": full}
    yield _call("check-tables", f"check every table{rows}", "proof.dumped_tables", checked)


def _compare(repository: str, record: BackupRecord, one: Database, known: Contents) -> Iterator[Step]:
    word = key(one.name)
    stored, file = source(record, repository, fingerprints_of(one.name)), Ref(AREA, f"f-{word}")
    yield bring(f"fingerprints-{word}", f"read the fingerprints of {one.name}", stored, ToFile(path=file))
    arguments: dict[str, Value] = {
        "database": one.name, "recorded": file, "budget_s": BUDGET_S, "history": known.history,
    }  # fmt: skip
    summary = f"compare the content of {one.name} with what was dumped"
    yield _call(f"check-fingerprints-{word}", summary, "proof.fingerprints", arguments)


def _call(step: str, summary: str, operation: str, arguments: dict[str, Value], endpoint: str = SERVER) -> Call:
    return Call(
        id=step,
        summary=summary,
        risk=Risk.READ if step.startswith("check") else Risk.WRITE,
        provider="backend",
        operation=operation,
        arguments=arguments,
        endpoint=endpoint,
    )


def evidence(chain: Chain, level: VerifyLevel, outputs: Outputs) -> Evidence:
    """The checks, the comparison of content, and the state that came back."""
    return collect(only_record(chain), level, outputs, started=SERVER, copies=NOT_COPIES)
