"""A copy of a running server's files, by its family's program, streamed from the machine where both run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import cast

import msgspec

from dbops import process
from dbops.errors import DbopsError, ToolFailed
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.readable import ToolOutput
from dbops.spi import Member, Runtime
from dbops_mysql.backup import objects
from dbops_mysql.backup.copy_log import CopyLog, reason_of
from dbops_mysql.backup.programs import PROGRAMS, Program
from dbops_mysql.backup.xbstream import Walked, Walker, Watched
from dbops_mysql.installation import Family
from dbops_mysql.login import option_file
from dbops_mysql.server import CLEAN
from dbops_mysql.statement import text

__all__ = ["BASE", "check_whose", "copying", "lsn_of"]

BASE = "base.xbstream"


def copying(arguments: Mapping[str, object], endpoint: Endpoint, runtime: Runtime) -> Iterator[Member]:
    """The member ``base.xbstream``. What its reading finds out are its facts: ``files`` and ``file_bytes``,
    ``binlog_info``, ``checkpoints`` and ``info`` as the program noted them, ``frozen_at`` (what was
    committed by then is surely in it), ``held`` (seconds by lock, as JSON), ``objects`` (see
    :mod:`dbops_mysql.backup.objects`).

    Arguments: ``family``, ``tool``, ``datadir``, ``parallel``.
    :raises ToolFailed: the program failed or did not say that it succeeded, its stream is not whole, or what it copied
        are another server's files.
    """
    family = cast(Family, arguments["family"])
    program = PROGRAMS[family]
    there, before = objects.read(endpoint, runtime), _lsn(endpoint, runtime)
    log = CopyLog(program.phrases)
    facts: dict[str, Value] = {"frozen_at": datetime.now(UTC).isoformat()}
    workdir = runtime.workdir()
    argv = program.backup(
        str(arguments["tool"]), option_file(endpoint, runtime, family), workdir, str(arguments["datadir"]),
        int(str(arguments["parallel"])),
    )  # fmt: skip
    child = process.popen(argv, env={**CLEAN, "TZ": "UTC"}, cwd=workdir, heard=log.heard)
    output = ToolOutput(child, "the copy", ended=log.check, words=lambda: log.trouble() or child.stderr_tail())

    def finished(walked: Walked) -> None:
        facts.update(_facts(program, walked, log))
        facts["objects"] = objects.encode(objects.least(there, objects.read(endpoint, runtime)))
        check_whose(lsn_of(str(facts["checkpoints"])), before, _lsn(endpoint, runtime))

    wanted = {name for what in ("binlog_info", "checkpoints", "info") for name in program.notes(what)}
    yield Member(BASE, Watched(_Explained(output, log), Walker(program.dialect, wanted), finished), facts)


def lsn_of(checkpoints: str) -> dict[str, int]:
    """``from_lsn``, ``to_lsn`` and ``last_lsn``: a copy of what changed after this one would begin at ``to_lsn``."""
    pairs = (line.partition("=") for line in checkpoints.splitlines())
    return {name.strip(): int(value) for name, _, value in pairs if name.strip().endswith("_lsn")}


def _facts(program: Program, walked: Walked, log: CopyLog) -> dict[str, Value]:
    noted = {
        what: next((walked.kept[name] for name in program.notes(what) if name in walked.kept), "")
        for what in ("binlog_info", "checkpoints", "info")
    }
    if not noted["checkpoints"]:
        raise ToolFailed(f"{program.name} left out its own notes: the copy is not whole")
    frozen = log.frozen_at
    return {
        **noted,
        "files": walked.files,
        "file_bytes": walked.bytes,
        "held": msgspec.json.encode(log.held_s).decode(),
        **({"frozen_at": frozen.isoformat()} if frozen else {}),
    }


def _lsn(endpoint: Endpoint, runtime: Runtime) -> int | None:
    with runtime.reader(endpoint) as reader:
        rows = reader.tuples(text("copy_lsn"))
    return int(rows[0][1]) if rows else None


def check_whose(copied: Mapping[str, int], before: int | None, after: int | None) -> None:
    """Pure. The log of a server only grows: a copy whose log ends elsewhere is of other files than the server's, which
    may lie under the same path while the server runs in a container.

    :raises ToolFailed: so it is.
    """
    end = copied.get("last_lsn")
    if end is None or before is None or after is None or before <= end <= after:
        return
    raise ToolFailed(
        f"the copied log ends at {end}, and that of the server went from {before} to {after} meanwhile: these are "
        "another server's files",
        hint="Several servers on this machine, or containers? Run dbops where this server's data directory is.",
        reason="environment",
    )


class _Explained:
    """The program's output; when it fails, its words give the reason."""

    def __init__(self, output: ToolOutput, log: CopyLog) -> None:
        self._output, self._log = output, log
        self.cancel = output.cancel
        self.close = output.close

    def read(self, n: int, /) -> bytes:
        try:
            return self._output.read(n)
        except DbopsError as error:
            error.reason = error.reason or reason_of(self._log.trouble())
            raise
