"""RESTORE.md: how to bring a backup back by hand, when neither dbops nor the server that was backed up is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbops.model.backup import BackupJob
from dbops.model.finding import Missing
from dbops_mssql.backup import tsql
from dbops_mssql.backup.facts import SYSTEM, About, Database
from dbops_mssql.backup.places import device, devices
from dbops_mssql.backup.sets import Kind
from dbops_mssql.quoting import identifier

__all__ = ["recipe"]

HEAD = """\
# Restoring {id} of {target}

Written by {server} ({edition}, version {major}) itself, by BACKUP: the bytes lie where that server
saw the places below. An instance of that version or a newer one reads them.
"""
DATABASE = """\
## {name}

What the media hold, and the names of the files to MOVE:
"""
ONWARDS = """\
Then the newest differential backup that counts from it and the logs after that, each WITH NORECOVERY,
the last WITH STOPAT where an instant is wanted. To look in between, and to end:
"""
TAIL = """\
If the old server still answers, first of all its tail of the log. This leaves the database RESTORING;
with damaged files add NO_TRUNCATE, CONTINUE_AFTER_ERROR:
"""
SYSTEM_WORDS = """\
## The instance itself

`master` is restored over itself, with the server started in single-user mode (`-m`); it stops afterwards.
`msdb` (jobs, this history) and `model` are restored over themselves WITH REPLACE. On another machine it is
better to run `logins.sql` of this backup, which makes the logins with their SIDs and hashes, and to restore
the user databases alone.
"""
KEYS = """\
## Keys

Encrypted databases and backups open only with these certificates and their private keys, which no backup
of a database holds. Keep them elsewhere:
"""


def recipe(job: BackupJob, about: About, chosen: Sequence[Database], kind: Kind) -> str:
    """Markdown."""
    head = HEAD.format(id=job.id, target=job.target, server=about.server, edition=about.edition, major=about.major)
    system = [SYSTEM_WORDS] if any(one.name == "master" for one in chosen) else []
    databases = [text for one in chosen for text in _database(job, one, kind)]
    return "\n".join([head, *databases, *system, *_keys(about)])


def _database(job: BackupJob, one: Database, kind: Kind) -> Iterator[str]:
    places = devices(job.depot.to, one.name, job.id, kind)
    copy = f"{one.name}_restored"
    yield DATABASE.format(name=one.name)
    yield _block(tsql.header("HEADERONLY", places), tsql.header("FILELISTONLY", places, 1))
    if kind is Kind.FULL:
        sources = ", ".join(device(place) for place in places)
        restore = f"RESTORE DATABASE {identifier(copy)} FROM {sources}"
        yield _block(f"{restore}\nWITH NORECOVERY, MOVE N'…' TO N'…', STATS = 5")
    yield ONWARDS
    yield _block(tsql.standby(copy, "…"), tsql.recover(copy))
    if one.recovery_model != "SIMPLE" and one.name not in SYSTEM:
        yield TAIL
        yield _block(tsql.tail(one.name, devices(job.depot.to, one.name, "tail", Kind.LOG), tsql.Options()))


def _keys(about: About) -> Iterator[str]:
    if isinstance(about.certificates, Missing) or not about.certificates:
        return
    yield KEYS
    for one in about.certificates:
        yield _block(
            f"BACKUP CERTIFICATE {identifier(one.name)} TO FILE = N'…'\n"
            "WITH PRIVATE KEY (FILE = N'…', ENCRYPTION BY PASSWORD = N'…')"
        )


def _block(*statements: str) -> str:
    return "\n".join(("```sql", *(f"{one};" for one in statements), "```", ""))
