"""Steps that bring a copy of a whole server back: into a new directory for good, or into a scratch one for a proof."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from dbops.backup.artifacts import source
from dbops.errors import InputError, UsageError
from dbops.model.backup import BackupRecord, Chain, Destination, Evidence, Outputs, VerifyLevel
from dbops.model.finding import Missing
from dbops.plan import Call, Hold, Need, Opening, Ref, Risk, Step, ToCommand, ToDirectory, Value
from dbops_mysql.backup.answers import decoded
from dbops_mysql.backup.artifacts import Contents, contents
from dbops_mysql.backup.copied import Copied, needed
from dbops_mysql.backup.objects import encode
from dbops_mysql.backup.way import bring, only_record
from dbops_mysql.installation import Family

__all__ = ["evidence", "restore", "verify"]

DESTINATION = "destination"
DIRECTORY = "new-directory"
AREA = "area"
SERVER = "restore-start"
# What a server writes at its first start, and a program while it replays the log.
SPARE_BYTES = 512 << 20
CLONE_LIBRARY = "mysql_clone.so"
DEFAULTS = {"innodb_page_size": "16384", "innodb_data_file_path": "ibdata1:12M:autoextend"}


def restore(chain: Chain, destination: Destination, family: Family) -> tuple[Step, ...]:
    """Pure.

    :raises UsageError: it cannot go there.
    :raises InputError: the manifest lacks something.
    """
    record = only_record(chain)
    known, copied = _known(record)
    if destination.kind != "directory" or not destination.path:
        raise UsageError(
            f"{record.id} is a copy of a whole server: it restores into a new directory, not into a database",
            hint="Name a directory by --into, or restore a dump.",
        )
    opening: dict[str, Value] = {**_programs(copied, destination, family), "path": destination.path}
    finish: dict[str, Value] = {
        "family": family, "data": Ref(DIRECTORY, "data"), "path": str(Path(destination.path)),
        "settings": _settings(known, family),
    }  # fmt: skip
    steps = (
        *_unpack(chain.repository, record, copied, DIRECTORY, family),
        _call("restore-finish", "write what a server needs to open it", "copy.finish", finish, Risk.WRITE),
    )
    return (
        Hold(
            id=DIRECTORY,
            summary=f"restore into the new directory {destination.path}",
            risk=Risk.WRITE,
            undo=f"remove {destination.path}",
            opening=Opening(what="new_directory", arguments=opening, endpoint=DESTINATION),
            steps=steps,
            close="moved to its place when everything is there; removed when anything failed",
            needs=(Need(kind="space", name=str(copied.bytes + SPARE_BYTES)),),
        ),
    )


def verify(chain: Chain, destination: Destination, family: Family, level: VerifyLevel) -> tuple[Step, ...]:
    """Pure. ``destination.path`` is where the scratch directory goes, empty for the temporary directory."""
    record = only_record(chain)
    known, copied = _known(record)
    area: dict[str, Value] = {
        **_programs(copied, destination, family),
        "into": destination.path,
        "keys": ", ".join(copied.keys) or "by keys of unknown origin" if copied.encrypted else "",
    }
    opening: dict[str, Value] = {
        "path": Ref(AREA, "path"), "data": Ref(AREA, "data"), "server": Ref(AREA, "server"), "family": family,
        "settings": _settings(known, family), "load": CLONE_LIBRARY if copied.how == "clone" else "",
    }  # fmt: skip
    full = level == "full"
    running = Hold(
        id=SERVER,
        summary="start a server on the copy",
        risk=Risk.WRITE,
        opening=Opening(what="copy_server", arguments=opening),
        steps=_looks(copied, full=full),
        close="stop it cleanly",
    )
    steps: list[Step] = [*_unpack(chain.repository, record, copied, AREA, family), running]
    if full:
        needs = {**DEFAULTS, **needed(family, known.settings)}
        pages: dict[str, Value] = {
            "data": Ref(AREA, "data"), "tool": Ref(AREA, "innochecksum"),
            "page_size": needs["innodb_page_size"], "system": needs["innodb_data_file_path"],
        }  # fmt: skip
        steps.append(_call("check-pages", "check the checksum of every page", "copy.pages", pages))
    return (
        Hold(
            id=AREA,
            summary="a private directory, and server programs that fit",
            risk=Risk.WRITE,
            opening=Opening(what="copy_area", arguments=area),
            steps=tuple(steps),
            close="remove it",
        ),
    )


def evidence(chain: Chain, outputs: Outputs) -> Evidence:
    """Pure: the checks, and the state that came back."""
    record = only_record(chain)
    checks = [one for values in outputs.values() if "checks" in values for one in decoded(values["checks"])]
    return Evidence(
        checks=tuple(checks),
        fingerprints=Missing(
            "not_comparable",
            "no reading of the server is of the very moment of a copy, so that content is not compared with one: its "
            "tables, indexes and pages are checked by themselves",
        ),
        recovered_to=record.instant if SERVER in outputs else Missing("not_restored", "the server did not start"),
    )


def _known(record: BackupRecord) -> tuple[Contents, Copied]:
    known = contents(record)
    if known.copied is None:
        raise InputError(
            f"the manifest of {record.id} does not say how its files were copied",
            hint="RESTORE.md beside the backup tells how to restore it by hand.",
        )
    return known, known.copied


def _programs(copied: Copied, destination: Destination, family: Family) -> dict[str, Value]:
    return {
        "family": family,
        "version": ".".join(map(str, copied.version)),
        "program": copied.how != "clone",
        "tools": destination.tools,
        "need_bytes": copied.bytes + SPARE_BYTES,
    }


def _settings(known: Contents, family: Family) -> str:
    return msgspec.json.encode(needed(family, known.settings), order="sorted").decode()


def _unpack(repository: str, record: BackupRecord, copied: Copied, holder: str, family: Family) -> tuple[Step, ...]:
    """The files, counted, and where they need it prepared, to the directory that the Hold ``holder`` gives."""
    stored, data = source(record, repository, copied.artifact), Ref(holder, "data")
    counting: dict[str, Value] = {"data": data, "files": copied.files, "file_bytes": copied.bytes}
    counted = _call("check-files", "count the files", "copy.count", counting)
    if copied.how == "clone":
        return bring("restore-files", "unpack the files", stored, ToDirectory(path=data)), counted
    sink = ToCommand(argv=(Ref(holder, "unpack"), "-x", "-C", data), env={"LC_ALL": "C"})
    preparing: dict[str, Value] = {"family": family, "tool": Ref(holder, "tool"), "data": data}
    return (
        bring("restore-files", "unpack the files", stored, sink),
        counted,
        _call("restore-prepare", "replay the log that was copied with them", "copy.prepare", preparing, Risk.WRITE),
    )


def _looks(copied: Copied, *, full: bool) -> tuple[Step, ...]:
    rows = ", every row and every index entry" if full else ""
    expected: dict[str, Value] = {"expected": encode(copied.objects)}
    steps = [
        _call("check-objects", "count what is there", "copy.objects", expected, at=SERVER),
        _call("check-accounts", "ask for the grants of every account", "copy.accounts", {}, at=SERVER),
    ]
    if copied.how == "clone":
        steps.append(_call("check-position", "ask where the original's log stood", "copy.position", {}, at=SERVER))
    # The last, since a server may die of what it finds.
    steps.append(_call("check-tables", f"check every table{rows}", "copy.tables", {"extended": full}, at=SERVER))
    return tuple(steps)


def _call(
    step: str,
    summary: str,
    operation: str,
    arguments: Mapping[str, Value],
    risk: Risk = Risk.READ,
    *,
    at: str = "target",
) -> Call:
    return Call(
        id=step,
        summary=summary,
        risk=risk,
        provider="backend",
        operation=operation,
        arguments=dict(arguments),
        endpoint=at,
    )
