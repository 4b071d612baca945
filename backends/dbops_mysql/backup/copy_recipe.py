"""RESTORE.md of a copy of the whole server: with public tools alone, command by command."""

from __future__ import annotations

from collections.abc import Mapping

from dbops.backup.recipe import block, stream
from dbops.model.backup import BackupJob
from dbops.model.server import Server
from dbops_mysql.backup import clone, copying
from dbops_mysql.backup.configuration import CONFIGURATION
from dbops_mysql.backup.copied import needed
from dbops_mysql.backup.programs import PROGRAMS
from dbops_mysql.installation import LABELS, SERVER, Family

__all__ = ["recipe_cloned", "recipe_streamed"]

QUIET: Mapping[Family, str] = {"mysql": "loose-skip-replica-start", "mariadb": "skip-slave-start"}


def recipe_streamed(job: BackupJob, settings: Mapping[str, str], server: Server, family: Family) -> list[str]:
    """Pure: unpack, prepare, start."""
    program = PROGRAMS[family]
    series = ".".join(map(str, server.version[:2]))
    return [
        *_begin(f"{LABELS[family]} {series}", f"`zstd`, `{program.unpack}` and `{program.name}` of {series}"),
        *block(*_directory(), f'{stream(job, copying.BASE)} | {program.unpack} -x -C "$DATA"'),
        "Links to where the original has tables outside of its data directory must go, or two servers would write",
        f"one file. Then `{program.name}` replays the log that was copied with the files; it says `completed OK!`.",
        "",
        *block(
            'find "$DATA" -name "*.isl" -delete',
            f'{program.name} --defaults-file="$DATA/{program.settings}" --prepare --target-dir="$DATA"',
        ),
        *_end(job, settings, family),
    ]


def recipe_cloned(job: BackupJob, settings: Mapping[str, str], server: Server) -> list[str]:
    """Pure: unpack, start."""
    series = ".".join(map(str, server.version[:2]))
    return [
        *_begin(f"MySQL {series}, {server.version_text} or newer,", "`zstd` and `tar`"),
        *block(*_directory(), f'{stream(job, clone.BASE)} | tar -x -f - -C "$DATA"'),
        "It was made by MySQL's CLONE: the server itself makes it ready when it starts on it.",
        "",
        *_end(job, settings, "mysql"),
        "Where the original's binary log stood at that moment, the copy itself knows once it has started:",
        "",
        "    SELECT BINLOG_FILE, BINLOG_POSITION, GTID_EXECUTED FROM performance_schema.clone_status;",
        "",
    ]


def _begin(server: str, programs: str) -> list[str]:
    return [
        f"## Into a new data directory ({server} on this machine)",
        "",
        f"These programs are needed: `cat`, {programs}. Choose a directory that is not there yet.",
        "",
    ]


def _directory() -> tuple[str, ...]:
    return ': "${DATA:?the new data directory}"', 'mkdir -m 700 "$DATA"'


def _end(job: BackupJob, settings: Mapping[str, str], family: Family) -> list[str]:
    lines = [
        "[mysqld]",
        *(f"{name}={value}" for name, value in needed(family, settings).items()),
        "event_scheduler=OFF",
        QUIET[family],
    ]
    return [
        "What the server needs to open these files, and nothing of the original's events and replication:",
        "",
        *block("cat > \"$DATA/my.cnf\" <<'DBOPS'", *lines, "DBOPS"),
        f"The rest of the original's settings, and its plugins, are in `{CONFIGURATION}`:",
        "",
        *block(stream(job, CONFIGURATION)),
        "Let the server's user own the directory, and start it:",
        "",
        '    chown -R mysql: "$DATA"',
        f'    {SERVER[family]} --defaults-file="$DATA/my.cnf" --datadir="$DATA" --user=mysql',
        "",
    ]
