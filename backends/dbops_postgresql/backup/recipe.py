"""RESTORE.md: how to get one backup back by hand, with public tools alone, command by command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dbops.backup.recipe import block, head, stream
from dbops.model.backup import BackupFacts, BackupJob
from dbops.model.server import Server
from dbops_postgresql.backup import facts as facts_module
from dbops_postgresql.backup.artifacts import BASE, CONFIGURATION, MANIFEST, ROLES, TABLESPACES, dump_of
from dbops_postgresql.backup.creation import after, create_database, create_tablespace
from dbops_postgresql.backup.facts import About, Database

__all__ = ["recipe"]

PLAIN_DATABASES = ("postgres", "template1")


def recipe(job: BackupJob, facts: BackupFacts, server: Server, databases: Sequence[Database]) -> str:
    """Pure. The shell blocks of the text can be run one after the other, in the backup's own directory."""
    about = facts_module.about(facts)
    body = _copy(job, about, server) if job.method == "basebackup" else _dump(job, about, server, databases)
    return "\n".join((*head(job, server, "PostgreSQL", _programs(job)), *body)) + "\n"


def _programs(job: BackupJob) -> list[str]:
    own = ["tar"] if job.method == "basebackup" else ["psql", "pg_restore"]
    return ["cat", "zstd", *(["age"] if job.recipients else []), *own]


def _copy(job: BackupJob, about: About, server: Server) -> list[str]:
    lines = [
        f"## Into a new data directory (PostgreSQL {server.major} of the same build, on this machine)",
        "",
        "Choose a directory that is not there yet, and run this as the user who will run the server.",
        "",
    ]
    lines += block(
        ': "${DATA:?the new data directory}"',
        'mkdir -m 700 "$DATA"',
        f'{stream(job, BASE)} | tar -x -f - -C "$DATA"',
        f'{stream(job, MANIFEST)} > "$DATA/{MANIFEST}"',
    )
    if about.tablespaces:
        lines += _tablespaces(job, about)
    lines += [
        "Check every file, then start. Keep `pg_wal` as it is. Make no `recovery.signal`: there is no archive to read.",
        "",
        *block(
            'if command -v pg_verifybackup > /dev/null; then pg_verifybackup "$DATA"; fi',
            'rm -f "$DATA/standby.signal" "$DATA/recovery.signal"',
        ),
    ]
    if about.tablespaces:
        lines += ["Only after the check, since it has a sum of this file too:", ""]
        lines += block('cp "$DATA.map" "$DATA/tablespace_map"')
    lines += [
        f"Settings and access rules may have lain elsewhere (Debian: /etc/postgresql): `{CONFIGURATION}` has them.",
        "When `postgresql.conf` or `pg_hba.conf` is not in the directory, write them from it:",
        "",
        *block(f"{stream(job, CONFIGURATION)}"),
        "Before you start it: an `archive_command` in `postgresql.auto.conf` would write into the archive of the",
        "original, and subscriptions would follow their publishers.",
        "",
        "    pg_ctl -D \"$DATA\" -o '-c archive_mode=off -c max_logical_replication_workers=0' start",
        "",
    ]
    return lines


def _tablespaces(job: BackupJob, about: About) -> list[str]:
    lines = [
        "Tablespaces, each into a directory of its own. Without this the copy would write into the original's files:",
        "",
    ]
    commands = [': > "$DATA.map"']
    for one in about.tablespaces:
        where = f'"$DATA.tablespaces/{one.oid}"'
        commands += [
            f"mkdir -m 700 -p {where}",
            f"{stream(job, f'{one.oid}.tar')} | tar -x -f - -C {where}",
            f'ln -sfn {where} "$DATA/pg_tblspc/{one.oid}"',
            f"printf '%s %s\\n' {one.oid} {where} >> \"$DATA.map\"",
        ]
    return [*lines, *block(*commands)]


def _passwords(about: About) -> list[str]:
    if not about.passwords:
        return ["They come back without passwords: the backup's login could not read them."]
    return [
        f"They come back with their passwords: from here on `{about.owner}` has the one of the original.",
        "Put that into `ORIGINAL_PGPASSWORD` where it is another one.",
    ]


def _dump(job: BackupJob, about: About, server: Server, databases: Sequence[Database]) -> list[str]:
    lines = [
        f"## Into a new, empty server (PostgreSQL {server.major} or newer)",
        "",
        "Let `PGHOST`, `PGPORT`, `PGUSER` and `PGPASSWORD` lead to it, as a superuser;",
        f"`PGUSER` best named `{about.owner}`, as in the original.",
        "",
        "### Roles",
        "",
        f"One error is harmless: the role `{about.owner}` already exists.",
        *_passwords(about),
        "",
        *block(
            f"{stream(job, ROLES)} | psql -X -q -d template1 -f -",
            *(['export PGPASSWORD="${ORIGINAL_PGPASSWORD:-${PGPASSWORD-}}"'] if about.passwords else []),
        ),
    ]
    if about.tablespaces:
        lines += [
            f"### Tablespaces (`{TABLESPACES}`)",
            "",
            "Make each directory first, empty and owned by the server's user; or leave them out and add",
            "`--no-tablespaces` below.",
            "",
            *[f"    {create_tablespace(one)};" for one in about.tablespaces],
            "",
        ]
    for one in databases:
        lines += _database(job, one, server)
    return lines


def _database(job: BackupJob, one: Database, server: Server) -> list[str]:
    no_tablespaces = " --no-tablespaces"
    restore = f"{stream(job, dump_of(one))} | pg_restore --exit-on-error{no_tablespaces} -d {_dbname(one.name)}"
    lines = [f"### Database {one.name!r}", ""]
    if one.name in PLAIN_DATABASES:
        return [*lines, "It is there in every server.", "", *block(restore)]
    statements = [create_database(one, one.name, server.major), *(step.statement for step in after(one, one.name))]
    script = "\n".join(f"{statement};" for statement in statements)
    create = f"psql -X -q -v ON_ERROR_STOP=1 -d template1 <<'DBOPS'\n{script}\nDBOPS"
    return [*lines, *block(create, restore)]


def _dbname(name: str) -> str:
    """A name with an equals sign, or like a URL, would be read as a connection string."""
    return shlex.quote("dbname='" + name.replace("\\", "\\\\").replace("'", "\\'") + "'")
