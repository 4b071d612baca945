"""RESTORE.md of a dump."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dbops.backup.recipe import block, stream
from dbops.model.backup import BackupJob
from dbops.model.server import Server
from dbops_mysql.backup.artifacts import ACCOUNTS, dump_of, views_of
from dbops_mysql.backup.creation import create_database
from dbops_mysql.backup.facts import Database
from dbops_mysql.installation import LABELS, Family

__all__ = ["lines"]

CLIENTS = {"mysql": "mysql", "mariadb": "mariadb"}
LITERAL = "--binary-mode --comments --max-allowed-packet=1G --default-character-set=utf8mb4"
HERE = "DBOPS"


def lines(job: BackupJob, server: Server, databases: Sequence[Database], family: Family) -> list[str]:
    """Pure. After the head: databases, then views, then accounts."""
    label, client = LABELS[family], CLIENTS[family]
    series = ".".join(map(str, server.version[:2]))
    programs = ["cat", "zstd", *(["age"] if job.recipients else []), client]
    found = [
        f"## Into a new, empty server ({label} {series} or newer)",
        "",
        f"These programs are needed: {', '.join(programs)}.",
        "The options that lead to the server, as an administrator, stand in a file that only you can read, group",
        "`[client]`. Name it:",
        "",
        *block(
            ': "${OPTIONS:?a file with user, password, host and so on}"',
            f'load() {{ {client} --defaults-file="$OPTIONS" {LITERAL} "$@"; }}',
        ),
        "The server must take statements as long as the longest of the dump (`max_allowed_packet`; 1G is the most).",
        "What is loaded goes through its binary log, to its replicas too.",
        "",
        "### Databases",
        "",
        "Each may be given another name: in CREATE DATABASE and after `load`.",
        "",
    ]
    for one in databases:
        found += _database(job, one)
    views = [one for one in databases if one.views]
    if views:
        found += ["### Views", "", "After all databases: a view may read another one.", ""]
        found += [line for one in views for line in block(_load(job, views_of(one.name), one.name))]
    return [*found, *_accounts(job)]


def _database(job: BackupJob, one: Database) -> list[str]:
    create = f"load <<'{HERE}'\n{create_database(one, one.name)};\n{HERE}"
    return [f"#### {one.name!r}", "", *block(create, _load(job, dump_of(one.name), one.name))]


def _load(job: BackupJob, artifact: str, database: str) -> str:
    return f"{stream(job, artifact)} | load --database={shlex.quote(database)}"


def _accounts(job: BackupJob) -> list[str]:
    return [
        "### Accounts",
        "",
        f"`{ACCOUNTS}` has the accounts, roles and privileges. An account that is there already keeps its password and",
        "gets the privileges as well, so look at it first. A grant about a table that is not there fails, and the rest",
        "goes on.",
        "",
        *block(f"{stream(job, ACCOUNTS)} | load --force"),
    ]
