"""The programs that copy a running server's files, one of each family: mariadb-backup, and Percona's xtrabackup.

They share an ancestor, a stream format and most options; what they do otherwise is data here.
xtrabackup: https://docs.percona.com/percona-xtrabackup/8.4/xtrabackup-option-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from dbops_mysql.backup import copy_log, xbstream
from dbops_mysql.backup.copy_log import Phrases
from dbops_mysql.installation import Family

__all__ = ["PROGRAMS", "Program"]


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """One family's program.

    :param unpack: the program that unpacks its stream, from beside it.
    :param prefixes: of the names of the small files in which it notes what it did, the newest first.
    :param settings: the file of server settings that it writes for itself.
    """

    name: Literal["mariadb-backup", "xtrabackup"]
    unpack: str
    phrases: Phrases
    dialect: xbstream.Dialect
    prefixes: tuple[str, ...]
    settings: str = "backup-my.cnf"

    def notes(self, what: str) -> tuple[str, ...]:
        """``binlog_info``, ``checkpoints``, ``info``: how the file with this in it may be called."""
        return tuple(f"{prefix}_{what}" for prefix in self.prefixes)

    def backup(self, tool: str, options: Path, workdir: Path, datadir: str, parallel: int) -> list[str]:
        """The arguments that print a copy. ``options`` is the file with the login."""
        return [
            tool, f"--defaults-file={options}", "--backup", "--stream=xbstream", f"--datadir={datadir}",
            f"--target-dir={workdir / 'target'}", f"--tmpdir={workdir}", f"--parallel={parallel}",
        ]  # fmt: skip

    def prepare(self, tool: str, data: Path, memory: int) -> list[str]:
        """The arguments that replay its log into an unpacked copy."""
        return [
            tool,
            f"--defaults-file={data / self.settings}",
            "--prepare",
            f"--target-dir={data}",
            f"--use-memory={memory}",
        ]


PROGRAMS: Mapping[Family, Program] = {
    "mariadb": Program(
        name="mariadb-backup",
        unpack="mbstream",
        phrases=copy_log.MARIADB,
        dialect=xbstream.MARIADB,
        prefixes=("mariadb_backup", "xtrabackup"),
    ),
    "mysql": Program(
        name="xtrabackup",
        unpack="xbstream",
        phrases=copy_log.MYSQL,
        dialect=xbstream.MYSQL,
        prefixes=("xtrabackup",),
    ),
}
