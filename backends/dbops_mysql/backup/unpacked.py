"""A copy that was unpacked, until a server can open it: counted, prepared, and configured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import msgspec

from dbops import process
from dbops.errors import Damaged, ToolFailed
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_mysql.backup.answers import answer, good
from dbops_mysql.backup.copy_log import CopyLog, reason_of
from dbops_mysql.backup.programs import PROGRAMS
from dbops_mysql.installation import SERVER, Family
from dbops_mysql.server import CLEAN

__all__ = ["count", "finish", "prepare"]

Outputs = Mapping[str, Value]
# The more of the log fits, the fewer times it is read; what a machine of today has to spare.
MEMORY = 256 << 20
CONFIGURATION = "my.cnf"
HEAD = """\
# Written by dbops from what the server that was copied needed. Look through it before this one serves.
[mysqld]
"""
# Whatever the copy brings along of the original's outside life.
QUIET = {
    "mysql": "# The copy has the original's events and replication: switch them on when it is to take its place.\n"
    "event_scheduler=OFF\nloose-skip-replica-start\nloose-skip-slave-start\n",
    "mariadb": "# The copy has the original's events: switch them on when it is to take its place.\n"
    "event_scheduler=OFF\nskip-slave-start\n",
}


def count(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Outputs:
    """The files of a fresh copy against how many there were when it was made: the program that unpacks a stream ends
    well even when whole files are missing.

    Arguments: ``data``, ``files``, ``file_bytes``.
    :raises Damaged: they are not the same.
    """
    found = [path.lstat().st_size for path in Path(str(arguments["data"])).rglob("*") if path.is_file()]
    files, size = int(str(arguments["files"])), int(str(arguments["file_bytes"]))
    if (len(found), sum(found)) != (files, size):
        raise Damaged(
            f"the copy is not whole: it had {files:,} files of {size:,} bytes, and {len(found):,} of {sum(found):,} "
            "came back"
        )
    return answer(good("files", f"all {files:,} files are there, {size:,} bytes"))


def prepare(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Outputs:
    """Replay the log that was copied along with the files, so that they are all of one moment. Always on what was
    unpacked, never on what is stored.

    Arguments: ``family``, ``tool``, ``data``.
    :raises ToolFailed: with what the program says.
    """
    data, family = Path(str(arguments["data"])), cast(Family, arguments["family"])
    program = PROGRAMS[family]
    for link in data.rglob("*.isl"):
        # It leads to where the original has this table: two servers would write one file.
        link.unlink()
    log = CopyLog(program.phrases)
    argv = program.prepare(str(arguments["tool"]), data, MEMORY)
    with process.popen(argv, env={**CLEAN, "TZ": "UTC"}, cwd=data, heard=log.heard) as child:
        returncode = child.wait()
        said = child.stderr_tail()
    if returncode != 0:
        trouble = log.trouble() or said.strip()[-500:]
        described = process.describe((program.name,), returncode)
        reason = reason_of(trouble) or ("interrupted" if returncode in (-2, -9, -15) else "")
        raise ToolFailed(f"the copy cannot be prepared: {described}: {trouble}", reason=reason)
    log.check()
    return {"prepared": True}


def finish(arguments: Mapping[str, object], _endpoint: Endpoint, _runtime: Runtime) -> Outputs:
    """Write what a server needs to open the copy into ``my.cnf`` in it.

    Arguments: ``family``, ``data``, ``path`` (where it will be), ``settings`` (JSON).
    """
    data, path, family = Path(str(arguments["data"])), str(arguments["path"]), cast(Family, arguments["family"])
    settings = msgspec.json.decode(str(arguments["settings"]), type=dict[str, str])
    lines = [f"datadir={path}", *(f"{name}={value}" for name, value in settings.items())]
    place = data / CONFIGURATION
    place.unlink(missing_ok=True)
    place.write_text(HEAD + "\n".join(lines) + "\n" + QUIET[family], encoding="utf-8")
    return {
        "note": f"start it with {SERVER[family]} --defaults-file={path}/{CONFIGURATION} --user=mysql: that file has "
        "what the copy needs, such as its page size, and keeps events and replication off; add first what else the "
        "original had (configuration.json of the backup): ports, logs, keys"
    }
